import { Select } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor, useLocation } from 'wouter';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { DeviceQualityView, DeviceView, EntityQualityView, WaitingDevices } from '../../api/schema';
import { moment, span } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { NOTHING } from './JsonForm';
import { Fact, Reason, StandingTag, useLive, useValue, useWhere } from './parts';
import { ProofTest } from './ProofTest';
import { Wearing } from './Wearing';
import './devices.css';

const DEVICE = /^(device|discovery)\./;

/** One device: what it says now, how it has been doing, and what may be done with it. */
export function DevicePage({ id }: { id: string }) {
  const { t } = useWords();
  const device = useSection('devices')[id];
  const { found: quality, problem } = useLive<DeviceQualityView>(`/api/v1/devices/${id}/quality`, DEVICE, 30_000);
  const where = useWhere();
  useBeat(2000);
  if (!device) {
    return (
      <div className="page work">
        <Back />
        <p className="note">{t('devices.gone')}</p>
      </div>
    );
  }
  return (
    <div className="page work">
      <Back />
      <div className="page-head">
        <h2>{device.name}</h2>
        <StandingTag device={device} />
      </div>
      <div className="cards">
        <Card title={t('devices.now')} note={where(device.zone_id, device.person_id)}>
          <Now device={device} />
        </Card>
        {device.wearable && (
          <Card title={t('devices.wearer')}>
            <Wearing device={device} />
          </Card>
        )}
        {device.entities.some((one) => one.proof) && (
          <Card title={t('outputs.proof_tests')}>
            {device.entities
              .filter((one) => one.proof)
              .map((one) => (
                <section key={one.id} className="proof-row">
                  <h3>{one.name}</h3>
                  <ProofTest entity={one} />
                </section>
              ))}
          </Card>
        )}
        <Card title={t('devices.about')}>
          <About device={device} />
        </Card>
        <Card title={t('devices.quality')} note={t('devices.last_day')}>
          <Refused problem={problem} />
          {quality && <Quality quality={quality} />}
        </Card>
        {quality && (quality.bad_input.length > 0 || quality.findings.length > 0) && (
          <Card title={t('devices.trouble')}>
            <Trouble quality={quality} />
          </Card>
        )}
        <Card title={t('devices.do')}>
          <Deeds device={device} />
        </Card>
      </div>
    </div>
  );
}

export function Back({ to = '/devices' }: { to?: string }) {
  const { t } = useWords();
  return (
    <Anchor href={to} className="btn back">
      <IconArrowLeft size={20} aria-hidden />
      {t(to === '/devices' ? 'nav.devices' : 'devices.back')}
    </Anchor>
  );
}

function Now({ device }: { device: DeviceView }) {
  const { t } = useWords();
  const value = useValue();
  return (
    <dl className="facts rows">
      {device.entities.map((one) => {
        const now = value(one.id, one.unit);
        return (
          <Fact key={one.id} name={one.name + (one.critical ? ` · ${t('devices.critical')}` : '')} good={now.good}>
            {now.words}
            {!now.good && ` · ${now.quality}`}
            {!now.good && now.reason && (
              <>
                {' · '}
                <Reason code={now.reason} />
              </>
            )}
          </Fact>
        );
      })}
    </dl>
  );
}

function About({ device }: { device: DeviceView }) {
  const { t } = useWords();
  return (
    <dl className="facts rows">
      <Fact name={t('devices.uid')}>
        <code>{device.uid}</code>
      </Fact>
      <Fact name={t('devices.maker')}>{[device.manufacturer, device.model].filter(Boolean).join(' ') || '—'}</Fact>
      <Fact name={t('devices.serial')}>{device.serial || '—'}</Fact>
      <Fact name={t('devices.integration')}>{device.integration}</Fact>
      <Fact name={t('devices.proved')}>{device.configured ? t('devices.by_file') : device.proof ? t(`devices.proof.${device.proof}`) : '—'}</Fact>
    </dl>
  );
}

