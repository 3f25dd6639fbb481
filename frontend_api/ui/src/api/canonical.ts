type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/** Write JSON as the hub reads it back: sorted keys, no spaces, no key twice. */
export function canonical(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object') return JSON.stringify(value as Plain);
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  // By code points, as the hub sorts; JavaScript's own order is by UTF-16 units.
  fields.sort(([a], [b]) => byCodePoint(a, b));
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`;
}

function byCodePoint(a: string, b: string): number {
  const left = Array.from(a, (one) => one.codePointAt(0)!);
  const right = Array.from(b, (one) => one.codePointAt(0)!);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}

export const hex = (bytes: ArrayBuffer | Uint8Array): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

export const base64 = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)));
