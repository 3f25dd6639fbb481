import { Modal, Select } from '@mantine/core';
import { IconAlertTriangle, IconListCheck, IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useSection, useSite } from '../../api/hooks';
import type { PlanRunView, PlanView } from '../../api/schema';
import { useMay } from '../../api/session';
import { clock } from '../../app/format';
import { Empty, Mark } from '../../components/Bits';
import { useWords } from '../../i18n';
import { ActButton, Fold, useNames, useZone } from '../permits/parts';
import { Picks } from '../tasks/Picks';
import { Tabs, useBook } from '../tasks/shared';

export function PlansPage() {
  const { t, say } = useWords();
  const book = useBook();
  const may = useMay();
  const [starting, setStarting] = useState<PlanView | null>(null);
  const runs = Object.values(useSection('plan_runs')).sort((a, b) => Number(!!a.ended_ms) - Number(!!b.ended_ms) || b.started_ms - a.started_ms);
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('plans.title')}</h2>
      </div>
      <Tabs />
      {book && book.unanswered.length > 0 && (
        <section className="card warned" role="note">
          <h3 className="part-title">
            <IconAlertTriangle size={22} aria-hidden /> {t('plans.unanswered')}
          </h3>
          <p>{book.unanswered.map(say).join(t('list.comma'))}</p>
        </section>
      )}
      <div className="cards one">
        {runs.map((run) => (
          <Row key={run.id} run={run} />
        ))}
      </div>
      {!runs.length && <Empty icon={<IconListCheck size={32} aria-hidden />}>{t('plans.none_running')}</Empty>}
      {(book?.plans ?? []).map((plan) => (
        <Plan key={plan.id} plan={plan} start={may('plan.start') ? () => setStarting(plan) : null} />
      ))}
      {starting && <StartDialog plan={starting} close={() => setStarting(null)} />}
    </div>
  );
}

function Row({ run }: { run: PlanRunView }) {
  const { t, say } = useWords();
  const site = useSite();
  const zone = useZone(run.zone_id ?? '');
  const settled = run.steps.filter((one) => ['done', 'skipped'].includes(one.state)).length;
  const late = run.steps.some((one) => one.state === 'open' && one.level > 0);
  return (
    <article className={run.ended_ms ? 'task-row closed' : 'task-row major'} aria-label={say(run.names)}>
      <Anchor href={`/plans/${run.id}`} className="permit-link">
        <div className="permit-head">
          <div>
            <h3>
              {say(run.names)} <Mark mark={run.mark} />
            </h3>
            <p>
              {zone && `${zone} · `}
              {clock(run.started_ms, site?.time_zone ?? 'UTC')} · {t('plans.settled', { settled, total: run.steps.length })}
            </p>
          </div>
          <span className={`status ${run.ended_ms ? 'closed' : late ? 'rejected' : 'fixing'}`}>
            {t(run.ended_ms ? 'plans.ended' : late ? 'plans.late' : 'plans.running')}
          </span>
        </div>
      </Anchor>
    </article>
  );
}

function Plan({ plan, start }: { plan: PlanView; start: (() => void) | null }) {
  const { t, say } = useWords();
  const { roles } = useNames();
  return (
    <Fold title={say(plan.names)} note={t('plans.version', { version: plan.version })}>
      <ol className="book">
        {plan.steps.map((step) => (
          <li key={step.id}>
            <b>{say(step.names)}</b>
            <small>
              {roles(step.roles)} · {t('plans.within', { minutes: Math.max(1, Math.round(step.within_s / 60)) })}
            </small>
          </li>
        ))}
      </ol>
      <p className="note">{plan.clauses.join(t('list.comma'))}</p>
      {start && (
        <button type="button" className="btn huge" onClick={start}>
          <IconPlayerPlay size={24} aria-hidden />
          {t('plans.start')}
        </button>
      )}
    </Fold>
  );
}

function StartDialog({ plan, close }: { plan: PlanView; close: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const [zone, setZone] = useState<string | null>(null);
  const [how, setHow] = useState<'real' | 'drill'>('drill');
  return (
    <Modal opened onClose={close} title={say(plan.names)} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <div className="dialog work">
        <Picks label={t('plans.how')} options={[['drill', t('mark.drill')], ['real', t('plans.real')]]} value={how} pick={setHow} />
        <Select
          label={t('task.where')}
          data={(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))}
          value={zone}
          onChange={setZone}
        />
        <ActButton
          verb="plan.start"
          body={{ plan: plan.id, zone_id: zone ?? '', drill: how === 'drill' }}
          done={() => undefined}
          succeeded={close}
          className={how === 'real' ? 'stop' : 'primary'}
        >
          <IconPlayerPlay size={24} aria-hidden />
          {t('plans.start')}
        </ActButton>
      </div>
    </Modal>
  );
}
