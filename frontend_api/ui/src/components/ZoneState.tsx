export type ZoneState = 'normal' | 'held' | 'unmonitored' | 'alarm' | 'evacuating';

const INK: Record<ZoneState, string> = {
  normal: 'var(--ok)',
  held: 'var(--major)',
  unmonitored: 'var(--grey)',
  alarm: 'var(--critical)',
  evacuating: 'var(--critical)',
};

/** White drawings on a filled sign, each of its own outline. */
const SIGN: Record<ZoneState, [outline: string, drawing: string]> = {
  normal: ['M8 0A8 8 0 1 1 8 16A8 8 0 1 1 8 0Z', 'M4.500 8.300L7 10.800L11.600 5.600'],
  held: ['M2 0H14A2 2 0 0 1 16 2V14A2 2 0 0 1 14 16H2A2 2 0 0 1 0 14V2A2 2 0 0 1 2 0Z', 'M5.700 4.500V11.500M10.300 4.500V11.500'],
  unmonitored: ['M8 0A8 8 0 1 1 8 16A8 8 0 1 1 8 0Z', 'M5.700 6.200A2.400 2.400 0 1 1 8.700 8.500C8.100 8.800 8 9.200 8 9.800M8 12.300V12.400'],
  alarm: ['M8 0L16.500 15.500H-.500Z', 'M8 5V9.800M8 12.600V12.700'],
  evacuating: ['M2 0H14A2 2 0 0 1 16 2V14A2 2 0 0 1 14 16H2A2 2 0 0 1 0 14V2A2 2 0 0 1 2 0Z', 'M9.600 3.300V3.400M4.300 7.300L7.700 5.800L9.600 8.200L12 8.600M8 7.200L6.600 9.900L8.900 11L8.600 13.500M6.300 10.600L3.800 11.800'],
};

/** Draw a zone's state; use inside an svg. */
export function StateIcon({ state, size, title }: { state: ZoneState; size: number; title?: string }) {
  const [outline, drawing] = SIGN[state];
  return (
    <g transform={`scale(${size / 16})`}>
      {title && <title>{title}</title>}
      <path d={outline} fill={INK[state]} />
      <path d={drawing} fill="none" stroke="var(--sign-ink, #fff)" strokeWidth="1.900" strokeLinecap="round" strokeLinejoin="round" />
    </g>
  );
}
