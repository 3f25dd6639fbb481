import { describe, expect, it } from 'vitest';
import { share, nearest } from '../src/app/gas';
import type { LimitView, SiteView } from '../src/api/schema';
import { draw, heart, inside, levelAt, place, type Point } from '../src/components/planShape';

const square: Point[] = [[0, 0], [10, 0], [10, 10], [0, 10]];
const hook: Point[] = [[0, 0], [20, 0], [20, 4], [4, 4], [4, 20], [0, 20]];
const site = {
  levels: [{ id: 'g', z_m: 0 }, { id: 'b', z_m: -5 }],
  zones: [{ id: 'z', level: 'g', polygon: square }, { id: 'y', level: 'b', polygon: hook }],
  muster_points: [],
} as unknown as SiteView;

describe('plan', () => {
  it('puts a label inside its zone, also in one with a corner', () => {
    for (const polygon of [square, hook]) expect(inside(heart(polygon), polygon)).toBe(true);
    expect(inside([15, 15], hook)).toBe(false);
  });

  it('keeps one scale and never leaves the drawing', () => {
    const drawing = draw(site, ['g', 'b'], 400, 300);
    expect(drawing.frames).toHaveLength(2);
    for (const frame of drawing.frames) {
      for (const zone of frame.zones) {
        for (const point of zone.polygon as Point[]) {
          const [x, y] = place(drawing, frame, point);
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(drawing.width);
          expect(y).toBeLessThanOrEqual(drawing.height);
        }
      }
    }
    expect(drawing.height).toBeLessThanOrEqual(310);
  });

  it('finds the level of a height', () => {
    expect(levelAt(site.levels, -5)).toBe('b');
    expect(levelAt(site.levels, 0.3)).toBe('g');
    expect(levelAt(site.levels, -40)).toBe('b');
  });
});

const above = (limit: number, priority = 2): LimitView => ({ condition: 'high', priority, unit: '', above: limit, below: null });
const below = (limit: number): LimitView => ({ condition: 'low', priority: 1, unit: '', above: null, below: limit });

describe('share of a limit', () => {
  it('is the percent of the limit, for a gas that must stay low', () => {
    expect(share(5, [above(10)])).toBe(50);
    expect(share(-1, [above(10)])).toBe(0);
  });

  it('counts oxygen from clean air, both ways', () => {
    const oxygen = [below(19.5), above(23.5)];
    expect(share(20.9, oxygen)).toBe(0);
    expect(share(19.5, oxygen)).toBeCloseTo(100);
    expect(share(23.5, oxygen)).toBeCloseTo(100);
    expect(share(17, oxygen)!).toBeGreaterThan(200);
  });

  it('is unknown without a limit', () => {
    expect(share(5, [])).toBeNull();
  });

  it('names the limit that was passed, the most urgent first', () => {
    const limits = [above(6.6, 2), above(13.2, 1)];
    expect(nearest(18, limits)?.above).toBe(13.2);
    expect(nearest(8, limits)?.above).toBe(6.6);
    expect(nearest(1, limits)?.above).toBe(6.6);
    expect(nearest(20.7, [below(19.5), above(23.5)])?.below).toBe(19.5);
    expect(nearest(22, [below(19.5), above(23.5)])?.above).toBe(23.5);
  });
});
