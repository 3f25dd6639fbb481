import { IconAmbulance, IconCheck, IconMapPin, IconRadar2, IconUserQuestion } from '@tabler/icons-react';
import { useBeat, useSection, useSite } from '../api/hooks';
import type { EvacuationView, PersonView, RollView } from '../api/schema';
import { useMay } from '../api/session';
import { store } from '../api/store';
import { clock, span } from '../app/format';
import { useWords } from '../i18n';
import { Card, Mark, Refused } from './Bits';
import { roleOf, RoleMark } from './roles';
import { useAct } from './useAct';

const ORDER = ['rescue', 'missing', 'device_seen', 'accounted'];

/** The missing stand first, the late before them. */
export function called(roll: RollView[]): RollView[] {
  const rank = (line: RollView) => (line.late && line.status !== 'accounted' ? -1 : ORDER.indexOf(line.status));
  return roll.slice().sort((a, b) => rank(a) - rank(b));
}

export function MusterCard({ evacuation }: { evacuation: EvacuationView }) {
  const { t, say } = useWords();
  const site = useSite();
  const may = useMay();
  const people = useSection('people');
  const { ask, busy, problem } = useAct();
  useBeat();
  const zone = (id: string | null) =>
    id ? say([...(site?.zones ?? []), ...(site?.muster_points ?? [])].find((one) => one.id === id)?.names) || id : t('muster.unknown');
  const safe = evacuation.roll.filter((line) => line.status === 'accounted').length;
  const left = evacuation.late_ms - store.now();
  const running = !evacuation.cleared_ms;
  const timer = left > 0 ? t('muster.left', { span: span(left, t) }) : t('muster.late', { span: span(-left, t) });
  return (
    <Card
      className={`muster ${running ? 'running' : ''}`}
      title={
        <>
          {t('muster.title')} · {evacuation.zones.map(zone).join(t('list.comma'))} <Mark mark={evacuation.mark} />
        </>
      }
    >
      <div className="muster-sum">
        <p>
          <b>{safe}</b>
          <span>/ {evacuation.roll.length}</span> {t('muster.accounted')}
        </p>
        <div className="progress" role="progressbar" aria-valuenow={safe} aria-valuemin={0} aria-valuemax={evacuation.roll.length} aria-label={t('muster.accounted')}>
          <span style={{ width: `${(100 * safe) / Math.max(1, evacuation.roll.length)}%` }} />
        </div>
        {running && evacuation.late_ms > 0 && <p className={left > 0 ? 'timer' : 'timer late'}>{timer}</p>}
        {!running && <p className="timer">{t(evacuation.drill ? 'drill.ended' : 'muster.cleared', { name: people[evacuation.cleared_by]?.name ?? '', at: clock(evacuation.cleared_ms, site?.time_zone ?? 'UTC') })}</p>}
      </div>
      <ul className="roll">
        {called(evacuation.roll).map((line) => (
          <Line
            key={line.person_id}
            line={line}
            person={people[line.person_id]}
            by={people[line.by]?.name ?? line.by}
            place={zone(people[line.person_id]?.zone_id || line.zone_id)}
            at={line.at_ms ? clock(line.at_ms, site?.time_zone ?? 'UTC', true) : ''}
            tick={
              running && may('person.account')
                ? (status) => void ask('person.account', { evacuation_id: evacuation.id, person_id: line.person_id, status })
                : undefined
            }
            busy={busy}
          />
        ))}
      </ul>
      <Refused problem={problem} />
    </Card>
  );
}

const STATUS_ICON = {
  missing: IconUserQuestion,
  device_seen: IconRadar2,
  accounted: IconCheck,
  rescue: IconAmbulance,
} as const;

function Line(props: {
  line: RollView;
  person: PersonView | undefined;
  place: string;
  by: string;
  at: string;
  busy: boolean;
  tick: ((status: string) => void) | undefined;
}) {
  const { t, say } = useWords();
  const { line, person, tick } = props;
  const name = say(line.names);
  const Icon = STATUS_ICON[line.status as keyof typeof STATUS_ICON] ?? IconUserQuestion;
  const done = line.status === 'accounted';
  return (
    <li className={`${line.status} ${line.late ? 'late' : ''}`}>
      <RoleMark role={roleOf(person?.roles ?? [])} letter={name.slice(0, 1)} size={32} />
      <div className="who">
        <b>{name}</b>
        <span className="roll-state">
          <Icon size={16} aria-hidden />
          {t(`roll.${line.status}`)}
          {done && props.by ? ` · ${props.by} ${props.at}` : ''}
          {!done && line.late ? ` · ${t('roll.late')}` : ''}
        </span>
        {!done && (
          <span>
            <IconMapPin size={15} aria-hidden />
            {line.certain ? t('roll.at', { place: props.place }) : t('roll.last', { place: props.place })}
          </span>
        )}
      </div>
      {tick && !done && line.count === 1 && (
        <button type="button" className="btn tick" disabled={props.busy} aria-label={t('roll.tick_name', { name })} onClick={() => tick('accounted')}>
          <IconCheck size={22} stroke={2.4} aria-hidden />
          <span>{t('roll.tick')}</span>
        </button>
      )}
    </li>
  );
}
