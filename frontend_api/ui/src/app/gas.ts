import type { LimitView, QuantityView } from '../api/schema';

/** Oxygen of clean air, in %vol: where a low limit's share starts from. */
const CLEAN_O2 = 20.9;

/** Return how much of a limit a value has used, in percent; the largest of several. */
export function share(value: number, limits: LimitView[], of = limits): number | null {
  const shares = of.flatMap((limit) => {
    if (limit.above !== null) {
      // A high limit on oxygen is counted from clean air too.
      const zero = limits.some((one) => one.below !== null) ? CLEAN_O2 : 0;
      const room = limit.above - zero;
      return room > 0 ? [((value - zero) / room) * 100] : [];
    }
    if (limit.below !== null && limit.below < CLEAN_O2) {
      return [((CLEAN_O2 - value) / (CLEAN_O2 - limit.below)) * 100];
    }
    return [];
  });
  if (!shares.length) return null;
  return Math.max(0, ...shares);
}

/** Return the most urgent limit that a value has passed, else the nearest to come. */
export function nearest(value: number | null, limits: LimitView[]): LimitView | null {
  if (value === null) return limits[0] ?? null;
  const passed = limits.filter(
    (limit) =>
      (limit.above !== null && value > limit.above) || (limit.below !== null && value < limit.below),
  );
  const used = (limit: LimitView) => share(value, limits, [limit]) ?? 0;
  const order = (passed.length ? passed : limits).slice();
  order.sort((a, b) => (passed.length ? a.priority - b.priority : used(b) - used(a)));
  return order[0] ?? null;
}

export function limitText(limit: LimitView | null): string {
  if (!limit) return '';
  return limit.above !== null ? `< ${limit.above}` : `> ${limit.below}`;
}

export const QUALITIES = [
  'good',
  'uncertain',
  'test',
  'inhibited',
  'stale',
  'fault',
  'not_present',
] as const;

/** The words that do not act: their value proves nothing and trips nothing. */
export function qualityOf(number: number): (typeof QUALITIES)[number] {
  return QUALITIES[number] ?? 'not_present';
}

export function named(quantities: QuantityView[], id: string): QuantityView | undefined {
  return quantities.find((one) => one.id === id);
}
