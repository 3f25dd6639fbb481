import { Modal, MultiSelect, Select, Switch, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { ActBodies, LockView, PointView } from '../../api/schema';
import { useSession } from '../../api/session';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { useNames, type Part } from './parts';

type Form = Part & { close: () => void };
const KINDS = ['lock', 'tag', 'blind_plate', 'valve', 'breaker', 'box'] as const;
type Kind = (typeof KINDS)[number];
/** What the hub takes as the name of a point, of a lock or of a box. */
const NAME = 80;

/** One form of the register in a dialog, with one big button and the hub's own words. */
function Sheet<V extends keyof ActBodies>(props: {
  title: string;
  note?: string;
  verb: V;
  body: () => ActBodies[V];
  ready: boolean;
  warn?: boolean;
  confirm: string;
  close: () => void;
  children: ReactNode;
}) {
  const { t } = useWords();
  const { ask, busy, problem } = useAct();
  const send = async () => {
    if (await ask(props.verb, props.body())) props.close();
  };
  return (
    <Modal opened onClose={props.close} title={props.title} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <form
        className="work stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {props.note && <p className="note">{props.note}</p>}
        {props.children}
        <Refused problem={problem} />
        <button type="submit" className={props.warn ? 'btn warn huge' : 'btn primary huge'} disabled={busy || !props.ready}>
          {props.confirm}
        </button>
      </form>
    </Modal>
  );
}

const told = (point: PointView) => `${point.id} · ${point.equipment}`;

/** Name all points that the permit needs; for a plate that is the work: in or out. */
export function PlanPoints({ file, close }: Form) {
  const { t } = useWords();
  const before = new Map(file.isolation.lines.map((line) => [line.point_id, line.action]));
  const [points, setPoints] = useState([...before.keys()]);
  const [actions, setActions] = useState<Record<string, string>>(Object.fromEntries(before));
  const known = file.isolation.points.filter((point) => point.kind !== 'box');
  const plates = known.filter((point) => point.kind === 'blind_plate' && points.includes(point.id) && file.law.family === 'blind_plate');
  return (
    <Sheet
      title={t('isolation.plan')}
      note={t(known.length ? 'isolation.plan_note' : 'isolation.register_empty')}
      verb="isolation.plan"
      body={() => ({ permit_id: file.id, lines: points.map((point_id) => ({ point_id, action: (actions[point_id] || '') as '' | 'insert' | 'remove' })) })}
      ready={points.length > 0 && plates.every((point) => actions[point.id])}
      confirm={t('isolation.plan_do', { count: points.length })}
      close={close}
    >
      <MultiSelect label={t('isolation.points')} searchable data={known.map((point) => ({ value: point.id, label: told(point) }))} value={points} onChange={setPoints} />
      {plates.map((point) => (
        <div key={point.id} className="stack">
          <b>{told(point)}</b>
          <div className="picks" role="group" aria-label={told(point)}>
            {(['insert', 'remove'] as const).map((one) => (
              <button key={one} type="button" className="pick" aria-pressed={actions[point.id] === one} onClick={() => setActions({ ...actions, [point.id]: one })}>
                {t(`isolation.${one}`)}
              </button>
            ))}
          </div>
        </div>
      ))}
    </Sheet>
  );
}

/** Put a point into the register: where something can be cut off. */
export function NewPoint({ permit, close }: Form) {
  const { t } = useWords();
  const [id, setId] = useState('');
  const [kind, setKind] = useState<Kind>('valve');
  const [equipment, setEquipment] = useState('');
  const [place, setPlace] = useState('');
  const [drawing, setDrawing] = useState('');
  const [pipe, setPipe] = useState('');
  return (
    <Sheet
      title={t('isolation.new')}
      verb="isolation.point"
      body={() => ({ point_id: id.trim(), kind, equipment: equipment.trim(), place: place.trim(), zone_id: permit.zone_id, drawing: drawing.trim(), pipe: pipe.trim() })}
      ready={Boolean(id.trim() && equipment.trim())}
      confirm={t('isolation.new_do')}
      close={close}
    >
      <TextInput label={t('isolation.id')} description={t('isolation.id_note')} required maxLength={NAME} value={id} onChange={(event) => setId(event.currentTarget.value)} />
      <Select label={t('isolation.kind')} data={KINDS.map((one) => ({ value: one, label: t(`isolation.kind.${one}`) }))} value={kind} onChange={(one) => setKind((one as Kind | null) ?? kind)} />
      <TextInput label={t('isolation.equipment')} required maxLength={NAME} value={equipment} onChange={(event) => setEquipment(event.currentTarget.value)} />
      <TextInput label={t('isolation.place')} maxLength={200} value={place} onChange={(event) => setPlace(event.currentTarget.value)} />
      <TextInput label={t('isolation.drawing')} maxLength={200} value={drawing} onChange={(event) => setDrawing(event.currentTarget.value)} />
      {kind === 'blind_plate' && <TextInput label={t('isolation.pipe')} maxLength={200} value={pipe} onChange={(event) => setPipe(event.currentTarget.value)} />}
    </Sheet>
  );
}

/** Put a lock, tag or plate on a point, or one's own lock beside it. */
export function LockOn({ file, point, close }: Form & { point: PointView }) {
  const { t } = useWords();
  const session = useSession();
  const { people } = useNames();
  const [no, setNo] = useState('');
  const [holder, setHolder] = useState<string | null>(session.person_id);
  const [personal, setPersonal] = useState(false);
  const [box, setBox] = useState<string | null>(null);
  const boxes = file.isolation.points.filter((one) => one.kind === 'box' && one.id !== point.id);
  return (
    <Sheet
      title={t('isolation.lock_title', { point: told(point) })}
      verb="isolation.apply"
      body={() => ({ permit_id: file.id, point_id: point.id, lock_no: no.trim(), key_holder: (personal ? session.person_id : holder) ?? '', personal, box: box ?? '' })}
      ready={Boolean(no.trim() && (personal || holder))}
      confirm={t('isolation.lock_do')}
      close={close}
    >
      <TextInput label={t('isolation.lock_no')} description={t('isolation.lock_note')} required maxLength={NAME} value={no} onChange={(event) => setNo(event.currentTarget.value)} />
      <Switch size="lg" label={t('isolation.personal')} description={t('isolation.personal_note')} checked={personal} onChange={(event) => setPersonal(event.currentTarget.checked)} />
      {!personal && <Select label={t('isolation.holder')} searchable required data={people.map((one) => ({ value: one.id, label: one.name }))} value={holder} onChange={setHolder} />}
      {boxes.length > 0 && <Select label={t('isolation.box')} clearable clearButtonProps={{ 'aria-label': t('dialog.cancel') }} data={boxes.map((one) => ({ value: one.id, label: told(one) }))} value={box} onChange={setBox} />}
    </Sheet>
  );
}

/** Take a lock off; the hub refuses while anybody or any permit relies on it. */
export function TakeOff({ file, point, lock, close }: Form & { point: PointView; lock: LockView }) {
  const { t } = useWords();
  const session = useSession();
  const { name } = useNames();
  const [back, setBack] = useState<boolean | null>(null);
  const [reason, setReason] = useState('');
  const mine = lock.key_holder === session.person_id;
  return (
    <Sheet
      title={t('isolation.off_title', { lock: lock.lock_no, point: told(point) })}
      note={t(mine ? 'isolation.off_note' : 'isolation.off_other', { name: name(lock.key_holder) })}
      verb="isolation.remove"
      body={() => ({ permit_id: file.id, point_id: point.id, lock_no: lock.lock_no, key_in_box: back === true, reason: reason.trim() })}
      ready={back !== null && (mine || Boolean(reason.trim()))}
      warn
      confirm={t('isolation.off')}
      close={close}
    >
      <fieldset className="ask">
        <legend>{t('isolation.key_back')}</legend>
        <div className="picks">
          {([true, false] as const).map((one) => (
            <button key={String(one)} type="button" className="pick" aria-pressed={back === one} onClick={() => setBack(one)}>
              {t(one ? 'ask.yes' : 'ask.no')}
            </button>
          ))}
        </div>
      </fieldset>
      {!mine && <TextInput label={t('dialog.reason')} required maxLength={300} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />}
    </Sheet>
  );
}

/** Record that points were tried and no energy is left. */
export function Tried({ file, points, close }: Form & { points: PointView[] }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState(points.map((one) => one.id));
  const [method, setMethod] = useState('');
  return (
    <Sheet
      title={t('isolation.try')}
      note={t('isolation.try_note')}
      verb="isolation.zero_energy"
      body={() => ({ permit_id: file.id, points: chosen, method: method.trim() })}
      ready={chosen.length > 0 && Boolean(method.trim())}
      confirm={t('isolation.try_do', { count: chosen.length })}
      close={close}
    >
      <MultiSelect label={t('isolation.points')} searchable data={points.map((one) => ({ value: one.id, label: told(one) }))} value={chosen} onChange={setChosen} />
      <TextInput label={t('isolation.method')} description={t('isolation.method_note')} required maxLength={NAME} value={method} onChange={(event) => setMethod(event.currentTarget.value)} />
    </Sheet>
  );
}

/** Say that energy is left at points called isolated: it counts at once. */
export function FoundEnergy({ file, points, close }: Form & { points: PointView[] }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState(points.length === 1 ? [points[0]!.id] : []);
  const [note, setNote] = useState('');
  return (
    <Sheet
      title={t('isolation.found')}
      note={t('isolation.found_note')}
      verb="isolation.energy_found"
      body={() => ({ permit_id: file.id, points: chosen, note: note.trim() })}
      ready={chosen.length > 0}
      warn
      confirm={t('isolation.found')}
      close={close}
    >
      <MultiSelect label={t('isolation.points')} searchable data={points.map((one) => ({ value: one.id, label: told(one) }))} value={chosen} onChange={setChosen} />
      <TextInput label={t('isolation.note')} maxLength={300} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
    </Sheet>
  );
}
