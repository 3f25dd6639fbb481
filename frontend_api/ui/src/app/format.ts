import type { TFunction } from 'i18next';

/** Write a value as people read it on a meter. */
export function figure(value: unknown): string {
  if (typeof value !== 'number') return value === null || value === undefined ? '—' : String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 1 ? 1 : 2);
}

/** Say how long a span is, in the two largest units. */
export function span(ms: number, t: TFunction): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t('time.s', { s });
  const m = Math.floor(s / 60);
  if (m < 60) return t('time.ms', { m, s: s % 60 });
  const h = Math.floor(m / 60);
  if (h < 48) return t('time.hm', { h, m: m % 60 });
  return t('time.d', { d: Math.floor(h / 24) });
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Write a wall time in the site's time zone, 24 h. */
export function clock(ms: number, zone: string, seconds = false): string {
  const key = `${zone}${seconds}`;
  let format = formats.get(key);
  if (!format) {
    const second = seconds ? ({ second: '2-digit' } as const) : {};
    const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...second } as const;
    try {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
    } catch {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
    }
    formats.set(key, format);
  }
  return format.format(ms);
}

/** Write day and time in the site's time zone and in the page's language. */
export function moment(ms: number, zone: string): string {
  if (!ms) return '—';
  const english = document.documentElement.lang === 'en';
  const key = `day ${zone} ${english}`;
  let format = formats.get(key);
  if (!format) {
    const month = english ? ('short' as const) : ('long' as const);
    const options = { month, day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    const language = english ? 'en-GB' : 'zh-CN';
    try {
      format = new Intl.DateTimeFormat(language, { ...options, timeZone: zone });
    } catch {
      format = new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' });
    }
    formats.set(key, format);
  }
  return format.format(ms);
}

/** Write wall milliseconds as a date field wants them (2026-03-01T08:30), in a zone. */
export function local(ms: number, zone: string): string {
  const key = `local ${zone}`;
  let format = formats.get(key);
  if (!format) {
    const digits = '2-digit' as const;
    const options = { year: 'numeric' as const, month: digits, day: digits, hour: digits, minute: digits, hourCycle: 'h23' as const };
    try {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
    } catch {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
    }
    formats.set(key, format);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map((one) => [one.type, one.value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

/** Read such a date again; NaN where it is none. */
export function fromLocal(text: string, zone: string): number {
  const asUtc = Date.parse(`${text}Z`);
  if (Number.isNaN(asUtc)) return NaN;
  const off = (ms: number) => Date.parse(`${local(ms, zone)}Z`) - Math.floor(ms / 60_000) * 60_000;
  // Twice: the first guess may lie on the other side of a change of the clock.
  return asUtc - off(asUtc - off(asUtc));
}
