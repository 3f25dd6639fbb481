import { Select, Textarea, TextInput } from '@mantine/core';
import { IconCopy, IconPrinter, IconRefresh, IconSend } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useSite } from '../../api/hooks';
import { get, post, Refusal } from '../../api/rest';
import type { KeptView, PlanRunView, ProblemView, RecipientView, ReportedView, ReportView } from '../../api/schema';
import { useMay } from '../../api/session';
import { clock } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { useNames } from '../permits/parts';
import { Due } from '../tasks/shared';

const WAYS = ['platform', 'phone', 'fax', 'mail', 'message', 'in_person'] as const;

/** The notice to the regulator: drafted by the hub, mended, sent and answered for by a person. */
export function ReportPart({ run }: { run: PlanRunView }) {
  const { t, say } = useWords();
  const { name } = useNames();
  const site = useSite();
  const may = useMay();
  const sends = may('plan.report') && !run.ended_ms;
  if (!sends && !run.reports.length) return null;
  return (
    <section className="card form" id="report">
      <h3 className="part-title">{t('report.title')}</h3>
      {run.report_due_ms > 0 && (
        <p className="report-due" role={run.report_late ? 'alert' : undefined}>
          <b>{run.report_late ? t('report.late') : t('report.due', { at: clock(run.report_due_ms, site?.time_zone ?? 'UTC') })}</b>{' '}
          <Due ms={run.report_due_ms} />
        </p>
      )}
      {run.reports.map((one) => (
        <div key={one.recipient + one.sha256 + one.at_ms} className="report-sent">
          <p>
            {t('report.sent', { who: name(one.by_id), to: one.recipient_names ? say(one.recipient_names) : one.to, at: clock(one.at_ms, site?.time_zone ?? 'UTC', true), way: t(`way.${one.way}`) })}{' '}
            <Kept run={run} hash={one.sha256} words={t('report.read')} />
            {one.draft && one.draft !== one.sha256 && (
              <>
                {' · '}
                <Kept run={run} hash={one.draft} words={t('report.read_draft')} />
              </>
            )}
          </p>
          <States told={one} />
          {sends && one.channels.length > 0 && one.channels.every((each) => each.state === 'failed') && <Again run={run} told={one} />}
        </div>
      ))}
      {sends && <Send run={run} />}
    </section>
  );
}

function Kept({ run, hash, words }: { run: PlanRunView; hash: string; words: string }) {
  return (
    <a className="textlink" href={`/api/v1/plan-runs/${run.id}/reports/${hash}`} target="_blank" rel="noreferrer">
      {words}
    </a>
  );
}

/** What became of it on each channel of a recipient. */
function States({ told }: { told: ReportedView }) {
  const { t, say } = useWords();
  if (!told.channels.length) return null;
  return (
    <ul className="places">
      {told.channels.map((one) => (
        <li key={one.id} className={`tag ${one.state === 'failed' ? 'bad' : one.state === 'queued' ? 'warn' : 'good'}`}>
          {say(one.names)}: {t(`told.state.${one.state}`)}
          {one.detail && ` · ${t(`told.why.${one.detail}`, t('report.failed'))}`}
        </li>
      ))}
    </ul>
  );
}

/** Send the same text to a recipient whom no channel reached. */
function Again({ run, told }: { run: PlanRunView; told: ReportedView }) {
  const { t } = useWords();
  const { ask, busy, problem } = useAct();
  const body = { plan_run: run.id, recipients: [told.recipient], sha256: told.sha256, draft: told.draft };
  return (
    <>
      <Refused problem={problem} />
      <button type="button" className="btn" disabled={busy} onClick={() => void ask('plan.deliver', body)}>
        <IconRefresh size={20} aria-hidden />
        {t('report.retry')}
      </button>
    </>
  );
}

