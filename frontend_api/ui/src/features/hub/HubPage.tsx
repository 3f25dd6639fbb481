import { IconChecklist, IconCircleCheck, IconCircleX, IconDeviceTablet, IconPlayerPlay } from '@tabler/icons-react';
import { Link as Anchor } from 'wouter';
import { useBeat, useDurable, useSection, useSite } from '../../api/hooks';
import type { DeviceView } from '../../api/schema';
import { store } from '../../api/store';
import { clock, figure, span } from '../../app/format';
import { qualityOf } from '../../app/gas';
import { Card } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Outputs } from './Outputs';

export function HubPage() {
  const { t } = useWords();
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('nav.hub')}</h2>
        <div className="acts" style={{ marginTop: 0 }}>
          <Anchor href="/devices" className="btn">
            <IconDeviceTablet size={20} aria-hidden />
            {t('nav.devices')}
          </Anchor>
          <Anchor href="/rules" className="btn">
            <IconChecklist size={20} aria-hidden />
            {t('nav.rules')}
          </Anchor>
        </div>
      </div>
      <div className="cards">
        <Health />
        <Processes />
        <Outputs />
        <Rules />
        <Devices />
      </div>
    </div>
  );
}

function Health() {
  const { t, say } = useWords();
  const site = useSite();
  const hub = useSection('hub').hub;
  const durable = useDurable();
  const people = useSection('people');
  useBeat();
  if (!hub) return null;
  const zone = (id: string) => say(site?.zones.find((one) => one.id === id)?.names) || id;
  const good = hub.journal === 'ok';
  return (
    <Card title={t('hub.health')}>
      <dl className="facts rows">
        <Fact name={t('hub.link')} good={hub.reachable}>
          {t(hub.reachable ? 'hub.reachable' : 'hub.unreachable')} · {clock(hub.since_ms, site?.time_zone ?? 'UTC', true)}
        </Fact>
        <Fact name={t('hub.journal')} good={good}>
          {t(`journal.${hub.journal}`)} · {t('hub.seq', { seq: store.seq, durable })}
        </Fact>
        <Fact name={t('hub.unmonitored')} good={!hub.unmonitored.length}>
          {hub.unmonitored.map(zone).join(t('list.comma')) || t('hub.none')}
        </Fact>
        <Fact name={t('hub.config')} good={!hub.refused_config_hash}>
          <code>{hub.config_hash.slice(0, 12) || '—'}</code>
          {hub.refused_config_hash && ` · ${t('hub.refused')}`}
        </Fact>
        <Fact name={t('hub.version')}>
          {hub.version} · {hub.started_ms ? t('hub.up', { span: span(store.now() - hub.started_ms, t) }) : ''}
        </Fact>
        <Fact name={t('hub.watching')}>
          {hub.watching.map((one) => people[one.person_id]?.name ?? one.person_id).join(t('list.comma')) || '—'}
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, good, children }: { name: string; good?: boolean; children: React.ReactNode }) {
  const { t } = useWords();
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {good === true && <IconCircleCheck size={18} className="proof-good" aria-label={t('proof.confirmed')} />}
        {good === false && <IconCircleX size={18} className="proof-wrong" aria-label={t('proof.failed')} />}
        {children}
      </dd>
    </div>
  );
}

const RUNNING = ['running', 'ready', 'up', 'ok'];

function Processes() {
  const { t } = useWords();
  const processes = Object.entries(useSection('hub').hub?.processes ?? {});
  return (
    <Card title={t('hub.processes')}>
      <dl className="facts rows">
        {processes.map(([name, state]) => (
          <Fact key={name} name={name} good={RUNNING.includes(state)}>
            {t(`process.${state}`, { defaultValue: state })}
          </Fact>
        ))}
        {!processes.length && <p className="note">{t('hub.no_processes')}</p>}
      </dl>
    </Card>
  );
}

function Rules() {
  const { t, say } = useWords();
  const site = useSite();
  const runs = Object.values(useSection('runs'));
  if (!runs.length) return null;
  return (
    <Card title={t('hub.runs')}>
      {runs.map((run) => (
        <details key={run.id} className="run" open>
          <summary>
            <IconPlayerPlay size={16} aria-hidden />
            <b>{say(run.names)}</b> <span>{clock(run.started_ms, site?.time_zone ?? 'UTC', true)}</span>
          </summary>
          <ol>
            {run.steps.map((step) => (
              <li key={step.path} className={step.state}>
                <code>{step.path}</code> {t(`step.${step.state}`, { defaultValue: step.state })} {step.detail}
              </li>
            ))}
          </ol>
        </details>
      ))}
    </Card>
  );
}

function Devices() {
  const { t, say } = useWords();
  const site = useSite();
  const people = useSection('people');
  const devices = Object.values(useSection('devices'));
  useBeat(2000);
  const where = (device: DeviceView) =>
    device.person_id
      ? (people[device.person_id]?.name ?? device.person_id)
      : say(site?.zones.find((one) => one.id === device.zone_id)?.names) || '—';
  return (
    <Card title={t('hub.devices')} note={t('hub.count', { count: devices.length })} className="wide-card">
      <ul className="devices">
        {devices.map((device) => (
          <li key={device.id}>
            <IconDeviceTablet size={22} stroke={1.6} aria-hidden />
            <div>
              <Anchor href={`/devices/${device.id}`} className="textlink">
                {device.name}
              </Anchor>
              <span>
                {where(device)} · {device.integration} {device.model}
              </span>
            </div>
            <div className="device-values">
              {device.entities.slice(0, 4).map((entity) => {
                const [value, number] = store.live[entity.id] ?? [null, 6];
                if (entity.kind === 'location') return null;
                const quality = qualityOf(number);
                const on = typeof value === 'boolean' ? t(value ? 'value.on' : 'value.off') : `${figure(value)} ${entity.unit}`;
                return (
                  <span key={entity.id} className={quality === 'good' ? '' : 'bad-quality'}>
                    {quality === 'good' ? on : t(`quality.${quality}`)}
                  </span>
                );
              })}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
