import { Modal, MultiSelect } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import { get } from '../../api/rest';
import type { DrillList, DrillPlanView, DrillReport } from '../../api/schema';
import { useMay } from '../../api/session';
import { store } from '../../api/store';
import { moment } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { usePlace } from './RollCall';

const DAY = 86_400_000;

/** The drills that are planned, when each is due, and how the last ones went. */
export function Drills() {
  const { t, say } = useWords();
  const may = useMay();
  const plans = Object.values(useSection('drill_plans'));
  const [open, setOpen] = useState(false);
  const { ask, busy, problem } = useAct();
  return (
    <Card
      title={t('drill.title')}
      extra={
        may('drill.start') && (
          <button type="button" className="btn" onClick={() => setOpen(true)}>
            {t('drill.free')}
          </button>
        )
      }
    >
      <ul className="plans">
        {plans.map((one) => (
          <li key={one.id}>
            <div>
              <b>{say(one.names)}</b>
              <Due plan={one} />
            </div>
            {may('drill.start') && (
              <button type="button" className="btn" disabled={busy} onClick={() => void ask('drill.start', { plan: one.id, zones: [] })}>
                {t('drill.start')}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Refused problem={problem} />
      <Reports />
      {open && <FreeDrill close={() => setOpen(false)} />}
    </Card>
  );
}

function Due({ plan }: { plan: DrillPlanView }) {
  const { t } = useWords();
  if (!plan.due_ms) return <span className="quiet">{t('drill.no_schedule')}</span>;
  const days = Math.ceil((plan.due_ms - store.now()) / DAY);
  if (days > 0) return <span className={days <= 30 ? 'due soon' : 'due'}>{t('drill.due_in', { count: days })}</span>;
  return (
    <span className="due over">
      <IconAlertTriangle size={18} aria-hidden />
      {plan.held_ms ? t('drill.overdue', { count: -days }) : t('drill.never')}
    </span>
  );
}

function FreeDrill({ close }: { close: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const [zones, setZones] = useState<string[]>([]);
  const { ask, busy, problem } = useAct();
  return (
    <Modal opened onClose={close} title={t('drill.free')} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <div className="dialog">
        <MultiSelect
          label={t('muster.zones')}
          data={(site?.zones ?? []).map((zone) => ({ value: zone.id, label: say(zone.names) }))}
          value={zones}
          onChange={setZones}
        />
        <p className="note">{t('drill.note')}</p>
        <Refused problem={problem} />
        <div className="acts">
          <button type="button" className="btn" onClick={close}>
            {t('dialog.cancel')}
          </button>
          <button
            type="button"
            className="btn primary"
            disabled={busy || !zones.length}
            onClick={() => void ask('drill.start', { plan: '', zones }).then((done) => done && close())}
          >
            {t('drill.start')}
          </button>
        </div>
      </div>
    </Modal>
  );
}

function useReports(): DrillReport[] {
  const drills = Object.values(useSection('evacuations')).filter((one) => one.drill);
  const [found, setFound] = useState<DrillReport[]>([]);
  const key = drills.map((one) => `${one.id}${one.cleared_ms}`).join();
  useEffect(() => {
    if (!key) return setFound([]);
    let wanted = true;
    get<DrillList>('/api/v1/drills')
      .then((list) => wanted && setFound(list.items.filter((one) => one.ended_ms)))
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [key]);
  return found;
}

function Reports() {
  const { t } = useWords();
  const reports = useReports();
  if (!reports.length) return null;
  return (
    <>
      <h3 className="reports-head">{t('drill.reports')}</h3>
      {reports.slice(0, 6).map((one, number) => (
        <Report key={one.id} report={one} open={number === 0} />
      ))}
    </>
  );
}

function Report({ report, open }: { report: DrillReport; open: boolean }) {
  const { t, say } = useWords();
  const site = useSite();
  const place = usePlace();
  const people = useSection('people');
  const plans = useSection('drill_plans');
  const name = (id: string) => people[id]?.name ?? id.replace('visitor:', '');
  const s = (value?: number | null) => (value == null ? '—' : t('time.s', { s: Math.round(value) }));
  const verdict = report.passed == null ? 'open' : report.passed ? 'passed' : 'failed';
  const about = (kind: string, id: string) => (kind === 'person_hidden' ? name(id) : place(id));
  return (
    <details className={`report ${verdict}`} open={open}>
      <summary>
        <span className="mark">{t('mark.drill')}</span>
        <b>{plans[report.plan] ? say(plans[report.plan]?.names) : report.zones.map(place).join(t('list.comma'))}</b>
        <span>{moment(report.started_ms, site?.time_zone ?? 'UTC')}</span>
        <strong>
          {verdict === 'passed' && <IconCheck size={20} aria-hidden />}
          {verdict === 'failed' && <IconX size={20} aria-hidden />}
          {report.score} · {t(`drill.${verdict}`)}
        </strong>
      </summary>
      <dl className="score">
        <div><dt>{t('score.accounted')}</dt><dd>{report.accounted}/{report.on_roll}</dd></div>
        <div><dt>50 %</dt><dd>{s(report.to_50_s)}</dd></div>
        <div><dt>90 %</dt><dd>{s(report.to_90_s)}</dd></div>
        <div><dt>100 %</dt><dd>{s(report.to_100_s)}</dd></div>
        <div><dt>{t('score.participation')}</dt><dd>{report.participation} %</dd></div>
        <div><dt>{t('score.in_time', { s: report.target_s, share: report.target_share })}</dt><dd>{report.share_in_time} %</dd></div>
      </dl>
      {report.why !== 'person' && <p className="note">{t(`drill.why_${report.why}`)}</p>}
      <ul className="score-lines">
        {(report.attacks ?? []).map((one, number) => (
          <li key={number} className={one.noticed_s == null ? 'bad' : ''}>
            {t(`attack.${one.kind}`, { about: about(one.kind, one.about) })}: {one.noticed_s == null ? t('attack.unnoticed') : t('attack.noticed', { s: Math.round(one.noticed_s) })}
          </li>
        ))}
        {(report.people ?? []).map((one) => {
          const out = one.status === 'accounted' || one.status === 'rescue';
          return (
            <li key={one.person_id} className={out ? '' : 'bad'}>
              {name(one.person_id)}
              {(one.count ?? 1) > 1 ? ` ×${one.count}` : ''}: {out ? s(one.accounted_s) : t('score.missed')}
              {one.late ? ` · ${t('roll.late')}` : ''}
              {one.undone ? ` · ${t('score.undone', { count: one.undone })}` : ''}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
