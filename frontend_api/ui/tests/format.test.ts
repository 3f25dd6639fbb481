import { describe, expect, it } from 'vitest';
import { fromLocal, local } from '../src/app/format';

const HOUR = 3_600_000;

describe('moments in the site’s zone', () => {
  it('are read as they were written, all year and in any zone', () => {
    const start = Date.UTC(2026, 0, 1);
    const year = Array.from({ length: 350 }, (_, i) => start + i * 25 * HOUR);
    // The days on which New York changes its clock, hour by hour.
    const changes = [Date.UTC(2026, 2, 8), Date.UTC(2026, 10, 1)].flatMap((day) => Array.from({ length: 24 }, (_, i) => day + i * HOUR));
    for (const zone of ['Asia/Shanghai', 'UTC', 'America/New_York', 'Asia/Kathmandu']) {
      const wrong = [...year, ...changes].map((ms) => local(ms, zone)).filter((text) => local(fromLocal(text, zone), zone) !== text);
      expect(wrong, zone).toEqual([]);
    }
  });

  it('are the site’s, not the browser’s', () => {
    expect(local(Date.UTC(2026, 8, 22, 1, 0), 'Asia/Shanghai')).toBe('2026-09-22T09:00');
    expect(fromLocal('2026-09-22T09:00', 'Asia/Shanghai')).toBe(Date.UTC(2026, 8, 22, 1, 0));
  });

  it('stay near where the clock skips an hour, and are none where nothing is written', () => {
    const skipped = fromLocal('2026-03-08T02:30', 'America/New_York');
    expect(local(skipped, 'America/New_York')).toMatch(/T0[13]:30$/);
    expect(Number.isNaN(fromLocal('', 'UTC'))).toBe(true);
  });

  it('fall back on UTC where the zone is not known', () => {
    expect(local(0, 'Nowhere/Land')).toBe('1970-01-01T00:00');
  });
});
