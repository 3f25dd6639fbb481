import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { base64, canonical, hex } from '../src/api/canonical';
import { Sha256 } from '../src/api/sha256';

describe('canonical JSON', () => {
  it('sorts keys at every depth and has no spaces', () => {
    const told = { b: [{ z: 1, a: '二' }], a: { d: null, c: true }, A: 0.5 };
    expect(canonical(told)).toBe('{"A":0.5,"a":{"c":true,"d":null},"b":[{"a":"二","z":1}]}');
  });

  it('leaves out what is not there, and keeps null where the hub expects it', () => {
    expect(canonical({ a: undefined, b: null })).toBe('{"b":null}');
  });

  it('sorts by code points as Python does, not by UTF-16', () => {
    expect(canonical({ '\u{1F600}': 1, '\uFB01': 2 })).toBe('{"\uFB01":2,"\u{1F600}":1}');
  });

  it('is read back as it was told', () => {
    const told = { text: 'line\n"quoted" \\ 氧气', list: [], none: {} };
    expect(JSON.parse(canonical(told))).toEqual(told);
  });
});

describe('bytes', () => {
  it('are written as hex and base64', () => {
    const bytes = new Uint8Array([0, 1, 254, 255]);
    expect(hex(bytes)).toBe('0001feff');
    expect(base64(bytes.buffer)).toBe('AAH+/w==');
  });
});

describe('SHA-256 by pieces', () => {
  it('agrees with a known one at every length around its blocks', () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 127, 128, 1000, 100_003]) {
      const data = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255);
      const known = createHash('sha256').update(data).digest('hex');
      const sum = new Sha256();
      for (let at = 0; at < length; at += 37) sum.update(data.subarray(at, at + 37));
      expect(sum.hex(), String(length)).toBe(known);
    }
  });
});
