import { IconMapPinOff } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useSection, useSite, useStale } from '../api/hooks';
import type { SiteView } from '../api/schema';
import { useWords } from '../i18n';
import { Card } from './Bits';
import { movePeople, type Marker } from './planPeople';
import { draw, heart, place, type Drawing, type Frame, type Point } from './planShape';
import { RoleMark, ROLES, roleOf } from './roles';
import { StateIcon, type ZoneState } from './ZoneState';

export function SitePlan() {
  const site = useSite();
  const { t, say } = useWords();
  const [chosen, choose] = useState('all');
  if (!site) return null;
  const several = site.levels.length > 1;
  const shown = chosen === 'all' ? site.levels.map((level) => level.id) : [chosen];
  const levels = several && (
    <div className="switch small" role="group" aria-label={t('plan.level')}>
      <button type="button" aria-pressed={chosen === 'all'} onClick={() => choose('all')}>
        {t('plan.all')}
      </button>
      {site.levels.map((level) => (
        <button
          key={level.id}
          type="button"
          aria-pressed={chosen === level.id}
          onClick={() => choose(level.id)}
        >
          {say(level.names)}
        </button>
      ))}
    </div>
  );
  return (
    <Card title={t('plan.title')} extra={levels} className="plan">
      <Plan site={site} shown={shown} />
      <Legend />
      <Nowhere />
    </Card>
  );
}

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, set] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => set(Math.round(entry?.contentRect.width ?? 0)));
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return [box, width];
}

function Plan({ site, shown }: { site: SiteView; shown: string[] }) {
  const { t } = useWords();
  const [box, width] = useWidth();
  const key = shown.join();
  const drawing = useMemo(
    () => (width > 40 ? draw(site, key.split(','), width, Math.max(440, innerHeight * 0.6)) : null),
    [site, key, width],
  );
  return (
    <div ref={box} className="planbox">
      {drawing && (
        <svg
          width={drawing.width}
          height={drawing.height}
          viewBox={`0 0 ${drawing.width} ${drawing.height}`}
          role="img"
          aria-label={t('plan.label')}
        >
          <Patterns />
          {drawing.frames.map((frame) => (
            <Floor key={frame.level.id} site={site} drawing={drawing} frame={frame} />
          ))}
          <People site={site} drawing={drawing} />
        </svg>
      )}
    </div>
  );
}

function Patterns() {
  return (
    <defs>
      <pattern id="hatch-evacuating" width="12" height="12" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path d="M0 0V12" stroke="var(--critical)" strokeOpacity=".32" strokeWidth="6" />
      </pattern>
      <pattern id="hatch-held" width="10" height="10" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
        <path d="M0 0V10" stroke="var(--major)" strokeOpacity=".22" strokeWidth="4" />
      </pattern>
      <pattern id="dots-unmonitored" width="9" height="9" patternUnits="userSpaceOnUse">
        <circle cx="2" cy="2" r="1.300" fill="var(--grey)" fillOpacity=".6" />
      </pattern>
    </defs>
  );
}

function Floor({ site, drawing, frame }: { site: SiteView; drawing: Drawing; frame: Frame }) {
  const { say } = useWords();
  const height = frame.height * drawing.scale;
  return (
    <g>
      <rect
        x="0.500"
        y={frame.top + HEAD - 0.5}
        width={drawing.width - 1}
        height={height}
        rx="10"
        className="floor"
      />
      <text x="2" y={frame.top + 19} className="floor-name">
        {say(frame.level.names)}
      </text>
      {frame.zones.map((zone) => (
        <ZoneArea
          key={zone.id}
          id={zone.id}
          name={say(zone.names)}
          points={(zone.polygon as Point[]).map((point) => place(drawing, frame, point))}
          label={place(drawing, frame, heart(zone.polygon as Point[]))}
        />
      ))}
      {site.muster_points
        .filter((point) => point.level === frame.level.id)
        .map((point) => (
          <Muster key={point.id} name={say(point.names)} at={place(drawing, frame, point.at as Point)} />
        ))}
    </g>
  );
}

const HEAD = 30;

