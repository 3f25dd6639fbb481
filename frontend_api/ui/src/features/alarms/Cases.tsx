import { IconArrowLeft, IconBooks } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useSite } from '../../api/hooks';
import { get, Refusal } from '../../api/rest';
import type { IncidentAnswer, IncidentList, IncidentView, ProblemView, RelationView, SimilarView } from '../../api/schema';
import { useMay } from '../../api/session';
import { moment, span } from '../../app/format';
import { Card, Empty, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

const OUTCOMES = ['averted', 'near_miss', 'harm', 'damage', 'none'] as const;

/** Incidents, newest first; one opens to those that are like it, and why. */
export function Cases() {
  const { t } = useWords();
  const [open, setOpen] = useState('');
  const [list, setList] = useState<IncidentView[] | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  useEffect(() => {
    if (open) return;
    let wanted = true;
    get<IncidentList>('/api/v1/alarm-cases').then(
      (found) => wanted && setList(found.items),
      (error: unknown) => wanted && error instanceof Refusal && setProblem(error.problem),
    );
    return () => {
      wanted = false;
    };
  }, [open]);
  if (open) return <One id={open} choose={setOpen} />;
  return (
    <div className="cards one">
      <Refused problem={problem} />
      {list?.map((one) => (
        <button key={one.id} type="button" className="case" onClick={() => setOpen(one.id)}>
          <Head one={one} />
        </button>
      ))}
      {list && !list.length && <Empty icon={<IconBooks size={32} aria-hidden />}>{t('case.none')}</Empty>}
    </div>
  );
}

function Head({ one }: { one: IncidentView }) {
  const { t, say } = useWords();
  const zone = useSite()?.time_zone ?? 'UTC';
  return (
    <>
      <b>{say(one.title)}</b>
      <span className="quiet">
        {moment(one.start_ms, zone)} · {one.end_ms ? span(one.end_ms - one.start_ms, t) : t('case.running')} · {t('case.alarms', { count: one.alarms })}
      </span>
      <Outcome one={one} />
    </>
  );
}

function Outcome({ one }: { one: IncidentView }) {
  const { t } = useWords();
  if (one.outcome) return <span className={`outcome ${one.outcome}`}>{t(`outcome.${one.outcome}`)}</span>;
  if (one.proposed) return <span className="outcome proposed">{t('case.proposed', { outcome: t(`outcome.${one.proposed}`) })}</span>;
  return <span className="outcome proposed">{t('case.open')}</span>;
}

function One({ id, choose }: { id: string; choose: (id: string) => void }) {
  const { t } = useWords();
  const [answer, setAnswer] = useState<IncidentAnswer | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [again, setAgain] = useState(0);
  useEffect(() => {
    let wanted = true;
    get<IncidentAnswer>(`/api/v1/alarm-cases/${id}`).then(
      (found) => wanted && setAnswer(found),
      (error: unknown) => wanted && error instanceof Refusal && setProblem(error.problem),
    );
    return () => {
      wanted = false;
    };
  }, [id, again]);
  return (
    <div className="cards one">
      <div className="acts">
        <button type="button" className="btn" onClick={() => choose('')}>
          <IconArrowLeft size={18} aria-hidden />
          {t('case.back')}
        </button>
      </div>
      <Refused problem={problem} />
      {answer && (
        <section className="card">
          <div className="case-head">
            <Head one={answer.case} />
          </div>
          <Relations relations={answer.case.relations} label={t('case.relations')} />
          <Classify one={answer.case} done={() => setAgain(again + 1)} />
        </section>
      )}
      {answer && <Alike similar={answer.similar} choose={choose} />}
    </div>
  );
}

function Relations({ relations, label }: { relations: RelationView[]; label: string }) {
  const { say } = useWords();
  return (
    <ul className="relations" aria-label={label}>
      {relations.map((one) => (
        <li key={`${one.family}${one.value}`}>{say(one.text)}</li>
      ))}
    </ul>
  );
}

/** A named person says how it ended: held or cleared before harm is averted. */
function Classify({ one, done }: { one: IncidentView; done: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const { ask, busy, problem } = useAct();
  if (!may('incident.classify')) return null;
  const say = async (outcome: (typeof OUTCOMES)[number]) => {
    if (await ask('incident.classify', { alarm_id: one.id, outcome })) done();
  };
  return (
    <>
      <p className="note">{t('case.ask')}</p>
      <div className="choice" role="group" aria-label={t('case.ask')}>
        {OUTCOMES.map((outcome) => (
          <button key={outcome} type="button" className="btn" disabled={busy} aria-pressed={one.outcome === outcome} onClick={() => void say(outcome)}>
            {t(`outcome.${outcome}`)}
          </button>
        ))}
      </div>
      <Refused problem={problem} />
    </>
  );
}

function Alike({ similar, choose }: { similar: SimilarView[]; choose: (id: string) => void }) {
  const { t } = useWords();
  return (
    <Card title={t('case.similar')} note={similar.length ? '' : t('case.nothing_alike')}>
      <ul className="alike">
        {similar.map((one) => (
          <li key={one.case.id}>
            <button type="button" className="case" onClick={() => choose(one.case.id)}>
              <Head one={one.case} />
              <span className="score">{t('case.score', { score: Math.round(one.score * 100) })}</span>
            </button>
            <Relations relations={one.shared} label={t('case.shared')} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
