import { IconAlertTriangle, IconClockPause, IconGauge } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useBeat, useSection, useSite } from '../api/hooks';
import type { DeviceView, EntityView, SiteView, ZoneView } from '../api/schema';
import { store } from '../api/store';
import { figure, span } from '../app/format';
import { limitText, named, nearest, qualityOf, share } from '../app/gas';
import { useWords } from '../i18n';
import { Card, Empty } from './Bits';

const Trend = lazy(() => import('./Trend'));
const WORST = ['evacuating', 'alarm', 'unmonitored', 'held', 'normal'];

export interface Gas {
  entity: EntityView;
  device: DeviceView;
}

/** Gas entities by zone, for the zones that have any. */
export function gasesByZone(devices: Record<string, DeviceView>): Map<string, Gas[]> {
  const found = new Map<string, Gas[]>();
  for (const device of Object.values(devices)) {
    if (!device.zone_id) continue;
    const gases = device.entities.filter((one) => one.kind === 'gas');
    const list = found.get(device.zone_id) ?? [];
    list.push(...gases.map((entity) => ({ entity, device })));
    if (list.length) found.set(device.zone_id, list);
  }
  return found;
}

function worst(zones: Record<string, ZoneView>, ids: string[]): string {
  const rank = (id: string) => WORST.indexOf(zones[id]?.state ?? 'normal');
  const alarms = (id: string) => (zones[id]?.priority ? zones[id].priority : 9);
  return ids.slice().sort((a, b) => alarms(a) - alarms(b) || rank(a) - rank(b))[0] ?? '';
}

export function GasCard() {
  const { t, say } = useWords();
  const site = useSite();
  const zones = useSection('zones');
  const byZone = gasesByZone(useSection('devices'));
  const [picked, pick] = useState('');
  if (!site) return null;
  const ids = [...byZone.keys()];
  const zone = byZone.has(picked) ? picked : worst(zones, ids);
  const gases = byZone.get(zone) ?? [];
  const name = (id: string) => say(site.zones.find((one) => one.id === id)?.names) || id;
  const choice = ids.length > 1 && (
    <div className="switch small" role="group" aria-label={t('gas.zone')}>
      {ids.map((id) => (
        <button key={id} type="button" aria-pressed={id === zone} onClick={() => pick(id)}>
          {name(id)}
        </button>
      ))}
    </div>
  );
  return (
    <Card title={t('gas.title')} extra={choice} className="gas">
      {gases.length ? (
        <>
          <Tiles site={site} gases={gases} />
          <p className="chart-title">{t('gas.trend')}</p>
          <Suspense fallback={<div className="chart" />}>
            <Trend key={zone} gases={gases} />
          </Suspense>
        </>
      ) : (
        <Empty icon={<IconGauge size={28} aria-hidden />}>{t('gas.none')}</Empty>
      )}
    </Card>
  );
}

function Tiles({ site, gases }: { site: SiteView; gases: Gas[] }) {
  useBeat();
  return (
    <div className="tiles">
      {gases.slice(0, 8).map((gas, index) => (
        <Tile key={gas.entity.id} site={site} gas={gas} series={(index % 5) + 1} />
      ))}
    </div>
  );
}

function Tile({ site, gas, series }: { site: SiteView; gas: Gas; series: number }) {
  const { t, say } = useWords();
  const { entity } = gas;
  const [value, number, received] = store.live[entity.id] ?? [null, 6, 0];
  const quality = qualityOf(number);
  const good = quality === 'good' || quality === 'uncertain';
  const measured = typeof value === 'number' ? value : null;
  const limit = nearest(measured, entity.limits);
  const used = measured === null || !limit ? null : share(measured, entity.limits, [limit]);
  const over = good && used !== null && used >= 100;
  const age = received ? span(store.now() - received, t) : '';
  const title = say(named(site.quantities, entity.quantity)?.names) || entity.name;
  return (
    <article className={`tile ${quality} ${over ? 'over' : ''}`} style={{ '--series': `var(--c${series})` } as React.CSSProperties}>
      <h3>
        <i aria-hidden />
        {title}
      </h3>
      <p className="tile-value">
        {over && <IconAlertTriangle size={20} aria-label={t('gas.over')} />}
        <b>{figure(measured)}</b> <small>{entity.unit}</small>
      </p>
      <div className="gauge" aria-hidden>
        <span style={{ width: `${Math.min(100, used ?? 0)}%` }} />
      </div>
      <p className="tile-foot">
        {good ? (
          <span>
            {limit ? t('gas.limit', { limit: limitText(limit) }) : ''}
            {used !== null && ` · ${Math.round(used)}%`}
          </span>
        ) : (
          <span className="bad-quality">
            <IconClockPause size={14} aria-hidden />
            {t(`quality.${quality}`)}
            {age && ` · ${t('gas.age', { span: age })}`}
          </span>
        )}
      </p>
    </article>
  );
}
