import { describe, expect, it } from 'vitest';
import { fromLocal, local } from '../src/app/format';

const HOUR = 3_600_000;

describe('moments in the site’s zone', () => {
  it('are read as they were written, on every hour of a year and in any zone', () => {
    for (const zone of ['Asia/Shanghai', 'UTC', 'America/New_York', 'Asia/Kathmandu']) {
      const start = Date.UTC(2026, 0, 1);
      for (let ms = start; ms < start + 8760 * HOUR; ms += HOUR) {
        const text = local(ms, zone);
        // The hour that is lived twice in autumn is written twice alike.
        expect(local(fromLocal(text, zone), zone), `${zone} ${text}`).toBe(text);
      }
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
