import {
  IconAlertOctagon,
  IconBellRinging,
  IconBuildingBroadcastTower,
  IconCheck,
  IconClock,
  IconMessage,
  IconPlayerPause,
  IconRun,
  IconWindmill,
  IconX,
} from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { Link as Anchor } from 'wouter';
import { useAlarms, useBeat, useSection } from '../api/hooks';
import type { AlarmView, DoneView } from '../api/schema';
import { useMay } from '../api/session';
import { quiet, store } from '../api/store';
import { figure, span } from '../app/format';
import { useWords } from '../i18n';
import { FirstWords, Mark, Refused } from './Bits';
import { useAct } from './useAct';

const DONE_ICONS: Record<string, typeof IconRun> = {
  siren: IconBuildingBroadcastTower,
  voice: IconBuildingBroadcastTower,
  strobe: IconBellRinging,
  fan: IconWindmill,
  evacuation: IconRun,
  permits: IconPlayerPause,
  notices: IconMessage,
};

/** Most urgent first: unacknowledged before acknowledged, active before returned. */
export function ranked(alarms: Record<string, AlarmView>): AlarmView[] {
  return Object.values(alarms).sort(
    (a, b) =>
      Number(a.acknowledged) - Number(b.acknowledged) ||
      Number(b.active) - Number(a.active) ||
      a.priority - b.priority ||
      b.raised_ms - a.raised_ms,
  );
}

export const LEVEL = ['', 'critical', 'major', 'minor', 'info'] as const;

/** Value against limit, as the reading stood when the alarm came, and as it is now. */
export function useMeasured(alarm: AlarmView): { value: string; limit: string } | null {
  const { value, limit, unit } = alarm.params as Record<string, number | string | undefined>;
  if (value === undefined) return null;
  const live = alarm.source.startsWith('entity:') ? store.live[alarm.source.slice(7)] : undefined;
  const now = live && live[1] <= 1 && typeof live[0] === 'number' ? live[0] : value;
  return {
    value: `${figure(now)} ${unit ?? ''}`,
    limit: limit === undefined ? '' : `${figure(limit)} ${unit ?? ''}`,
  };
}

export function AlarmBanner() {
  const alarms = ranked(useAlarms());
  const first = alarms.find((alarm) => alarm.priority <= 2 && !quiet(alarm) && (alarm.active || !alarm.acknowledged));
  if (!first) return null;
  return <Banner key={first.id} alarm={first} more={alarms.length - 1} />;
}

function Banner({ alarm, more }: { alarm: AlarmView; more: number }) {
  const { t, say } = useWords();
  useBeat();
  const people = Object.values(useSection('people'));
  const inside = people.filter((one) => one.zone_id && one.zone_id === alarm.zone_id);
  const measured = useMeasured(alarm);
  const responses = useSection('responses');
  const done = responses[alarm.id]?.done ?? [];
  const level = LEVEL[alarm.priority] ?? 'info';
  const state = alarm.acknowledged ? 'seen' : 'new';
  return (
    <section className={`banner ${level} ${state}`} aria-labelledby={`alarm-${alarm.id}`}>
      <Spoken alarm={alarm} />
      <FirstWords said={alarm.first} />
      <div className="banner-icon" aria-hidden>
        <IconAlertOctagon size={34} stroke={1.8} />
      </div>
      <div className="banner-what">
        <h2 id={`alarm-${alarm.id}`}>
          {say(alarm.title)} <Mark mark={alarm.mark} />
        </h2>
        <p className="banner-value">
          {measured && (
            <>
              <b>{measured.value}</b>
              {measured.limit && <span>{t('alarm.limit', { limit: measured.limit })}</span>}
            </>
          )}
          <span>{say(alarm.source_name)}</span>
          <span>
            <IconClock size={16} aria-hidden />
            {t('alarm.since', { span: span(store.now() - alarm.raised_ms, t) })}
          </span>
          {!alarm.active && <span>{t('alarm.returned')}</span>}
        </p>
        <Inside names={inside.map((one) => one.name)} />
      </div>
      <Done done={done} />
      <Answers alarm={alarm} more={more} />
    </section>
  );
}

/** Spoken once per alarm: a screen reader must not repeat it each second. */
function Spoken({ alarm }: { alarm: AlarmView }) {
  const { say } = useWords();
  const first = useRef(`${alarm.first ? say(alarm.first) : ''} ${say(alarm.title)}. ${say(alarm.detail)}`);
  return (
    <p className="hidden" role="alert">
      {first.current}
    </p>
  );
}

function Inside({ names }: { names: string[] }) {
  const { t } = useWords();
  return (
    <p className="banner-inside">
      {names.length ? (
        <>
          <b>{t('alarm.inside', { count: names.length })}</b> {names.join(t('list.comma'))}
        </>
      ) : (
        t('alarm.nobody')
      )}
    </p>
  );
}

export function Done({ done }: { done: DoneView[] }) {
  const { t, say } = useWords();
  if (!done.length) return null;
  return (
    <ul className="done" aria-label={t('alarm.done')}>
      {done.map((one) => {
        const Icon = DONE_ICONS[one.what] ?? IconCheck;
        const Proof = one.state === 'confirmed' ? IconCheck : one.state === 'failed' ? IconX : IconClock;
        return (
          <li key={one.what + say(one.text)} className={one.state}>
            <Icon size={16} aria-hidden />
            {say(one.text)}
            <Proof size={15} stroke={2.6} aria-label={t(`proof.${one.state}`)} />
          </li>
        );
      })}
    </ul>
  );
}

function Answers({ alarm, more }: { alarm: AlarmView; more: number }) {
  const { t } = useWords();
  const may = useMay();
  const { ask, busy, problem } = useAct();
  const people = useSection('people');
  const evacuating = Object.values(useSection('evacuations')).some((one) => !one.cleared_ms);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest('input,textarea,select,[role=dialog]');
      if (event.key === 'a' && !typing && !event.ctrlKey && !event.metaKey) button.current?.focus();
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  return (
    <div className="banner-acts">
      {alarm.acknowledged ? (
        <span className="seen-by">
          <IconCheck size={18} aria-hidden />
          {t('alarm.seen_by', { name: people[alarm.acknowledged_by]?.name ?? alarm.acknowledged_by })}
        </span>
      ) : (
        may('alarm.acknowledge') && (
          <button
            ref={button}
            type="button"
            className="btn on-red"
            disabled={busy}
            onClick={() => void ask('alarm.acknowledge', { alarm_id: alarm.id }, alarm.count)}
          >
            {t('alarm.acknowledge')}
          </button>
        )
      )}
      {evacuating && (
        <Anchor href="/muster" className="btn ghost-red">
          {t('alarm.muster')}
        </Anchor>
      )}
      {more > 0 && (
        <Anchor href="/alarms" className="more">
          {t('alarm.more', { count: more })}
        </Anchor>
      )}
      <Refused problem={problem} />
    </div>
  );
}
