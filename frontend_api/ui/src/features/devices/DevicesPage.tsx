import { TextInput } from '@mantine/core';
import { IconHelmet, IconPlugConnected, IconRadar2, IconSearch, IconShieldCheck } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { DeviceView, DiscoveryView } from '../../api/schema';
import { Empty } from '../../components/Bits';
import { useWords } from '../../i18n';
import { standingOf, StandingTag, useLive, useValue, useWhere } from './parts';
import './devices.css';

const FOUND = /^(discovery|device|config)\./;

/** Every enrolled device by the zone that it serves, the troubled ones first. */
export function DevicesPage() {
  const { t, say } = useWords();
  const site = useSite();
  const devices = Object.values(useSection('devices'));
  const people = useSection('people');
  const [wanted, setWanted] = useState('');
  const { found } = useLive<DiscoveryView>('/api/v1/discovery', FOUND, 5000);
  useBeat(2000);
  const text = wanted.trim().toLowerCase();
  const shown = devices.filter((one) =>
    [one.name, one.uid, one.integration, one.model, one.person_id ? (people[one.person_id]?.name ?? '') : ''].some((word) =>
      word.toLowerCase().includes(text),
    ),
  );
  const groups = useMemo(() => [...(site?.zones ?? []).map((zone) => ({ id: zone.id as string | null, name: say(zone.names) })), { id: null, name: t('devices.elsewhere') }], [site, say, t]);
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('nav.devices')}</h2>
        <div className="acts head-acts">
          <Anchor href="/devices/found" className="btn primary">
            <IconRadar2 size={20} aria-hidden />
            {found?.items.length ? t('devices.found_count', { count: found.items.length }) : t('devices.found')}
          </Anchor>
          <Anchor href="/devices/integrations" className="btn">
            <IconPlugConnected size={20} aria-hidden />
            {t('devices.integrations')}
          </Anchor>
          <Anchor href="/devices/commissioning" className="btn">
            <IconShieldCheck size={20} aria-hidden />
            {t('devices.commissioning')}
          </Anchor>
          {devices.some((one) => one.wearable) && (
            <Anchor href="/devices/rack" className="btn">
              <IconHelmet size={20} aria-hidden />
              {t('wear.rack')}
            </Anchor>
          )}
        </div>
      </div>
      <TextInput
        aria-label={t('devices.search')}
        placeholder={t('devices.search')}
        leftSection={<IconSearch size={20} aria-hidden />}
        value={wanted}
        onChange={(event) => setWanted(event.currentTarget.value)}
      />
      {!devices.length && <Empty icon={<IconRadar2 size={40} aria-hidden />}>{t('devices.none')}</Empty>}
      {devices.length > 0 && !shown.length && <p className="note">{t('devices.no_match')}</p>}
      {groups.map((group) => {
        const here = shown.filter((one) => (one.zone_id ?? null) === group.id);
        return here.length ? <Group key={group.id ?? ''} name={group.name} devices={here} /> : null;
      })}
    </div>
  );
}

function Group({ name, devices }: { name: string; devices: DeviceView[] }) {
  const well = (one: DeviceView) => Number(['good', 'switches'].includes(standingOf(one)));
  const sorted = [...devices].sort((a, b) => well(a) - well(b) || a.name.localeCompare(b.name));
  return (
    <section className="device-list" aria-label={name}>
      <h3>{name}</h3>
      {sorted.map((device) => (
        <Row key={device.id} device={device} />
      ))}
    </section>
  );
}

function Row({ device }: { device: DeviceView }) {
  const where = useWhere();
  const value = useValue();
  return (
    <article className={`device ${standingOf(device)}`} aria-label={device.name}>
      <header>
        <h4>
          <Anchor href={`/devices/${device.id}`} className="textlink">
            {device.name}
          </Anchor>
        </h4>
        <StandingTag device={device} />
      </header>
      <p className="note">
        {device.person_id ? `${where(null, device.person_id)} · ` : ''}
        {device.integration} {device.model}
      </p>
      <p className="device-now">
        {device.entities
          .filter((one) => one.kind !== 'event' && one.kind !== 'location')
          .slice(0, 4)
          .map((one) => {
            const now = value(one.id, one.unit);
            return (
              <span key={one.id} className={now.good ? '' : 'bad-quality'}>
                {one.name} <b>{now.good ? now.words : now.quality}</b>
              </span>
            );
          })}
      </p>
    </article>
  );
}
