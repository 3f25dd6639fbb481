import { Select, TextInput } from '@mantine/core';
import { IconEyeOff, IconPlayerStop, IconPlugConnected, IconRadar2 } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import type { DiscoveryView, ProposalView, ScanView } from '../../api/schema';
import { Card, Empty, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import { useLive } from './parts';
import './devices.css';

const FOUND = /^(discovery|device|config)\./;
const KINDS = ['modbus_tcp', 'modbus_serial', 'opcua'] as const;

/** What the hub has found by itself, what waits for a person, and scans. */
export function FoundPage() {
  const { t, say } = useWords();
  const { found, problem } = useLive<DiscoveryView>('/api/v1/discovery', FOUND, 2000);
  const { ask, busy, problem: refused } = useAct();
  return (
    <div className="page work">
      <Back />
      <div className="page-head">
        <h2>{t('devices.found')}</h2>
      </div>
      <Refused problem={refused ?? problem} />
      {found && !found.running && <p className="told-bad">{t('devices.not_listening')}</p>}
      {found && !found.items.length && <Empty icon={<IconRadar2 size={40} aria-hidden />}>{t('devices.nothing_found')}</Empty>}
      {found && found.items.length > 0 && (
        <section className="device-list" aria-label={t('devices.waits')}>
          {found.items.map((one) => (
            <Found
              key={one.id}
              one={one}
              may={found.may_ignore && !busy}
              ignore={() => void ask('discovery.ignore', { key: one.id, keys: one.keys, name: one.name })}
            />
          ))}
        </section>
      )}
      <div className="cards">
        {found?.may_scan && <Scan scan={found.scan} />}
        {found && found.ignored.length > 0 && (
          <Card title={t('devices.ignored')}>
            {found.ignored.map((one) => (
              <div key={one.id} className="ignored">
                <span>
                  <b>{one.name || one.id}</b> {say(one.by)}
                </span>
                {found.may_ignore && (
                  <button type="button" className="btn" disabled={busy} onClick={() => void ask('discovery.recall', { key: one.id })}>
                    {t('devices.recall')}
                  </button>
                )}
              </div>
            ))}
          </Card>
        )}
        {found && (
          <Card title={t('devices.listeners')}>
            <dl className="facts rows">
              {found.listeners.map((one) => (
                <div key={one.id}>
                  <dt>{t(`devices.kind.${one.id}`, { defaultValue: one.id })}</dt>
                  <dd>
                    {t(`devices.listener.${one.state}`, { defaultValue: one.state })} {one.detail}
                  </dd>
                </div>
              ))}
            </dl>
          </Card>
        )}
      </div>
    </div>
  );
}

function Found(props: { one: ProposalView; may: boolean; ignore: () => void }) {
  const { t, say } = useWords();
  const { one, may, ignore } = props;
  const facts = new URLSearchParams({ ...one.facts, integration: one.integration });
  return (
    <article className="device doubtful" aria-label={one.name}>
      <header>
        <h3>{one.name}</h3>
        <span className="tag">{t(`devices.kind.${one.kind}`, { defaultValue: one.kind })}</span>
      </header>
      <p className="note">
        {one.integration} {one.address}
      </p>
      <ul className="why">
        {one.why.map((each) => (
          <li key={each.en}>{say(each)}</li>
        ))}
      </ul>
      <div className="acts">
        {one.waiting ? (
          <Anchor href={`/devices/enrol/${encodeURIComponent(one.waiting)}`} className="btn primary">
            <IconPlugConnected size={20} aria-hidden />
            {t('devices.enrol')}
          </Anchor>
        ) : (
          <Anchor href={`/devices/setup?${facts.toString()}`} className="btn primary">
            <IconPlugConnected size={20} aria-hidden />
            {t('devices.set_up')}
          </Anchor>
        )}
        {may && (
          <button type="button" className="btn" onClick={ignore}>
            <IconEyeOff size={20} aria-hidden />
            {t('devices.ignore')}
          </button>
        )}
      </div>
    </article>
  );
}

function Scan({ scan }: { scan: ScanView | null }) {
  const { t, say } = useWords();
  const { ask, busy, problem } = useAct();
  const [kind, setKind] = useState<(typeof KINDS)[number]>('modbus_tcp');
  const [target, setTarget] = useState('');
  const running = scan?.state === 'running';
  return (
    <Card title={t('devices.scan')}>
      <div className="device-form">
        <p className="note">{t('devices.scan_note')}</p>
        <Select
          label={t('devices.scan_kind')}
          data={KINDS.map((one) => ({ value: one, label: t(`devices.kind.${one}`) }))}
          value={kind}
          onChange={(one) => one && setKind(one as (typeof KINDS)[number])}
          allowDeselect={false}
        />
        <TextInput label={t('devices.scan_target')} description={t(`devices.scan_example.${kind}`)} value={target} onChange={(event) => setTarget(event.currentTarget.value)} />
        <Refused problem={problem} />
        {running && scan ? (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('discovery.stop', { scan_id: scan.id })}>
            <IconPlayerStop size={20} aria-hidden />
            {t('devices.scan_stop')}
          </button>
        ) : (
          <button type="button" className="btn primary" disabled={busy || !target.trim()} onClick={() => void ask('discovery.scan', { kind, target: target.trim() })}>
            <IconRadar2 size={20} aria-hidden />
            {t('devices.scan_start')}
          </button>
        )}
        {scan && (
          <div role="status">
            <p>
              {scan.target} · {t(`devices.scan_state.${scan.state}`, { defaultValue: scan.state })}
              {running && ` · ${scan.done} / ${scan.total}`} · {t('devices.scan_found', { count: scan.found })}
            </p>
            {running && <progress value={scan.done} max={Math.max(scan.total, 1)} aria-label={t('devices.scan')} />}
            {scan.why && <p className="told-bad">{say(scan.why)}</p>}
            {scan.notes.map((one) => (
              <p key={one.en} className="note">
                {say(one)}
              </p>
            ))}
          </div>
        )}
      </div>
    </Card>
  );
}
