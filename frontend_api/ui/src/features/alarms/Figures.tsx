import { IconAlertTriangle, IconCheck, IconHelp } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useSite } from '../../api/hooks';
import { get, Refusal } from '../../api/rest';
import type { AlarmFigure, AlarmSource, ProblemView, ReportAnswer, Text } from '../../api/schema';
import { store } from '../../api/store';
import { moment } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { useWords } from '../../i18n';

const DAY = 86_400_000;
const SPANS = [1, 7, 30, 90];

/** How the alarm system does, each figure with its target (ISA-18.2, EEMUA 191). */
export function Figures() {
  const { t } = useWords();
  const [days, setDays] = useState(30);
  const [found, setFound] = useState<ReportAnswer | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  useEffect(() => {
    let wanted = true;
    setFound(null);
    const from = Math.max(0, Math.round(store.now() - days * DAY));
    get<ReportAnswer>(`/api/v1/alarm-report?from=${from}`).then(
      (answer) => wanted && (setFound(answer), setProblem(null)),
      (error: unknown) => wanted && error instanceof Refusal && setProblem(error.problem),
    );
    return () => {
      wanted = false;
    };
  }, [days]);
  return (
    <>
      <div className="choice" role="group" aria-label={t('figures.span')}>
        {SPANS.map((one) => (
          <button key={one} type="button" className="btn" aria-pressed={days === one} onClick={() => setDays(one)}>
            {t('figures.days', { count: one })}
          </button>
        ))}
      </div>
      <Refused problem={problem} />
      {!found && !problem && <div className="skeleton" style={{ height: 300 }} aria-busy="true" />}
      {found && <Found answer={found} />}
    </>
  );
}

function Found({ answer }: { answer: ReportAnswer }) {
  const { t } = useWords();
  const zone = useSite()?.time_zone ?? 'UTC';
  const { report, names } = answer;
  return (
    <>
      <p className="note">
        {moment(report.from_ms, zone)} – {moment(report.to_ms, zone)} · {t('figures.counts', { alarms: report.alarms, calls: report.calls })}
        {!report.complete && <> · {t('figures.short')}</>}
        {report.unsynced > 0 && <> · {t('figures.unsynced', { count: report.unsynced })}</>}
      </p>
      <div className="cards">
        <Card title={t('figures.system')} className="wide-card">
          <ul className="figures">
            {report.figures.map((one) => (
              <Line key={one.id} figure={one} />
            ))}
          </ul>
        </Card>
        {(['sources', 'rules', 'devices'] as const).map((one) => report[one].length > 0 && <Ranking key={one} title={t(`figures.${one}`)} sources={report[one]} names={names} />)}
      </div>
    </>
  );
}

function Line({ figure }: { figure: AlarmFigure }) {
  const { t } = useWords();
  const value = figure.value === null ? '—' : String(figure.value);
  const Icon = figure.ok === true ? IconCheck : figure.ok === false ? IconAlertTriangle : IconHelp;
  const met = figure.ok === true ? 'met' : figure.ok === false ? 'missed' : 'open';
  return (
    <li className={figure.target ? met : ''}>
      <span>{t(`figures.of.${figure.id}`)}</span>
      <b>
        {value} {figure.value !== null && figure.unit}
      </b>
      <small>
        {figure.target && (
          <>
            {t('figures.target', { target: figure.target })}
            <Icon size={18} aria-label={t(`figures.${met}`)} />
          </>
        )}
      </small>
    </li>
  );
}

function Ranking({ title, sources, names }: { title: string; sources: AlarmSource[]; names: Record<string, Text> }) {
  const { t, say } = useWords();
  return (
    <Card title={title}>
      <ul className="ranking">
        {sources.map((one) => (
          <li key={one.id}>
            <b>{say(names[one.id]) || one.id}</b>
            <span>{t('figures.calls', { count: one.calls, share: one.share })}</span>
            <span className="quiet">
              {one.nuisance_rate === null || one.nuisance_rate === undefined
                ? t('figures.unjudged')
                : t('figures.nuisance', { rate: one.nuisance_rate, low: one.band?.[0], high: one.band?.[1], judged: one.judged })}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
