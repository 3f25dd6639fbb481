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
      format = new Intl.DateTimeFormat('en-GB', options);
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
      format = new Intl.DateTimeFormat(language, options);
    }
    formats.set(key, format);
  }
  return format.format(ms);
}
