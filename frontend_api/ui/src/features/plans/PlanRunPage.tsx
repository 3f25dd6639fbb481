import { IconCheck, IconCircleDashed, IconCircleMinus, IconFlag, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import type { PlanRunView, PlanStepView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { clock } from '../../app/format';
import { Empty, Mark, Refused } from '../../components/Bits';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { ActButton, useNames, useZone } from '../permits/parts';
import { Due, Tabs } from '../tasks/shared';
import { ReportPart } from './ReportPart';

const NOTHING = () => undefined;
const LEADS = ['supervisor', 'issuer', 'safety_officer', 'marshal', 'owner'];

export function PlanRunPage({ id }: { id: string }) {
  const { t } = useWords();
  const run = useSection('plan_runs')[id];
  if (run) return <Whole run={run} />;
  return (
    <div className="page work">
      <Tabs />
      <Empty icon={<IconX size={32} aria-hidden />}>{t('plans.gone')}</Empty>
    </div>
  );
}

function Whole({ run }: { run: PlanRunView }) {
  const { t, say } = useWords();
  const site = useSite();
  const zone = useZone(run.zone_id ?? '');
  const { name } = useNames();
  const me = useSession().person_id;
  const roles = useSection('people')[me]?.roles ?? [];
  const mine = (step: PlanStepView) => step.roles.some((role) => roles.includes(role));
  const may = (step: PlanStepView) => mine(step) || roles.some((role) => LEADS.includes(role));
  const open = run.steps.filter((one) => one.state === 'open').sort((a, b) => Number(mine(b)) - Number(mine(a)) || a.due_ms - b.due_ms);
  const rest = run.steps.filter((one) => one.state !== 'open');
  return (
    <div className="page work">
      <div className="work-head">
        <p className="note">
          {zone && `${zone} · `}
          {t('plans.since', { at: clock(run.started_ms, site?.time_zone ?? 'UTC', true) })} · {t('plans.version', { version: run.plan_version })}
        </p>
        <h2>
          {say(run.names)} <Mark mark={run.mark} />
        </h2>
      </div>
      {run.ended_ms > 0 && (
        <p className="card lead">
          {run.ended_by ? t('plans.ended_by', { who: name(run.ended_by) }) : t('plans.gave_way')}
        </p>
      )}
      {!run.ended_ms &&
        open.map((step) => <Now key={step.id} run={run} step={step} mine={mine(step)} may={may(step)} />)}
      <section className="card">
        <h3 className="part-title">{t('plans.rest')}</h3>
        <ul className="book">
          {rest.map((step) => (
            <Rest key={step.id} step={step} />
          ))}
        </ul>
      </section>
      {run.report_to && <ReportPart run={run} />}
      {!run.ended_ms && <End run={run} />}
    </div>
  );
}

/** One step whose turn it is: what, who, how long there is left. */
function Now({ run, step, mine, may }: { run: PlanRunView; step: PlanStepView; mine: boolean; may: boolean }) {
  const { t, say } = useWords();
  const { roles } = useNames();
  const verbs = useMay();
  const [skipping, setSkipping] = useState(false);
  const { ask, busy, problem, clear } = useAct();
  return (
    <section className={mine ? 'card now mine' : 'card now'} aria-label={say(step.names)}>
      <p className="now-who">
        <b>{mine ? t('plans.yours') : t('plans.theirs')}</b> {roles(step.roles)}
        {step.level > 0 && <span className="grade">{t('plans.told_again', { count: step.level })}</span>}
      </p>
      <p className="now-what">{say(step.names)}</p>
      <Due ms={step.due_ms} />
      {step.clause && <p className="note">{step.clause}</p>}
      {may && verbs('plan.done') && (
        <div className="now-acts">
          {step.report ? verbs('plan.report') && (
            <a className="btn primary huge" href="#report">
              {t('plans.to_report')}
            </a>
          ) : (
            <ActButton verb="plan.done" body={{ plan_run: run.id, step: step.id }} done={NOTHING} className="primary">
              <IconCheck size={24} aria-hidden />
              {t('plans.done')}
            </ActButton>
          )}
          <button
            type="button"
            className="btn"
            onClick={() => {
              clear();
              setSkipping(true);
            }}
          >
            {t('plans.skip')}
          </button>
        </div>
      )}
      {!skipping && <Refused problem={problem} />}
      <ReasonDialog
        open={skipping}
        title={t('plans.skip')}
        note={say(step.names)}
        confirm={t('plans.skip')}
        busy={busy}
        problem={problem}
        close={() => setSkipping(false)}
        answer={(reason) => void ask('plan.skip', { plan_run: run.id, step: step.id, reason }).then((done) => done && setSkipping(false))}
      />
    </section>
  );
}

const ICONS = { done: IconCheck, skipped: IconCircleMinus, waiting: IconCircleDashed };

function Rest({ step }: { step: PlanStepView }) {
  const { t, say } = useWords();
  const { name, roles } = useNames();
  const site = useSite();
  const Icon = ICONS[step.state as keyof typeof ICONS] ?? IconCircleDashed;
  const who = step.by_id ? `${name(step.by_id)} ${clock(step.settled_ms, site?.time_zone ?? 'UTC', true)}` : roles(step.roles);
  return (
    <li className={step.state}>
      <Icon size={20} aria-hidden /> <b>{say(step.names)}</b>
      <small>
        {t(`step.${step.state}`)} · {who}
        {step.reason && ` · ${step.reason}`}
      </small>
    </li>
  );
}

function End({ run }: { run: PlanRunView }) {
  const { t } = useWords();
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const { ask, busy, problem, clear } = useAct();
  const left = run.steps.filter((one) => !['done', 'skipped'].includes(one.state)).length;
  if (!may('plan.end')) return null;
  if (run.standing) return <p className="note">{t('plans.stands')}</p>;
  const end = (reason: string) => ask('plan.end', { plan_run: run.id, reason }).then((done) => done && setAsking(false));
  return (
    <>
      <button
        type="button"
        className="btn huge"
        disabled={busy}
        onClick={() => {
          clear();
          if (left) setAsking(true);
          else void end('');
        }}
      >
        <IconFlag size={24} aria-hidden />
        {t('plans.end')}
      </button>
      {!asking && <Refused problem={problem} />}
      <ReasonDialog
        open={asking}
        title={t('plans.end')}
        note={t('plans.end_note', { count: left })}
        confirm={t('plans.end')}
        warn
        busy={busy}
        problem={problem}
        close={() => setAsking(false)}
        answer={(reason) => void end(reason)}
      />
    </>
  );
}