/** Nobody is configured: the text is for another way. */
function Elsewhere({ words }: { words: string }) {
  const { t } = useWords();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(words);
      setCopied(true);
    } catch {
      // Without TLS a browser keeps the clipboard to itself: the text is marked instead.
      document.querySelector<HTMLTextAreaElement>('#report textarea')?.select();
    }
  };
  return (
    <div className="acts">
      <button type="button" className="btn" disabled={!words.trim()} onClick={() => void copy()}>
        <IconCopy size={20} aria-hidden />
        {t(copied ? 'report.copied' : 'report.copy')}
      </button>
      <button type="button" className="btn" disabled={!words.trim()} onClick={() => window.print()}>
        <IconPrinter size={20} aria-hidden />
        {t('report.print')}
      </button>
      <pre className="print-text">{words}</pre>
    </div>
  );
}

function Send({ run }: { run: PlanRunView }) {
  const { t, say, language } = useWords();
  const [words, setWords] = useState('');
  const [to, setTo] = useState('');
  const [drafted, setDrafted] = useState('');
  const [known, setKnown] = useState<RecipientView[] | null>(null);
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [way, setWay] = useState<(typeof WAYS)[number]>('platform');
  const [wrong, setWrong] = useState<ProblemView | null>(null);
  const { ask, busy, problem } = useAct();
  const draft = () =>
    get<ReportView>(`/api/v1/plan-runs/${run.id}/report`).then(
      (found) => {
        setWords(say(found.draft));
        setDrafted(say(found.draft));
        setKnown(found.recipients);
        setTo(say(found.to));
      },
      (error: unknown) => error instanceof Refusal && setWrong(error.problem),
    );
  // Each language has a draft of its own.
  useEffect(() => void draft(), [run.id, language]);
  const keep = async (text: string) => (await post<KeptView>(`/api/v1/plan-runs/${run.id}/reports`, { text })).sha256;
  const recipients = chosen ?? (known ?? []).map((one) => one.id);
  const send = async (deliver: boolean) => {
    setWrong(null);
    try {
      const sha256 = await keep(words);
      if (deliver) await ask('plan.deliver', { plan_run: run.id, recipients, sha256, draft: await keep(drafted) });
      else await ask('plan.report', { plan_run: run.id, way, to, sha256 });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setWrong(error.problem);
    }
  };
  return (
    <>
      <p className="note">{t('report.note')}</p>
      <Textarea label={t('report.text')} value={words} autosize minRows={8} maxLength={20_000} onChange={(event) => setWords(event.currentTarget.value)} />
      <Refused problem={problem ?? wrong} />
      <div className="acts">
        <button type="button" className="btn" onClick={() => void draft()}>
          {t('report.again')}
        </button>
      </div>
      {known && known.length > 0 && !run.mark && (
        <fieldset className="report-to">
          <legend>{t('report.by_hub')}</legend>
          {known.map((one) => (
            <label key={one.id} className="report-one">
              <input
                type="checkbox"
                checked={recipients.includes(one.id)}
                onChange={(event) => {
                  const on = event.currentTarget.checked;
                  setChosen(on ? [...recipients, one.id] : recipients.filter((each) => each !== one.id));
                }}
              />
              {say(one.names)}
            </label>
          ))}
          <button type="button" className="btn primary huge" disabled={busy || !words.trim() || !drafted || !recipients.length} onClick={() => void send(true)}>
            <IconSend size={24} aria-hidden />
            {t('report.deliver', { count: recipients.length })}
          </button>
        </fieldset>
      )}
      {known && !known.length && <p className="note bad">{t('report.nobody')}</p>}
      <fieldset className="report-to">
        <legend>{t('report.elsewhere')}</legend>
        <Elsewhere words={words} />
        <TextInput label={t('report.to')} value={to} maxLength={200} onChange={(event) => setTo(event.currentTarget.value)} />
        <Select label={t('report.way')} data={WAYS.map((one) => ({ value: one, label: t(`way.${one}`) }))} value={way} onChange={(found) => found && setWay(found as (typeof WAYS)[number])} allowDeselect={false} />
        <button type="button" className={known?.length ? 'btn' : 'btn primary huge'} disabled={busy || !words.trim() || !to.trim()} onClick={() => void send(false)}>
          <IconSend size={24} aria-hidden />
          {t('report.send')}
        </button>
      </fieldset>
    </>
  );
}
