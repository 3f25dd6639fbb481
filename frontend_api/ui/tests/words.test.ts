import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import en from '../src/i18n/en.json';
import zh from '../src/i18n/zh.json';

const source = join(import.meta.dirname, '..', 'src');

function read(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return read(path);
      return /\.tsx?$/.test(entry.name) ? readFileSync(path, 'utf8') : '';
    })
    .join('\n');
}

const places = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((one) => one[1]).sort();
const known = new Set(Object.keys(zh).flatMap((key) => [key, key.replace(/_(one|other)$/, '')]));

describe('words', () => {
  it('stand in both languages with the same places', () => {
    expect(Object.keys(en)).toEqual(Object.keys(zh));
    for (const [key, text] of Object.entries(zh)) {
      expect(places(en[key as keyof typeof en]), key).toEqual(places(text));
      expect(text.trim(), key).not.toBe('');
    }
  });

  it('cover every key that the app asks for', () => {
    const code = read(source);
    const asked = [...code.matchAll(/\bt\(\s*'([^']+)'/g)].map((one) => one[1]!);
    expect(asked.length).toBeGreaterThan(80);
    expect(asked.filter((key) => !known.has(key))).toEqual([]);
  });

  it('cover every family that is asked for by a state', () => {
    const code = read(source);
    const families = [...code.matchAll(/\bt\(\s*`([\w.]+\.)\$\{/g)].map((one) => one[1]!);
    for (const family of new Set(families)) {
      expect([...known].some((key) => key.startsWith(family)), family).toBe(true);
    }
  });
});
