import { IconCheck, IconFlag, IconFlagOff, IconRadar2, IconUserQuestion, IconWind } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSite } from '../../api/hooks';
import type { EvacuationView, RollView } from '../../api/schema';
import { useMay } from '../../api/session';
import { store } from '../../api/store';
import { span } from '../../app/format';
import { FirstWords, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { AddDialog, ClearPart, EndDrill } from './RollActs';
import { RollLine } from './RollLine';

const OUT = new Set(['accounted', 'rescue']);

/** Missing first, the late before them; then who was only seen by a device. */
export function sorted(roll: RollView[]): RollView[] {
  const rank = (line: RollView) => (line.status === 'missing' ? (line.late ? 0 : 1) : 2);
  return roll.filter((line) => !OUT.has(line.status)).sort((a, b) => rank(a) - rank(b) || a.seen_ms - b.seen_ms);
}

function heads(roll: RollView[], ...states: string[]): number {
  return roll.filter((line) => states.includes(line.status)).reduce((sum, line) => sum + line.count, 0);
}

export function usePlace() {
  const { t, say } = useWords();
  const site = useSite();
  return (id: string | null) =>
    id ? say([...(site?.zones ?? []), ...(site?.muster_points ?? [])].find((one) => one.id === id)?.names) || id : t('muster.unknown');
}

/** The whole roll call, made to be read at arm's length and tapped with a wet glove. */
export function RollCall({ evacuation }: { evacuation: EvacuationView }) {
  const { t, say } = useWords();
  const may = useMay();
  const place = usePlace();
  const { ask, busy, problem } = useAct();
  const [last, setLast] = useState<RollView | null>(null);
  const roll = evacuation.roll;
  const drill = evacuation.drill;
  const done = roll.filter((line) => OUT.has(line.status)).sort((a, b) => b.at_ms - a.at_ms);
  const set = (line: RollView, status: string, count = 0, rescuer = '') =>
    void ask('person.account', { evacuation_id: evacuation.id, person_id: line.person_id, status, count, rescuer }).then((ok) => {
      if (ok) setLast(status === 'missing' ? null : line);
    });
  const tick = may('person.account') ? set : undefined;
  return (
    <section className={`rollcall ${drill ? 'drill' : 'real'}`} aria-label={t('muster.title')}>
      {drill && (
        <div className="drill-banner" role="status">
          <b>{t('drill.banner')}</b>
          <span>{say(drill.names)}</span>
        </div>
      )}
      <FirstWords said={evacuation.first} />
      <h3 className="roll-zones">
        {evacuation.zones.map(place).join(t('list.comma'))} <small>{say(evacuation.text)}</small>
      </h3>
      <Counts roll={roll} late={evacuation.late_ms} />
      <Points evacuation={evacuation} />
      {drill && drill.attacks.length > 0 && (
        <ul className="attacks">
          {drill.attacks.map((one, number) => (
            <li key={number}>
              {t('mark.drill')} · {say(one.text)}
            </li>
          ))}
        </ul>
      )}
      <Refused problem={problem} />
      {last && tick && (
        <p className="undo" role="status">
          {t('roll.ticked', { name: say(last.names) })}
          <button type="button" className="btn" disabled={busy} onClick={() => set(last, 'missing')}>
            {t('roll.undo')}
          </button>
        </p>
      )}
      <ul className="roll big">
        {sorted(roll).map((line) => (
          <RollLine key={line.person_id} line={line} busy={busy} tick={tick} />
        ))}
      </ul>
      {may('roll.add') && <AddDialog evacuation={evacuation} />}
      <details className="roll-done">
        <summary>{t('roll.done', { count: heads(roll, 'accounted', 'rescue') })}</summary>
        <ul className="roll">
          {done.map((line) => (
            <RollLine key={line.person_id} line={line} busy={busy} tick={tick} />
          ))}
        </ul>
      </details>
      {drill ? <EndDrill id={evacuation.id} /> : <ClearPart evacuation={evacuation} />}
    </section>
  );
}

function Counts({ roll, late }: { roll: RollView[]; late: number }) {
  const { t } = useWords();
  useBeat();
  const all = heads(roll, 'missing', 'device_seen', 'accounted', 'rescue');
  const left = late - store.now();
  return (
    <div className="muster-sum">
      <p className="count missing">
        <IconUserQuestion size={30} aria-hidden />
        <b>{heads(roll, 'missing')}</b> <span>{t('count.missing')}</span>
      </p>
      <p className="count seen">
        <IconRadar2 size={30} aria-hidden />
        <b>{heads(roll, 'device_seen')}</b> <span>{t('count.seen')}</span>
      </p>
      <p className="count safe">
        <IconCheck size={30} aria-hidden />
        <b>
          {heads(roll, 'accounted', 'rescue')}
          <small>/{all}</small>
        </b>{' '}
        <span>{t('muster.accounted')}</span>
      </p>
      {late > 0 && (
        <p className={left > 0 ? 'timer' : 'timer late'}>
          {left > 0 ? t('muster.left', { span: span(left, t) }) : t('muster.late', { span: span(-left, t) })}
        </p>
      )}
    </div>
  );
}

function Points({ evacuation }: { evacuation: EvacuationView }) {
  const { t } = useWords();
  const place = usePlace();
  const refused = Object.entries(evacuation.refused);
  const wind = evacuation.wind;
  return (
    <ul className="points">
      {evacuation.muster_points.map((id) => (
        <li key={id} className="offered">
          <IconFlag size={20} aria-hidden />
          {place(id)}
        </li>
      ))}
      {!evacuation.muster_points.length && <li className="refused-point">{t('point.none')}</li>}
      {refused.map(([id, why]) => (
        <li key={id} className="refused-point">
          <IconFlagOff size={20} aria-hidden />
          <s>{place(id)}</s> {t(`point.${why}`)}
        </li>
      ))}
      {wind && (
        <li>
          <IconWind size={20} aria-hidden />
          {wind === 'unknown' || wind === 'calm' ? t(`wind.${wind}`) : t('wind.from', { deg: wind })}
        </li>
      )}
    </ul>
  );
}
