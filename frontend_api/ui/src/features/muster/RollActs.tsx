import { Modal, NumberInput, Select, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useSection, useSite } from '../../api/hooks';
import type { EvacuationView, RollView } from '../../api/schema';
import { useMay } from '../../api/session';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import type { Tick } from './RollLine';

function Sheet(props: { title: string; close: () => void; go: string; ready: boolean; act: () => void; children: ReactNode }) {
  const { t } = useWords();
  return (
    <Modal opened onClose={props.close} title={props.title} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <form
        className="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          props.act();
        }}
      >
        {props.children}
        <div className="acts">
          <button type="button" className="btn" onClick={props.close}>
            {t('dialog.cancel')}
          </button>
          <button type="submit" className="btn primary" disabled={!props.ready}>
            {props.go}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** Count a group of whom nobody knows the names. */
export function GroupDialog({ line, tick, close }: { line: RollView; tick: Tick; close: () => void }) {
  const { t, say } = useWords();
  const [count, setCount] = useState(line.count);
  return (
    <Sheet
      title={say(line.names)}
      close={close}
      go={t('roll.tick')}
      ready={count > 0}
      act={() => {
        tick(line, 'accounted', count);
        close();
      }}
    >
      <NumberInput hideControls label={t('roll.how_many', { count: line.count })} min={1} max={line.count} value={count} onChange={(value) => setCount(Number(value) || 0)} />
    </Sheet>
  );
}

/** Rescue is taken over by name: only so may an all-clear come before they are back. */
export function RescueDialog({ line, tick, close }: { line: RollView; tick: Tick; close: () => void }) {
  const { t, say } = useWords();
  const people = Object.values(useSection('people'));
  const [rescuer, setRescuer] = useState<string | null>(null);
  return (
    <Sheet
      title={t('roll.rescue_title', { name: say(line.names) })}
      close={close}
      go={t('roll.rescue_act')}
      ready={!!rescuer}
      act={() => {
        tick(line, 'rescue', 0, rescuer ?? '');
        close();
      }}
    >
      <p className="note">{t('roll.rescue_note')}</p>
      <Select label={t('roll.rescuer')} searchable data={people.map((one) => ({ value: one.id, label: one.name }))} value={rescuer} onChange={setRescuer} />
    </Sheet>
  );
}

/** Somebody who is here and on no list, or said to be missing. */
export function AddDialog({ evacuation }: { evacuation: EvacuationView }) {
  const { t } = useWords();
  const people = Object.values(useSection('people'));
  const on = new Set(evacuation.roll.map((line) => line.person_id));
  const [open, setOpen] = useState(false);
  const [person, setPerson] = useState<string | null>(null);
  const [badge, setBadge] = useState('');
  const [count, setCount] = useState(1);
  const { ask, busy, problem } = useAct();
  const add = () =>
    ask('roll.add', { evacuation_id: evacuation.id, person_id: person ?? '', badge: person ? '' : badge.trim(), count, zone_id: '' }).then((done) => {
      if (done) setOpen(false);
    });
  return (
    <>
      <button type="button" className="btn" onClick={() => setOpen(true)}>
        {t('roll.add')}
      </button>
      {open && (
        <Sheet title={t('roll.add')} close={() => setOpen(false)} go={t('roll.add')} ready={!busy && (!!person || !!badge.trim())} act={() => void add()}>
          <Select
            label={t('roll.person')}
            searchable
            clearable
            data={people.filter((one) => !on.has(one.id)).map((one) => ({ value: one.id, label: one.name }))}
            value={person}
            onChange={setPerson}
          />
          {!person && (
            <>
              <TextInput label={t('visitor.badge')} maxLength={40} value={badge} onChange={(event) => setBadge(event.currentTarget.value)} />
              <NumberInput hideControls label={t('visitor.count')} min={1} max={999} value={count} onChange={(value) => setCount(Number(value) || 1)} />
            </>
          )}
          <Refused problem={problem} />
        </Sheet>
      )}
    </>
  );
}

export function EndDrill({ id }: { id: string }) {
  const { t } = useWords();
  const may = useMay();
  const { ask, busy, problem } = useAct();
  if (!may('drill.end')) return null;
  return (
    <div className="acts">
      <Refused problem={problem} />
      <button type="button" className="btn" disabled={busy} onClick={() => void ask('drill.end', { evacuation_id: id })}>
        {t('drill.end')}
      </button>
    </div>
  );
}

/** The all-clear: a second tap, and what it does not do. */
export function ClearPart({ evacuation }: { evacuation: EvacuationView }) {
  const { t } = useWords();
  const may = useMay();
  const [confirming, setConfirming] = useState(false);
  const { ask, busy, problem } = useAct();
  return (
    <>
      <Refused problem={problem} />
      <div className="acts">
        {may('evacuation.retest') && <RetestDialog evacuation={evacuation} />}
        {may('evacuation.clear') && !confirming && (
          <button type="button" className="btn" onClick={() => setConfirming(true)}>
            {t('muster.clear')}
          </button>
        )}
        {confirming && (
          <>
            <p className="note">{t('muster.clear_note')}</p>
            <button type="button" className="btn" onClick={() => setConfirming(false)}>
              {t('dialog.cancel')}
            </button>
            <button
              type="button"
              className="btn primary"
              disabled={busy}
              onClick={() => void ask('evacuation.clear', { evacuation_id: evacuation.id }).then(() => setConfirming(false))}
            >
              {t('muster.clear_yes')}
            </button>
          </>
        )}
      </div>
    </>
  );
}

/** A portable meter's figures, gas by gas, with the instrument that measured them. */
function RetestDialog({ evacuation }: { evacuation: EvacuationView }) {
  const { t, say } = useWords();
  const site = useSite();
  const [open, setOpen] = useState(false);
  const [zone, setZone] = useState<string | null>(evacuation.zones[0] ?? null);
  const [instrument, setInstrument] = useState('');
  const [values, setValues] = useState<Record<string, number | string>>({});
  const { ask, busy, problem } = useAct();
  const gases = (site?.quantities ?? []).filter((one) => one.gas_class);
  const samples = gases
    .filter((one) => typeof values[one.id] === 'number')
    .map((one) => ({ gas: one.id, value: values[one.id] as number, unit: one.unit, instrument: instrument.trim(), entity_id: '' }));
  const send = () =>
    ask('evacuation.retest', { evacuation_id: evacuation.id, zone_id: zone ?? '', samples }).then((done) => {
      if (done) setOpen(false);
    });
  return (
    <>
      <button type="button" className="btn" onClick={() => setOpen(true)}>
        {t('retest.title')}
      </button>
      {open && (
        <Sheet title={t('retest.title')} close={() => setOpen(false)} go={t('retest.save')} ready={!busy && !!zone && !!samples.length && !!instrument.trim()} act={() => void send()}>
          <Select
            label={t('permit.zone')}
            data={(site?.zones ?? []).filter((one) => evacuation.zones.includes(one.id)).map((one) => ({ value: one.id, label: say(one.names) }))}
            value={zone}
            onChange={setZone}
          />
          <TextInput label={t('retest.instrument')} value={instrument} onChange={(event) => setInstrument(event.currentTarget.value)} />
          {gases.map((one) => (
            <NumberInput
              hideControls
              key={one.id}
              label={`${say(one.names)} (${one.unit})`}
              value={values[one.id] ?? ''}
              onChange={(value) => setValues({ ...values, [one.id]: value })}
            />
          ))}
          <Refused problem={problem} />
        </Sheet>
      )}
    </>
  );
}
