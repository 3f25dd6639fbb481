import type { LevelView, SiteView, ZoneShape } from '../api/schema';

export type Point = [number, number];

export interface Frame {
  level: LevelView;
  zones: ZoneShape[];
  /** Site metres of the frame's top left corner. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Pixels from the top of the drawing. */
  top: number;
}

export interface Drawing {
  frames: Frame[];
  /** Pixels of one metre. */
  scale: number;
  width: number;
  height: number;
}

const MARGIN_M = 1.2;
export const HEAD_PX = 30;
const GAP_PX = 10;

function box(points: Point[]): [number, number, number, number] {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The lowest and highest y of a level, with its margin. */
function floor(site: SiteView, level: string): [number, number] {
  const points = [
    ...site.zones.filter((zone) => zone.level === level).flatMap((zone) => zone.polygon as Point[]),
    ...site.muster_points.filter((one) => one.level === level).map((one) => one.at as Point),
  ];
  const [, low, , high] = points.length ? box(points) : [0, 0, 60, 10];
  return [low - MARGIN_M, high + MARGIN_M];
}

/** Lay levels below each other on one scale, so that what lies above stays above. */
export function draw(site: SiteView, shown: string[], width: number, tallest = Infinity): Drawing {
  const levels = site.levels.filter((level) => shown.includes(level.id));
  const all = site.zones.flatMap((zone) => zone.polygon as Point[]);
  const marks = site.muster_points.map((point) => point.at as Point);
  const [left, , right] = all.length ? box([...all, ...marks]) : [0, 0, 60, 30];
  const span = right - left + 2 * MARGIN_M;
  const boxes = levels.map((level) => floor(site, level.id));
  const metres = boxes.reduce((sum, [low, high]) => sum + high - low, 0);
  const room = tallest - levels.length * (HEAD_PX + GAP_PX);
  // As wide as the card, but never so tall that a level is out of sight.
  const scale = Math.min(width / span, Math.max(room, 200) / Math.max(metres, 1));
  const free = width / scale - span;
  let top = 0;
  const frames = levels.map((level, index) => {
    const zones = site.zones.filter((zone) => zone.level === level.id);
    const [low, high] = boxes[index]!;
    const height = high - low;
    const frame = { level, zones, x: left - MARGIN_M - free / 2, y: low, width: span, height, top };
    top += height * scale + HEAD_PX + GAP_PX;
    return frame;
  });
  return { frames, scale, width, height: Math.max(0, top - GAP_PX) };
}

/** Turn site metres of a level into pixels of the drawing. */
export function place(drawing: Drawing, frame: Frame, [x, y]: Point): Point {
  return [
    (x - frame.x) * drawing.scale,
    frame.top + HEAD_PX + (y - frame.y) * drawing.scale,
  ];
}

/** A point well inside a polygon, for its label: the best of a coarse grid. */
export function heart(polygon: Point[]): Point {
  const [x0, y0, x1, y1] = box(polygon);
  let best: Point = [(x0 + x1) / 2, (y0 + y1) / 2];
  let most = -1;
  for (let i = 1; i < 12; i += 1) {
    for (let j = 1; j < 12; j += 1) {
      const at: Point = [x0 + ((x1 - x0) * i) / 12, y0 + ((y1 - y0) * j) / 12];
      const room = inside(at, polygon) ? clearance(at, polygon) : -1;
      if (room > most + 1e-6) {
        most = room;
        best = at;
      }
    }
  }
  return best;
}

export function inside([x, y]: Point, polygon: Point[]): boolean {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [xi, yi] = polygon[i]!;
    const [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

function clearance([x, y]: Point, polygon: Point[]): number {
  let least = Infinity;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [ax, ay] = polygon[j]!;
    const [bx, by] = polygon[i]!;
    const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
    const t = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
    least = Math.min(least, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)));
  }
  return least;
}

/** The level whose floor is at or below a height, or the lowest. */
export function levelAt(levels: LevelView[], z: number): string {
  const order = levels.slice().sort((a, b) => b.z_m - a.z_m);
  return (order.find((level) => level.z_m <= z + 0.5) ?? order.at(-1))?.id ?? '';
}