function Quality({ quality }: { quality: DeviceQualityView }) {
  const { t } = useWords();
  if (quality.points === null) return <p className="note">{t('devices.no_past')}</p>;
  return (
    <>
      <p className="score">
        <b>{Math.round(quality.points)}</b> / 100
      </p>
      {quality.entities.map((one) => (
        <details key={one.entity_id} className="run">
          <summary>
            <b>{one.name}</b> {Math.round(one.points)} / 100
          </summary>
          <Past one={one} />
        </details>
      ))}
    </>
  );
}

function Past({ one }: { one: EntityQualityView }) {
  const { t, say } = useWords();
  const site = useSite();
  return (
    <>
      <dl className="facts rows">
        <Fact name={t('devices.covered')}>{Math.round(one.covered * 100)} %</Fact>
        <Fact name={t('devices.gaps')}>
          {one.gaps ? t('devices.gap_longest', { count: one.gaps, span: span(one.longest_gap_s * 1000, t) }) : t('devices.no_gaps')}
        </Fact>
        <Fact name={t('devices.believed')}>{Math.round(one.good * 100)} %</Fact>
        {one.drift !== null && (
          <Fact name={t('devices.drift')} good={!one.drifted}>
            {one.drift.toPrecision(2)}
          </Fact>
        )}
      </dl>
      {one.out.slice(-5).map((row) => (
        <p key={row.ms} className="note">
          {moment(row.ms, site?.time_zone ?? 'UTC')} · {String(row.raw ?? '—')} · {say(row.text)}
        </p>
      ))}
    </>
  );
}

function Trouble({ quality }: { quality: DeviceQualityView }) {
  const { t, say } = useWords();
  const site = useSite();
  return (
    <>
      {quality.findings.map((one) => (
        <p key={one.entity + one.code} className="told-bad">
          <b>{one.entity}</b> {say(one.text)}
        </p>
      ))}
      {quality.bad_input.map((one) => (
        <div key={one.name} className="bad-frame">
          <p>
            <b title={one.name}>{say(one.text)}</b> · {t('devices.times', { count: one.count })} · {moment(one.at_ms, site?.time_zone ?? 'UTC')}
          </p>
          <code>{one.frame || '—'}</code>
        </div>
      ))}
    </>
  );
}

function Deeds({ device }: { device: DeviceView }) {
  const { t, say } = useWords();
  const site = useSite();
  const [, go] = useLocation();
  const { ask, busy, problem } = useAct();
  const [zone, setZone] = useState<string | null>(device.zone_id);
  const [other, setOther] = useState<string | null>(null);
  const [sure, setSure] = useState(false);
  const { found: waiting } = useLive<WaitingDevices>('/api/v1/waiting-devices', DEVICE, 5000);
  const alike = (waiting?.items ?? []).filter((one) => one.replaces.includes(device.id));
  const replace = async () => {
    const one = alike.find((each) => each.id === other);
    if (one) await ask('device.replace', { device_id: device.id, integration: one.integration, uid: one.uid });
  };
  if (device.configured) return <p className="note">{t('devices.by_file_note')}</p>;
  return (
    <div className="device-form">
      <Refused problem={problem} />
      <Select
        label={t('devices.zone')}
        data={[NOTHING, ...(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))]}
        value={zone ?? ''}
        onChange={(one) => setZone(one || null)}
        allowDeselect={false}
      />
      <button type="button" className="btn" disabled={busy || zone === device.zone_id} onClick={() => void ask('device.zone', { device_id: device.id, zone_id: zone })}>
        {t('devices.put_there')}
      </button>
      {alike.length > 0 && (
        <>
          <Select label={t('devices.replace_by')} data={alike.map((one) => ({ value: one.id, label: `${one.name} (${one.uid})` }))} value={other} onChange={setOther} />
          <button type="button" className="btn" disabled={busy || !other} onClick={() => void replace()}>
            {t('devices.replace')}
          </button>
        </>
      )}
      {sure ? (
        <div className="acts">
          <button type="button" className="btn danger" disabled={busy} onClick={() => void ask('device.remove', { device_id: device.id }).then((done) => done && go('/devices'))}>
            {t('devices.remove_sure')}
          </button>
          <button type="button" className="btn" onClick={() => setSure(false)}>
            {t('devices.keep')}
          </button>
        </div>
      ) : (
        <button type="button" className="btn" onClick={() => setSure(true)}>
          {t('devices.remove')}
        </button>
      )}
    </div>
  );
}
