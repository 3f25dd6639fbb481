import { useEffect, useState } from 'react';
import { useSection } from '../../api/hooks';
import { act, Refusal } from '../../api/rest';
import type { ProblemView, Text } from '../../api/schema';
import { figure } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Fold, type Part } from './parts';

interface Shape {
  type?: string;
  coordinates?: unknown;
  radius_m?: number;
}
interface Conflict {
  rule: string;
  names: Text;
  clause: string;
  other: string;
  measured_m: number;
  needed_m: number;
  unless: string;
  counts: boolean;
  work_shape: Shape;
  other_shape: Shape;
}
interface Found {
  known: boolean;
  conflicts: Conflict[];
}

/** Works too near each other: by which clause, how near, and both shapes. */
export function ConflictPart({ file }: Part) {
  const { t, say } = useWords();
  const permits = useSection('permits');
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  useEffect(() => {
    let here = true;
    act('permit.conflicts', { permit_id: file.id }).then(
      ({ result }) => here && setFound({ known: result?.known === true, conflicts: JSON.parse(String(result?.conflicts ?? '[]')) as Conflict[] }),
      (error: unknown) => here && error instanceof Refusal && setProblem(error.problem),
    );
    return () => {
      here = false;
    };
  }, [file]);
  const standing = found?.conflicts.filter((one) => one.counts).length ?? 0;
  const other = (id: string) => permits[id]?.title ?? id.replace(/^(hazard|person):/, '');
  return (
    <Fold title={t('conflict.title')} note={found ? (found.known ? t('conflict.count', { count: standing }) : t('conflict.unknown')) : ''} open={standing > 0}>
      {found && !found.known && <p className="late">{t('conflict.unknown_note')}</p>}
      {found?.known && !found.conflicts.length && <p className="note">{t('conflict.none')}</p>}
      <ul className="open">
        {found?.conflicts.map((one) => (
          <li key={`${one.rule}${one.other}`} className={one.counts ? 'false' : ''}>
            <Shapes conflict={one} label={t('conflict.shapes', { other: other(one.other) })} />
            <div>
              <b>
                {other(one.other)}: {say(one.names)}
              </b>
              <small>
                {one.clause} · {t('conflict.near', { measured: figure(one.measured_m), needed: figure(one.needed_m) })}
                {one.counts ? '' : ` · ${t('conflict.lifted')}`}
              </small>
            </div>
          </li>
        ))}
      </ul>
      <Refused problem={problem} />
    </Fold>
  );
}

type Point = [number, number];

function outline(shape: Shape): Point[] {
  const at = shape.coordinates;
  if (shape.type === 'Point') {
    const [x, y] = at as Point;
    const r = shape.radius_m ?? 1;
    return Array.from({ length: 24 }, (_, i): Point => [x + r * Math.cos((i * Math.PI) / 12), y + r * Math.sin((i * Math.PI) / 12)]);
  }
  if (shape.type === 'LineString') return at as Point[];
  return shape.type === 'Polygon' ? ((at as Point[][])[0] ?? []) : [];
}

function Shapes({ conflict, label }: { conflict: Conflict; label: string }) {
  const both = [outline(conflict.work_shape), outline(conflict.other_shape)];
  const points = both.flat();
  if (!points.length) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => -y);
  const [left, top] = [Math.min(...xs) - 1, Math.min(...ys) - 1];
  const box = `${left} ${top} ${Math.max(...xs) - left + 1} ${Math.max(...ys) - top + 1}`;
  const path = (line: Point[]) => line.map(([x, y]) => `${x},${-y}`).join(' ');
  return (
    <svg className="shapes" viewBox={box} role="img" aria-label={label}>
      <polyline className="work-shape" points={path(both[0]!)} vectorEffect="non-scaling-stroke" />
      <polyline className="other-shape" points={path(both[1]!)} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
