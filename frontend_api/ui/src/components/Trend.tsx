import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useSite } from '../api/hooks';
import { get } from '../api/rest';
import type { SeriesList } from '../api/schema';
import { store } from '../api/store';
import { share } from '../app/gas';
import { useWords } from '../i18n';
import type { Gas } from './GasCard';

const WINDOW_MS = 30 * 60_000;
const POINTS = 180;
const DRAW_MS = 1000;
const HEIGHT = 180;
/** A chart that begins now is not stretched over the whole width. */
const SHORTEST_S = 5 * 60;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [1, 2]];

type Row = [number, (number | null)[]];

/** Keep one row per sampling time: percent of each gas's own limit. */
class Rows {
  rows: Row[] = [];
  constructor(private readonly gases: Gas[]) {}

  add(index: number, ms: number, value: unknown, quality: number): void {
    const usable = typeof value === 'number' && quality <= 1;
    const percent = usable ? share(value, this.gases[index]!.entity.limits) : null;
    const at = Math.round(ms / 5000) * 5;
    let row = this.rows.find((one) => one[0] === at);
    if (!row) {
      row = [at, this.gases.map(() => null)];
      this.rows.push(row);
      this.rows.sort((a, b) => a[0] - b[0]);
    }
    row[1][index] = percent;
  }

  trim(now: number): void {
    this.rows = this.rows.filter((row) => row[0] * 1000 > now - WINDOW_MS);
  }

  data(): uPlot.AlignedData {
    const times = this.rows.map((row) => row[0]);
    return [times, ...this.gases.map((_, i) => this.rows.map((row) => row[1][i] ?? null))];
  }
}

function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(width: number, gases: Gas[], zone: string): uPlot.Options {
  const axis = { stroke: ink('--text-3'), grid: { stroke: ink('--line'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 18, 0, 0],
    tzDate: (s) => {
      try {
        return uPlot.tzDate(new Date(s * 1000), zone);
      } catch {
        return new Date(s * 1000);
      }
    },
    scales: {
      x: { range: (_, first, last) => [Math.min(first ?? 0, (last ?? 0) - SHORTEST_S), last ?? 0] },
      y: { range: (_, _low, high) => [0, Math.max(125, Math.min(400, (high ?? 0) * 1.1))] },
    },
    axes: [
      { ...axis, values: '{HH}:{mm}', space: 70, size: 28, font: '12px system-ui' },
      { ...axis, size: 48, values: (_, ticks) => ticks.map((v) => `${v}%`), font: '12px system-ui' },
    ],
    series: [
      {},
      ...gases.map((_, i) => ({
        stroke: ink(`--c${(i % 5) + 1}`),
        width: 2,
        dash: DASHES[i % DASHES.length],
        spanGaps: false,
        points: { show: false },
      })),
    ],
    hooks: {
      draw: [
        (plot) => {
          const y = plot.valToPos(100, 'y', true);
          const { ctx, bbox } = plot;
          ctx.save();
          ctx.strokeStyle = ink('--critical');
          ctx.lineWidth = 1.5 * devicePixelRatio;
          ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.restore();
        },
      ],
    },
  };
}

async function past(gases: Gas[], rows: Rows): Promise<void> {
  const now = Math.round(store.now());
  const query = new URLSearchParams({ from: `${now - WINDOW_MS}`, to: `${now}`, points: `${POINTS}` });
  for (const gas of gases) query.append('entity', gas.entity.id);
  const found = await get<SeriesList>(`/api/v1/history?${query}`);
  for (const series of found.items) {
    const index = gases.findIndex((gas) => gas.entity.id === series.entity_id);
    if (index < 0) continue;
    for (const row of series.rows) rows.add(index, row[0], row[3], row[4]);
  }
}

export default function Trend({ gases }: { gases: Gas[] }) {
  const { t } = useWords();
  const zone = useSite()?.time_zone ?? 'UTC';
  const box = useRef<HTMLDivElement>(null);
  const key = gases.map((gas) => gas.entity.id).join();
  useEffect(() => {
    const holder = box.current;
    if (!holder) return;
    const rows = new Rows(gases);
    const index = new Map(gases.map((gas, i) => [gas.entity.id, i]));
    let plot = new uPlot(options(holder.clientWidth, gases, zone), rows.data(), holder);
    const show = () => {
      rows.trim(store.now());
      plot.setData(rows.data());
    };
    // Without the archive the chart begins now; the tiles show the present anyway.
    void past(gases, rows).then(show, () => undefined);
    const off = store.onSample((entity, cell) => {
      const i = index.get(entity);
      if (i !== undefined) rows.add(i, cell[2] || store.now(), cell[0], cell[1]);
    });
    const timer = setInterval(show, DRAW_MS);
    const watch = new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: HEIGHT }));
    watch.observe(holder);
    const look = new MutationObserver(() => {
      plot.destroy();
      plot = new uPlot(options(holder.clientWidth, gases, zone), rows.data(), holder);
    });
    look.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      off();
      clearInterval(timer);
      watch.disconnect();
      look.disconnect();
      plot.destroy();
    };
    // The list is new on each render; its entities are what counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, zone]);
  return <div ref={box} className="chart" role="img" aria-label={t('gas.trend')} />;
}