function ZoneArea(props: { id: string; name: string; points: Point[]; label: Point }) {
  const { t } = useWords();
  const zone = useSection('zones')[props.id];
  const risk = useSection('risks')[props.id];
  const stale = useStale();
  const told = (zone?.state ?? 'unmonitored') as ZoneState;
  // Nothing is normal that is not known now.
  const state = stale && told === 'normal' ? 'unmonitored' : told;
  const others = (zone?.states ?? []).filter((one) => one !== state && one !== 'normal') as ZoneState[];
  const [x, y] = topOf(props.points);
  const points = props.points.map((point) => point.join()).join(' ');
  const words = t(stale && told === 'normal' ? 'zone.unknown' : `zone.${state}`);
  const count = zone !== undefined && zone.people > 0 ? ` · ${t('zone.people', { count: zone.people })}` : '';
  const xs = props.points.map((point) => point[0]);
  const room = Math.max(...xs) - Math.min(...xs) - 40;
  const long = breadth(props.name, 14) + breadth(words + count, 12.5) > room;
  const shortly = long && breadth(words + count, 12.5) > room && count ? ` · ${zone?.people}` : count;
  const index = risk && risk.band !== 'low' ? ` · ${t('risk.index', { index: risk.index })}` : '';
  const fits = breadth(words + shortly + index, 12.5) + (long ? 0 : breadth(props.name, 14)) <= room;
  return (
    <g className={`zone ${state}`} data-zone={props.id} data-state={state} data-risk={risk?.index}>
      <polygon points={points} className="zone-fill" />
      {state !== 'normal' && <polygon points={points} className={`zone-over ${state}`} />}
      <g transform={`translate(${x + 10} ${y + 9})`}>
        <StateIcon state={state} size={16} />
        <text x="21" y="13" className="zone-label">
          <tspan className="zone-name">{props.name}</tspan>
          <tspan className="zone-words" {...(long ? { x: 21, dy: 17 } : { dx: 6 })}>
            {words}
            {shortly}
            {fits && index}
          </tspan>
        </text>
        {others.map((one, i) => (
          <g key={one} transform={`translate(${i * 20} ${long ? 38 : 20})`}>
            <StateIcon state={one} size={16} title={t(`zone.${one}`)} />
          </g>
        ))}
      </g>
    </g>
  );
}

/** About how many pixels a label takes: Chinese is square, Latin is not. */
function breadth(text: string, size: number): number {
  return [...text].reduce((sum, one) => sum + size * (one > '\u2e80' ? 1 : 0.62), 0);
}

/** The corner where a label starts: the leftmost of the highest edge. */
function topOf(points: Point[]): Point {
  const top = Math.min(...points.map((point) => point[1]));
  const left = Math.min(...points.filter((point) => point[1] < top + 2).map((point) => point[0]));
  return [left, top];
}

function Muster({ name, at: [x, y] }: { name: string; at: Point }) {
  return (
    <g className="muster-point" transform={`translate(${x} ${y})`}>
      <title>{name}</title>
      <rect x="-13" y="-13" width="26" height="26" rx="5" />
      <path d="M-8-8L-3-3M8-8L3-3M-8 8L-3 3M8 8L3 3M-7.500-3H-3V-7.500M7.500-3H3V-7.500M-7.500 3H-3V7.500M7.500 3H3V7.500" />
      <text y="28" textAnchor="middle">
        {name}
      </text>
    </g>
  );
}

/** One group per person, moved without React at most four times a second. */
function People({ site, drawing }: { site: SiteView; drawing: Drawing }) {
  const { t } = useWords();
  const people = useSection('people');
  const layer = useRef<SVGGElement>(null);
  const markers: Marker[] = useMemo(
    () =>
      Object.values(people).map((one) => ({
        id: one.id,
        name: one.name,
        role: roleOf(one.roles),
        zone: one.zone_id,
      })),
    [people],
  );
  useEffect(
    () => (layer.current ? movePeople(layer.current, site, drawing, markers) : undefined),
    [site, drawing, markers],
  );
  return <g ref={layer} aria-label={t('plan.people')} className="people" />;
}

function Legend() {
  const { t } = useWords();
  const states: ZoneState[] = ['normal', 'held', 'unmonitored', 'alarm', 'evacuating'];
  return (
    <div className="legend">
      <ul aria-label={t('plan.roles')}>
        {ROLES.map((role) => (
          <li key={role}>
            <RoleMark role={role} size={16} />
            {t(`role.${role}`)}
          </li>
        ))}
      </ul>
      <ul aria-label={t('plan.states')}>
        {states.map((state) => (
          <li key={state} className={`zone-key ${state}`}>
            <svg width="16" height="16" aria-hidden>
              <StateIcon state={state} size={16} />
            </svg>
            {t(`zone.${state}`)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Who was not found is told in words: unknown is never 'outside'. */
function Nowhere() {
  const { t, say } = useWords();
  const site = useSite();
  const lost = Object.values(useSection('people')).filter((one) => one.zone_id === null);
  if (!lost.length) return null;
  const zone = (id: string | null) => say(site?.zones.find((one) => one.id === id)?.names);
  return (
    <p className="nowhere">
      <IconMapPinOff size={18} aria-hidden />
      <span>
        <b>{t('plan.nowhere', { count: lost.length })}</b>{' '}
        {lost
          .map((one) => one.name + (one.last_zone_id ? t('plan.last', { zone: zone(one.last_zone_id) }) : ''))
          .join(t('list.comma'))}
      </span>
    </p>
  );
}
