import { NativeSelect } from '@mantine/core';
import { IconHistory, IconPlayerStop } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { get, post, Refusal, remove } from '../../api/rest';
import type { ProblemView, RuleCard, TrialList, TrialView } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';

const PATH = '/api/v1/backtests';
const HOUR_MS = 3_600_000;
const SPANS = [1, 6, 24, 168, 720];
const AGAIN_MS = 1000;

/** Try a rule on the site's own past, and show what it would have done. */
export function Backtest({ rules }: { rules: RuleCard[] }) {
  const { t, say } = useWords();
  const [rule, setRule] = useState(rules[0]?.id ?? '');
  const [hours, setHours] = useState(24);
  const [trial, setTrial] = useState<TrialView | null>(null);
  const [refused, setRefused] = useState<ProblemView | null>(null);
  const running = trial?.state === 'running';

  const ask = async (work: () => Promise<TrialView | null>) => {
    try {
      setTrial(await work());
      setRefused(null);
    } catch (error) {
      if (error instanceof Refusal) setRefused(error.problem);
    }
  };
  const number = trial?.id;
  useEffect(() => {
    if (number) return;
    // What somebody tried last is shown again.
    void ask(async () => {
      const last = (await get<TrialList>(PATH)).items[0];
      return last ? get<TrialView>(`${PATH}/${last.id}`) : null;
    });
  }, [number]);
  useEffect(() => {
    if (!running || !number) return;
    const timer = setInterval(() => void ask(() => get<TrialView>(`${PATH}/${number}`)), AGAIN_MS);
    return () => clearInterval(timer);
  }, [running, number]);

  const start = () =>
    ask(() => {
      const to_ms = Date.now();
      return post<TrialView>(PATH, { rule, from_ms: to_ms - hours * HOUR_MS, to_ms });
    });
  const stop = () =>
    ask(async () => {
      await remove(`${PATH}/${number}`);
      return null;
    });

  return (
    <section className="rule-list trial" aria-label={t('rules.trial')}>
      <h3>{t('rules.trial')}</h3>
      <p className="note">{t('rules.trial_help')}</p>
      <div className="acts">
        <NativeSelect
          size="md"
          label={t('rules.trial_rule')}
          value={rule}
          disabled={running}
          onChange={(event) => setRule(event.currentTarget.value)}
          data={rules.map((one) => ({ value: one.id, label: say(one.names) }))}
        />
        <NativeSelect
          size="md"
          label={t('rules.trial_span')}
          value={String(hours)}
          disabled={running}
          onChange={(event) => setHours(Number(event.currentTarget.value))}
          data={SPANS.map((one) => ({ value: String(one), label: t('rules.trial_hours', { count: one }) }))}
        />
        {running ? (
          <button type="button" className="btn" onClick={() => void stop()}>
            <IconPlayerStop size={20} aria-hidden />
            {t('rules.trial_stop')}
          </button>
        ) : (
          <button type="button" className="btn primary" onClick={() => void start()} disabled={!rule}>
            <IconHistory size={20} aria-hidden />
            {t('rules.trial_start')}
          </button>
        )}
      </div>
      <Refused problem={refused} />
      <div role="status">
        {running && t('rules.trial_running', { done: Math.round(trial.done * 100) })}
        {trial?.state === 'failed' && t('rules.trial_failed', { why: trial.error })}
      </div>
      {trial?.text && (
        <pre className="report" tabIndex={0} role="region" aria-label={t('rules.trial_report')}>
          {say(trial.text)}
        </pre>
      )}
    </section>
  );
}
