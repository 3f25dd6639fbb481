import { store } from '../api/store';
import type { SiteView } from '../api/schema';
import { heart, levelAt, place, type Drawing, type Frame, type Point } from './planShape';
import { FILL, SHAPE, type Role } from './roles';

export interface Marker {
  id: string;
  name: string;
  role: Role;
  zone: string | null;
}

/** At most four a second: each move repaints the plan. */
const PERIOD_MS = 250;
/** More people than this on a plan are shown by their first letter alone. */
const NAMED = 16;
const NARROW_PX = 520;
const CLOSE_PX = 30;
const NS = 'http://www.w3.org/2000/svg';

/** Where a marker stands: the tag's own place, else the zone's heart. */
function spot(site: SiteView, drawing: Drawing, marker: Marker, index: number): Point | null {
  const at = store.positions[marker.id];
  if (at) {
    const zone = site.zones.find((one) => one.id === marker.zone);
    const level = zone?.level ?? levelAt(site.levels, at[2] ?? 0);
    const frame = drawing.frames.find((one) => one.level.id === level);
    return frame ? clamp(drawing, frame, place(drawing, frame, [at[0]!, at[1]!])) : null;
  }
  if (!marker.zone) return null;
  const frame = drawing.frames.find((one) => one.zones.some((zone) => zone.id === marker.zone));
  const zone = frame?.zones.find((one) => one.id === marker.zone);
  if (!frame || !zone) return null;
  const [x, y] = place(drawing, frame, heart(zone.polygon as Point[]));
  // Without a position people of a zone stand in a ring, not on each other.
  return [x + Math.cos(index * 2.4) * 26, y + Math.sin(index * 2.4) * 18];
}

function clamp(drawing: Drawing, frame: Frame, [x, y]: Point): Point {
  const top = frame.top + 30;
  return [
    Math.max(14, Math.min(drawing.width - 14, x)),
    Math.max(top + 14, Math.min(top + frame.height * drawing.scale - 14, y)),
  ];
}

/** Step aside from those who stand there already: each face must be seen. */
function apart(at: Point | null, taken: Point[]): Point | null {
  if (!at) return null;
  const free = ([x, y]: Point) => taken.every((other) => Math.hypot(other[0] - x, other[1] - y) >= CLOSE_PX);
  let to = at;
  for (let i = 0; i < 24 && !free(to); i += 1) {
    const turn = i * 2.4;
    const reach = CLOSE_PX * (0.6 + i * 0.13);
    to = [at[0] + Math.cos(turn) * reach * 1.25, at[1] - Math.abs(Math.sin(turn)) * reach];
  }
  taken.push(to);
  return to;
}

function element(marker: Marker, named: boolean): SVGGElement {
  const group = document.createElementNS(NS, 'g');
  group.setAttribute('class', 'person');
  group.dataset.person = marker.id;
  const title = document.createElementNS(NS, 'title');
  title.textContent = marker.name;
  const shape = document.createElementNS(NS, 'path');
  shape.setAttribute('d', SHAPE[marker.role]);
  shape.setAttribute('fill', FILL[marker.role]);
  const letter = document.createElementNS(NS, 'text');
  letter.setAttribute('y', '4.2');
  letter.setAttribute('class', 'letter');
  letter.textContent = marker.name.slice(0, 1);
  group.append(title, shape, letter);
  if (named) {
    const label = document.createElementNS(NS, 'text');
    label.setAttribute('y', '27');
    label.setAttribute('class', 'person-name');
    label.textContent = marker.name;
    group.append(label);
  }
  return group;
}

/** Draw the people and move them as positions come; returns how to stop. */
export function movePeople(
  layer: SVGGElement,
  site: SiteView,
  drawing: Drawing,
  markers: Marker[],
): () => void {
  const named = markers.length <= NAMED && drawing.width > NARROW_PX;
  layer.replaceChildren();
  const drawn = markers.map((marker) => {
    const group = element(marker, named);
    layer.append(group);
    return { marker, group, at: '' };
  });
  let last = 0;
  let waiting = 0;
  const paint = () => {
    waiting = 0;
    last = performance.now();
    const taken: Point[] = [];
    drawn.forEach((one, index) => {
      const to = apart(spot(site, drawing, one.marker, index), taken);
      const at = to ? `translate(${to[0].toFixed(1)} ${to[1].toFixed(1)})` : 'none';
      if (at === one.at) return;
      one.at = at;
      one.group.style.display = to ? '' : 'none';
      if (to) one.group.setAttribute('transform', at);
      const quality = store.positions[one.marker.id]?.[3] ?? 0;
      one.group.classList.toggle('unsure', quality > 1);
    });
  };
  const soon = () => {
    if (waiting) return;
    const wait = Math.max(0, PERIOD_MS - (performance.now() - last));
    waiting = window.setTimeout(() => requestAnimationFrame(paint), wait);
  };
  paint();
  const off = store.onMove(soon);
  return () => {
    off();
    clearTimeout(waiting);
  };
}
