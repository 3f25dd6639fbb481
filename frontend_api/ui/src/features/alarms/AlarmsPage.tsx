import { IconAlertOctagon, IconAlertTriangle, IconBellOff, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useAlarms, useBeat, useSection, useSite } from '../../api/hooks';
import type { AlarmView } from '../../api/schema';
import { useMay } from '../../api/session';
import { store } from '../../api/store';
import { clock, span } from '../../app/format';
import { Done, LEVEL, ranked, useMeasured } from '../../components/AlarmBanner';
import { Empty, Mark, Refused } from '../../components/Bits';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

const ICONS = { critical: IconAlertOctagon, major: IconAlertTriangle, minor: IconAlertTriangle, info: IconInfoCircle };

export function AlarmsPage() {
  const { t } = useWords();
  const alarms = ranked(useAlarms());
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('nav.alarms')}</h2>
      </div>
      <div className="cards one">
        {alarms.map((alarm) => (
          <AlarmRow key={alarm.id} alarm={alarm} />
        ))}
        {!alarms.length && <Empty icon={<IconBellOff size={32} aria-hidden />}>{t('alarms.none')}</Empty>}
      </div>
    </div>
  );
}

function AlarmRow({ alarm }: { alarm: AlarmView }) {
  const { t, say } = useWords();
  useBeat();
  const site = useSite();
  const people = useSection('people');
  const done = useSection('responses')[alarm.id]?.done ?? [];
  const measured = useMeasured(alarm);
  const level = (LEVEL[alarm.priority] || 'info') as keyof typeof ICONS;
  const Icon = ICONS[level];
  const states = [
    alarm.active ? t('alarm.active') : t('alarm.returned'),
    alarm.acknowledged ? t('alarm.seen_by', { name: people[alarm.acknowledged_by]?.name ?? '' }) : t('alarm.unseen'),
    ...(alarm.latched ? [t('alarm.latched')] : []),
    ...(alarm.shelved ? [t('alarm.shelved')] : []),
    ...(alarm.out_of_service ? [t('alarm.out')] : []),
    ...(alarm.count > 1 ? [t('alarm.count', { count: alarm.count })] : []),
  ];
  return (
    <article className={`alarm-row ${level} ${alarm.acknowledged ? 'seen' : 'new'}`}>
      <Icon size={26} aria-label={t(`level.${level}`)} />
      <div>
        <h3>
          {say(alarm.title)} <Mark mark={alarm.mark} />
        </h3>
        <p>
          {measured && <b>{measured.value}</b>} {measured?.limit && t('alarm.limit', { limit: measured.limit })} {say(alarm.source_name)}
        </p>
        <p className="quiet">
          {clock(alarm.raised_ms, site?.time_zone ?? 'UTC', true)} · {span(store.now() - alarm.raised_ms, t)} · {states.join(' · ')}
        </p>
        <Done done={done} />
        <RowActs alarm={alarm} />
      </div>
    </article>
  );
}

function RowActs({ alarm }: { alarm: AlarmView }) {
  const { t } = useWords();
  const may = useMay();
  const [resetting, setResetting] = useState(false);
  const { ask, busy, problem, clear } = useAct();
  const person = ['sos', 'fall'].includes(alarm.kind) && alarm.source.startsWith('person:') ? alarm.source.slice(7) : '';
  const reset = async (reason: string) => {
    if (await ask('alarm.reset', { alarm_id: alarm.id, reason })) setResetting(false);
  };
  return (
    <>
      <div className="acts">
        {!alarm.acknowledged && may('alarm.acknowledge') && (
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
          <button type="button" className="btn" onClick={() => { clear(); setResetting(true); }}>
            {t('alarm.reset')}
          </button>
        )}
      </div>
      {!resetting && <Refused problem={problem} />}
      <ReasonDialog open={resetting} title={t('alarm.reset')} note={t('alarm.reset_note')} confirm={t('alarm.reset')} busy={busy} problem={problem} close={() => setResetting(false)} answer={(reason) => void reset(reason)} />
    </>
  );
}
