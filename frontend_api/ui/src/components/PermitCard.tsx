import {
  IconBan,
  IconCalendar,
  IconCircleCheck,
  IconCircleDashed,
  IconClockExclamation,
  IconHourglass,
  IconFileText,
  IconLock,
  IconPlayerPause,
  IconPlayerPlay,
  IconReplace,
  IconShieldCheck,
  IconSignature,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSection, useSite } from '../api/hooks';
import type { HoldView, PermitView } from '../api/schema';
import { useMay } from '../api/session';
import { store } from '../api/store';
import { clock, span } from '../app/format';
import { named } from '../app/gas';
import { useWords } from '../i18n';
import { ReasonDialog } from './ReasonDialog';
import { Refused } from './Bits';
import { useAct } from './useAct';

const STATUS_ICON = {
  active: IconShieldCheck,
  held: IconPlayerPause,
  verifying: IconHourglass,
  expired: IconClockExclamation,
  closed: IconLock,
  booked: IconCalendar,
  applied: IconFileText,
  analysed: IconSignature,
  approved: IconSignature,
  briefed: IconPlayerPlay,
  completed: IconCircleCheck,
  accepted: IconCircleCheck,
  cancelled: IconBan,
  rejected: IconBan,
  withdrawn: IconBan,
  superseded: IconReplace,
} as const;

export function PermitStatus({ status }: { status: string }) {
  const { t } = useWords();
  const Icon = STATUS_ICON[status as keyof typeof STATUS_ICON] ?? IconHourglass;
  return (
    <span className={`status ${status}`}>
      <Icon size={16} aria-hidden />
      {t(`permit.${status}`)}
    </span>
  );
}

export function PermitCard({ permit }: { permit: PermitView }) {
  const { t, say } = useWords();
  const site = useSite();
  const people = useSection('people');
  useBeat(10_000);
  const zone = say(site?.zones.find((one) => one.id === permit.zone_id)?.names);
  const name = (id: string) => people[id]?.name ?? id;
  const left = permit.valid_until_ms - store.now();
  return (
    <article className={`permit ${permit.status}`} aria-label={permit.title}>
      <div className="permit-head">
        <div>
          <h3>{permit.title}</h3>
          <p>
            {say(permit.kind_names)} · {zone}
          </p>
        </div>
        <PermitStatus status={permit.status} />
      </div>
      {permit.holds.map((hold) => (
        <Hold key={hold.id} hold={hold} zone={site?.time_zone ?? 'UTC'} />
      ))}
      <dl className="facts">
        <div>
          <dt>{t('permit.workers')}</dt>
          <dd>{permit.workers.map(name).join(t('list.comma')) || '—'}</dd>
        </div>
        <div>
          <dt>{t('permit.guardian')}</dt>
          <dd>{permit.guardian_id ? name(permit.guardian_id) : '—'}</dd>
        </div>
        <div>
          <dt>{t('permit.supervisor')}</dt>
          <dd>{name(permit.supervisor_id)}</dd>
        </div>
        <div>
          <dt>{t('permit.left')}</dt>
          <dd>{left > 0 ? span(left, t) : t('permit.over')}</dd>
        </div>
      </dl>
      <PermitActs permit={permit} />
    </article>
  );
}

function Hold({ hold, zone }: { hold: HoldView; zone: string }) {
  const { t, say } = useWords();
  const site = useSite();
  return (
    <div className="hold">
      <p className="hold-why">
        <IconPlayerPause size={18} aria-hidden />
        <b>{say(hold.text)}</b>
        <span>
          {clock(hold.since_ms, zone)} · {say(hold.source_name)}
        </span>
      </p>
      <p className="demand-title">{t('permit.demands')}</p>
      <ul className="demands">
        {hold.demands.map((demand, i) => {
          const gas = hold.retest[i];
          const met = gas !== undefined && hold.tests.some((test) => test.quantity === gas && test.passed);
          const Icon = met ? IconCircleCheck : IconCircleDashed;
          return (
            <li key={say(demand)} className={met ? 'met' : ''}>
              <Icon size={18} aria-label={met ? t('proof.confirmed') : t('proof.pending')} />
              {say(demand)}
              {gas && site && <LastTest hold={hold} gas={gas} unit={named(site.quantities, gas)?.unit ?? ''} />}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function LastTest({ hold, gas, unit }: { hold: HoldView; gas: string; unit: string }) {
  const test = hold.tests.filter((one) => one.quantity === gas).at(-1);
  if (!test) return null;
  return (
    <small>
      {test.value ?? '—'} {unit}
    </small>
  );
}

type Asking = 'hold' | 'release' | null;

function PermitActs({ permit }: { permit: PermitView }) {
  const { t } = useWords();
  const may = useMay();
  const { ask, busy, problem, clear } = useAct();
  const [asking, setAsking] = useState<Asking>(null);
  const id = permit.id;
  const open = permit.status !== 'closed';
  const held = permit.holds.length > 0;
  const answer = async (reason: string) => {
    const done =
      asking === 'hold'
        ? await ask('permit.hold', { permit_id: id, reason })
        : await ask('permit.release', { permit_id: id, reason }, permit.version);
    if (done) setAsking(null);
  };
  if (!open) return null;
  return (
    <>
      <div className="acts">
        {held && may('permit.retest') && (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('permit.retest', { permit_id: id })}>
            {t('permit.retest')}
          </button>
        )}
        {held && may('permit.release') && (
          <button type="button" className="btn primary" onClick={() => { clear(); setAsking('release'); }}>
            {t('permit.release')}
          </button>
        )}
        {may('permit.hold') && (
          <button type="button" className="btn warn" onClick={() => { clear(); setAsking('hold'); }}>
            {t('permit.hold')}
          </button>
        )}
        {may('permit.close') && (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('permit.close', { permit_id: id }, permit.version)}>
            {t('permit.close')}
          </button>
        )}
      </div>
      {held && !may('permit.release') && <p className="note">{t('permit.no_release')}</p>}
      {!asking && <Refused problem={problem} />}
      <ReasonDialog
        open={asking !== null}
        title={asking === 'hold' ? t('permit.hold_title') : t('permit.release_title')}
        note={asking === 'hold' ? t('permit.hold_note') : t('permit.release_note')}
        confirm={asking === 'hold' ? t('permit.hold') : t('permit.release')}
        warn={asking === 'hold'}
        busy={busy}
        problem={problem}
        close={() => { setAsking(null); clear(); }}
        answer={(reason) => void answer(reason)}
      />
    </>
  );
}
