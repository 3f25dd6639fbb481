import { IconAlertOctagon, IconAlertTriangle, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { AlarmView } from '../../api/schema';
import { useMay } from '../../api/session';
import { store } from '../../api/store';
import { clock, moment, span } from '../../app/format';
import { Done, LEVEL, useMeasured } from '../../components/AlarmBanner';
import { Mark, Refused } from '../../components/Bits';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { PutByDialog } from './PutByDialog';
import { Verdict } from './Verdicts';

const ICONS = { critical: IconAlertOctagon, major: IconAlertTriangle, minor: IconAlertTriangle, info: IconInfoCircle };

export function AlarmRow({ alarm }: { alarm: AlarmView }) {
  const { t, say } = useWords();
  useBeat();
  const site = useSite();
  const done = useSection('responses')[alarm.id]?.done ?? [];
  const measured = useMeasured(alarm);
  const level = (LEVEL[alarm.priority] || 'info') as keyof typeof ICONS;
  const Icon = ICONS[level];
  const states = useStates(alarm);
  return (
    <article className={`alarm-row ${level} ${alarm.acknowledged ? 'seen' : 'new'}`} data-alarm={alarm.id}>
      <Icon size={26} aria-label={t(`level.${level}`)} />
      <div>
        <h3>
          {say(alarm.title)} <Mark mark={alarm.mark} />
          {alarm.life_safety && <span className="life">{t('alarm.life')}</span>}
        </h3>
        <p>
          {measured && <b>{measured.value}</b>} {measured?.limit && t('alarm.limit', { limit: measured.limit })} {say(alarm.source_name)}
        </p>
        {!measured && <p>{say(alarm.detail)}</p>}
        <p className="quiet">
          {clock(alarm.raised_ms, site?.time_zone ?? 'UTC', true)} · {span(store.now() - alarm.raised_ms, t)} · {states.join(' · ')}
        </p>
        <PutBy alarm={alarm} />
        <Done done={done} />
        <RowActs alarm={alarm} />
      </div>
    </article>
  );
}

function useStates(alarm: AlarmView): string[] {
  const { t } = useWords();
  const people = useSection('people');
  return [
    alarm.active ? t('alarm.active') : t('alarm.returned'),
    alarm.acknowledged ? t('alarm.seen_by', { name: people[alarm.acknowledged_by]?.name ?? '' }) : t('alarm.unseen'),
    ...(alarm.latched ? [t('alarm.latched')] : []),
    ...(alarm.suppressed ? [t('alarm.suppressed')] : []),
    ...(alarm.count > 1 ? [t('alarm.count', { count: alarm.count })] : []),
    ...(alarm.verdict ? [t(`verdict.${alarm.verdict}`)] : []),
  ];
}

/** Who put an alarm by, why, and until when: never hidden, never without an end. */
function PutBy({ alarm }: { alarm: AlarmView }) {
  const { t } = useWords();
  const site = useSite();
  const people = useSection('people');
  if (!alarm.shelved && !alarm.out_of_service) return null;
  return (
    <p className="put-by">
      <b>{alarm.shelved ? t('alarm.shelved') : t('alarm.out')}</b> {people[alarm.put_by_id]?.name ?? alarm.put_by_id} · {alarm.put_reason}
      {alarm.put_until_ms > 0 && <> · {t('put.until', { at: moment(alarm.put_until_ms, site?.time_zone ?? 'UTC') })}</>}
    </p>
  );
}

function RowActs({ alarm }: { alarm: AlarmView }) {
  const { t } = useWords();
  const may = useMay();
  const [asking, setAsking] = useState<'' | 'reset' | 'put'>('');
  const { ask, busy, problem, clear } = useAct();
  const person = ['sos', 'fall'].includes(alarm.kind) && alarm.source.startsWith('person:') ? alarm.source.slice(7) : '';
  const open = (what: 'reset' | 'put') => {
    clear();
    setAsking(what);
  };
  const reset = async (reason: string) => {
    if (await ask('alarm.reset', { alarm_id: alarm.id, reason })) setAsking('');
  };
  return (
    <>
      <div className="acts">
        {!alarm.acknowledged && !alarm.suppressed && may('alarm.acknowledge') && (
          <button type="button" className="btn primary" disabled={busy} onClick={() => void ask('alarm.acknowledge', { alarm_id: alarm.id }, alarm.count)}>
            <IconCheck size={18} aria-hidden />
            {t('alarm.acknowledge')}
          </button>
        )}
        {person && may('person.safe') && (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('person.safe', { person_id: person })}>
            {t('alarm.safe')}
          </button>
        )}
        {alarm.latched && may('alarm.reset') && (
          <button type="button" className="btn" onClick={() => open('reset')}>
            {t('alarm.reset')}
          </button>
        )}
        <PutActs alarm={alarm} busy={busy} open={() => open('put')} back={(verb) => void ask(verb, { alarm_id: alarm.id })} />
        {!alarm.mark && !alarm.active && <Verdict alarm={alarm} />}
      </div>
      {!asking && <Refused problem={problem} />}
      <ReasonDialog open={asking === 'reset'} title={t('alarm.reset')} note={t('alarm.reset_note')} confirm={t('alarm.reset')} busy={busy} problem={problem} close={() => setAsking('')} answer={(reason) => void reset(reason)} />
      {asking === 'put' && <PutByDialog alarm={alarm} close={() => setAsking('')} />}
    </>
  );
}

function PutActs(props: { alarm: AlarmView; busy: boolean; open: () => void; back: (verb: 'alarm.unshelve' | 'alarm.in_service') => void }) {
  const { t } = useWords();
  const may = useMay();
  const { alarm } = props;
  if (alarm.life_safety || alarm.mark) return null;
  if (alarm.shelved || alarm.out_of_service) {
    const verb = alarm.shelved ? 'alarm.unshelve' : 'alarm.in_service';
    return may(verb) ? (
      <button type="button" className="btn" disabled={props.busy} onClick={() => props.back(verb)}>
        {t('put.back')}
      </button>
    ) : null;
  }
  return may('alarm.shelve') || may('alarm.out_of_service') ? (
    <button type="button" className="btn" onClick={props.open}>
      {t('put.open')}
    </button>
  ) : null;
}
