import { IconAlertTriangle, IconBolt, IconBoltOff, IconCheck, IconLock, IconLockOpen, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useSite } from '../../api/hooks';
import type { LockView, PointView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { moment } from '../../app/format';
import { useWords } from '../../i18n';
import { FoundEnergy, LockOn, NewPoint, PlanPoints, TakeOff, Tried } from './IsolationForms';
import { ActButton, Fold, useNames, type Part } from './parts';

type Asking = { form: 'plan' | 'point' | 'tried' | 'energy' } | { form: 'lock'; point: PointView } | { form: 'off'; point: PointView; lock: LockView } | null;

/** Whether what cuts a point off was seen by a second person; the hub says the same. */
export const inForce = (point: PointView) => !point.energy && point.locks.some((lock) => !lock.personal && lock.verified_by);

/** Points that have to be cut off: locked, checked by a second person, tried, counted. */
export function IsolationPart(part: Part) {
  const { t } = useWords();
  const { file } = part;
  const may = useMay();
  const [asking, setAsking] = useState<Asking>(null);
  const planned = new Map(file.isolation.lines.map((line) => [line.point_id, line]));
  const points = file.isolation.points.filter((point) => planned.has(point.id) || point.locks.some((lock) => lock.permit_id === file.id));
  const locked = points.filter(inForce).length;
  const tried = file.isolation.lines.filter((line) => line.tried).length;
  const locks = points.flatMap((point) => point.locks).filter((lock) => lock.permit_id === file.id).length;
  const wanted = file.open.some((one) => one.facts.some((fact) => /isolation|zero_energy|lock_register|keys_in_box|upstream|plate/.test(fact.fact)));
  const close = () => {
    setAsking(null);
    part.done();
  };
  const form = { ...part, close };
  return (
    <Fold title={t('isolation.title')} note={points.length ? t('isolation.count', { locked, all: points.length }) : t('isolation.none_short')} open={wanted}>
      {points.length > 0 && (
        <dl className="counts">
          <div>
            <dt>{t('isolation.locked')}</dt>
            <dd>
              {locked} / {points.length}
            </dd>
          </div>
          <div>
            <dt>{t('isolation.tried')}</dt>
            <dd>
              {tried} / {points.length}
            </dd>
          </div>
          <div>
            <dt>{t('isolation.on')}</dt>
            <dd>{locks}</dd>
          </div>
        </dl>
      )}
      {!points.length && <p className="note">{t('isolation.none')}</p>}
      <ul className="iso">
        {points.map((point) => (
          <Point key={point.id} {...part} point={point} action={planned.get(point.id)?.action ?? ''} tried={planned.get(point.id)?.tried ?? false} lock={() => setAsking({ form: 'lock', point })} off={(lock) => setAsking({ form: 'off', point, lock })} />
        ))}
      </ul>
      {file.isolation.keys_out.length > 0 && <p className="late">{t('isolation.keys_out', { keys: file.isolation.keys_out.join(t('list.comma')) })}</p>}
      <div className="stack">
        {points.some((point) => inForce(point) && !planned.get(point.id)?.tried) && may('isolation.zero_energy') && (
          <button type="button" className="btn primary huge" onClick={() => setAsking({ form: 'tried' })}>
            <IconBoltOff size={24} aria-hidden />
            {t('isolation.try')}
          </button>
        )}
        {points.length > 0 && may('isolation.energy_found') && (
          <button type="button" className="btn warn huge" onClick={() => setAsking({ form: 'energy' })}>
            <IconBolt size={24} aria-hidden />
            {t('isolation.found')}
          </button>
        )}
        {may('isolation.plan') && (
          <button type="button" className={points.length ? 'btn huge' : 'btn primary huge'} onClick={() => setAsking({ form: 'plan' })}>
            {t('isolation.plan')}
          </button>
        )}
        {may('isolation.point') && (
          <button type="button" className="btn" onClick={() => setAsking({ form: 'point' })}>
            <IconPlus size={20} aria-hidden />
            {t('isolation.new')}
          </button>
        )}
      </div>
      {asking?.form === 'plan' && <PlanPoints {...form} />}
      {asking?.form === 'point' && <NewPoint {...form} />}
      {asking?.form === 'tried' && <Tried {...form} points={points.filter(inForce)} />}
      {asking?.form === 'energy' && <FoundEnergy {...form} points={points} />}
      {asking?.form === 'lock' && <LockOn {...form} point={asking.point} />}
      {asking?.form === 'off' && <TakeOff {...form} point={asking.point} lock={asking.lock} />}
    </Fold>
  );
}

function Point(props: Part & { point: PointView; action: string; tried: boolean; lock: () => void; off: (lock: LockView) => void }) {
  const { t } = useWords();
  const may = useMay();
  const { point, action, tried } = props;
  const state = point.energy ? 'energy' : !point.locks.some((lock) => !lock.personal) ? 'open' : !inForce(point) ? 'unseen' : tried ? 'tried' : 'forced';
  const Icon = state === 'energy' ? IconAlertTriangle : state === 'open' ? IconLockOpen : state === 'tried' ? IconBoltOff : IconLock;
  const where = [point.place, point.drawing && t('isolation.drawing_no', { no: point.drawing }), point.pipe && t('isolation.pipe_no', { no: point.pipe })].filter(Boolean).join(' · ');
  return (
    <li className={state}>
      <Icon size={26} aria-hidden />
      <div>
        <b>
          {point.id} · {point.equipment}
        </b>
        <span>
          {t(`isolation.kind.${point.kind}`)}
          {action && ` · ${t(`isolation.${action}`)}`}
          {where && ` · ${where}`}
        </span>
        <span className="iso-state">{t(`isolation.is.${state}`)}</span>
        <ul className="plain">
          {point.locks.map((lock) => (
            <Lock key={lock.lock_no} {...props} lock={lock} off={() => props.off(lock)} />
          ))}
        </ul>
        {may('isolation.apply') && (
          <button type="button" className="btn" onClick={props.lock}>
            <IconLock size={20} aria-hidden />
            {t(state === 'open' ? 'isolation.lock' : 'isolation.lock_more')}
          </button>
        )}
      </div>
    </li>
  );
}

function Lock({ file, done, point, lock, off }: Part & { point: PointView; lock: LockView; off: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const site = useSite();
  const session = useSession();
  const { name } = useNames();
  const ours = lock.permit_id === file.id;
  return (
    <li className="lock">
      <span>
        <b>{lock.lock_no}</b> {lock.personal ? t('isolation.personal_of', { name: name(lock.key_holder) }) : t('isolation.key_of', { name: name(lock.key_holder) })}
        {lock.box && ` · ${t('isolation.in_box', { box: lock.box })}`}
        {!ours && ` · ${t('isolation.other_permit')}`}
      </span>
      <small>
        {t('isolation.by', { name: name(lock.applied_by), at: moment(lock.at_ms, site?.time_zone ?? 'UTC') })}
        {lock.verified_by && ` · ${t('isolation.seen_by', { name: name(lock.verified_by) })}`}
      </small>
      {ours && (
        <div className="acts">
          {!lock.verified_by && !lock.personal && may('isolation.verify') && lock.applied_by !== session.person_id && (
            <ActButton verb="isolation.verify" body={{ permit_id: file.id, point_id: point.id, lock_no: lock.lock_no }} done={done} className="primary" label={t('isolation.check_name', { lock: lock.lock_no })}>
              <IconCheck size={22} aria-hidden />
              {t('isolation.check')}
            </ActButton>
          )}
          {may('isolation.remove') && (
            <button type="button" className="btn" aria-label={t('isolation.off_name', { lock: lock.lock_no })} onClick={off}>
              <IconLockOpen size={20} aria-hidden />
              {t('isolation.off')}
            </button>
          )}
        </div>
      )}
      {ours && !lock.verified_by && !lock.personal && lock.applied_by === session.person_id && <p className="note">{t('isolation.second')}</p>}
    </li>
  );
}
