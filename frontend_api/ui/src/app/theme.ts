import { createTheme, type MantineColorsTuple } from '@mantine/core';

export type Look = 'light' | 'dark' | 'contrast';
export const LOOKS: Look[] = ['light', 'dark', 'contrast'];
const KEY = 'safehold.look';

export function look(): Look {
  const kept = localStorage.getItem(KEY) as Look | null;
  return kept && LOOKS.includes(kept) ? kept : 'light';
}

export function setLook(next: Look): void {
  localStorage.setItem(KEY, next);
  wear(next);
}

/** Put a look on the page: our tokens by data-theme, Mantine's by its scheme. */
export function wear(next: Look): void {
  const root = document.documentElement;
  root.dataset.theme = next;
  root.dataset.mantineColorScheme = next === 'dark' ? 'dark' : 'light';
}

const action: MantineColorsTuple = [
  '#e5effb', '#c8dcf5', '#9cc1ee', '#6ba4e6', '#4089dd',
  '#2173d3', '#0b5cc4', '#084a9f', '#063a7d', '#042a5c',
];

export const theme = createTheme({
  primaryColor: 'action',
  primaryShade: 6,
  colors: { action },
  fontFamily: 'var(--font)',
  defaultRadius: 8,
  cursorType: 'pointer',
  // A dialog's heading is no second banner of the page.
  components: { Modal: { defaultProps: { attributes: { header: { role: 'presentation' } } } } },
});
