import { Select, Textarea, TextInput } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useSite } from '../../api/hooks';
import { get, post, Refusal } from '../../api/rest';
import type { KeptView, PlanRunView, ProblemView, ReportView } from '../../api/schema';
import { useMay } from '../../api/session';
import { clock } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { useNames } from '../permits/parts';

const WAYS = ['platform', 'phone', 'fax', 'mail', 'message', 'in_person'] as const;

/** The notice to the regulator: drafted by the hub, mended, sent and answered for by a person. */
export function ReportPart({ run }: { run: PlanRunView }) {
  const { t } = useWords();
  const { name } = useNames();
  const site = useSite();
  const may = useMay();
  const sends = may('plan.report') && !run.ended_ms;
  if (!sends && !run.reports.length) return null;
  return (
    <section className="card form" id="report">
      <h3 className="part-title">{t('report.title')}</h3>
      {run.reports.map((one) => (
        <p key={one.sha256 + one.at_ms}>
          {t('report.sent', { who: name(one.by_id), to: one.to, at: clock(one.at_ms, site?.time_zone ?? 'UTC', true), way: t(`way.${one.way}`) })}{' '}
          <a className="textlink" href={`/api/v1/plan-runs/${run.id}/reports/${one.sha256}`} target="_blank" rel="noreferrer">
            {t('report.read')}
          </a>
        </p>
      ))}
      {sends && <Send run={run} />}
    </section>
  );
}

function Send({ run }: { run: PlanRunView }) {
  const { t, say, language } = useWords();
  const [words, setWords] = useState('');
  const [to, setTo] = useState('');
  const [way, setWay] = useState<(typeof WAYS)[number]>('platform');
  const [wrong, setWrong] = useState<ProblemView | null>(null);
  const { ask, busy, problem } = useAct();
  const draft = () =>
    get<ReportView>(`/api/v1/plan-runs/${run.id}/report`).then(
      (found) => {
        setWords(say(found.draft));
        setTo(say(found.to));
      },
      (error: unknown) => error instanceof Refusal && setWrong(error.problem),
    );
  // Each language has a draft of its own.
  useEffect(() => void draft(), [run.id, language]);
  const send = async () => {
    setWrong(null);
    try {
      const { sha256 } = await post<KeptView>(`/api/v1/plan-runs/${run.id}/reports`, { text: words });
      await ask('plan.report', { plan_run: run.id, way, to, sha256 });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setWrong(error.problem);
    }
  };
  return (
    <>
      <p className="note">{t('report.note')}</p>
      <Textarea label={t('report.text')} value={words} autosize minRows={8} maxLength={20_000} onChange={(event) => setWords(event.currentTarget.value)} />
      <TextInput label={t('report.to')} value={to} maxLength={200} onChange={(event) => setTo(event.currentTarget.value)} />
      <Select label={t('report.way')} data={WAYS.map((one) => ({ value: one, label: t(`way.${one}`) }))} value={way} onChange={(found) => found && setWay(found as (typeof WAYS)[number])} allowDeselect={false} />
      <Refused problem={problem ?? wrong} />
      <div className="acts">
        <button type="button" className="btn" onClick={() => void draft()}>
          {t('report.again')}
        </button>
        <button type="button" className="btn primary huge" disabled={busy || !words.trim() || !to.trim()} onClick={() => void send()}>
          <IconSend size={24} aria-hidden />
          {t('report.send')}
        </button>
      </div>
    </>
  );
}
