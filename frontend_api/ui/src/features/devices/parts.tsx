import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconClockPause, IconHelpCircle, IconMinus, IconToggleRight } from '@tabler/icons-react';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { useSection, useSite } from '../../api/hooks';
import { get, Refusal } from '../../api/rest';
import type { DeviceView, EntityView, ProblemView, Text } from '../../api/schema';
import { store } from '../../api/store';
import { figure } from '../../app/format';
import { qualityOf } from '../../app/gas';
import { useWords } from '../../i18n';

/** Read something of the API, again when the journal tells of it, and now and then. */
export function useLive<T>(path: string, watched: RegExp, everyMs = 0): { found: T | null; problem: ProblemView | null; again: () => void } {
  const [found, setFound] = useState<T | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const load = useCallback(() => {
    get<T>(path).then(
      (one) => {
        setFound(one);
        setProblem(null);
      },
      (error: unknown) => setProblem(error instanceof Refusal ? error.problem : null),
    );
  }, [path]);
  useEffect(() => {
    load();
    const timer = everyMs ? setInterval(load, everyMs) : 0;
    let seen = store.seq;
    const off = store.on('events', () => {
      const fresh = store.events.filter((event) => event.seq > seen);
      seen = store.events[0]?.seq ?? seen;
      if (fresh.some((event) => watched.test(event.type))) load();
    });
    return () => {
      off();
      if (timer) clearInterval(timer);
    };
  }, [load, watched, everyMs]);
  return { found, problem, again: load };
}

export type Standing = 'good' | 'quiet' | 'switches' | 'doubtful' | 'stale' | 'faulty' | 'silent';
const MEASURES = ['gas', 'sensor', 'binary', 'location'];
const WORST: Standing[] = ['silent', 'faulty', 'stale', 'doubtful', 'good'];
const BY_QUALITY: Record<string, Standing> = {
  good: 'good',
  uncertain: 'doubtful',
  test: 'doubtful',
  inhibited: 'doubtful',
  stale: 'stale',
  fault: 'faulty',
  not_present: 'silent',
};

function worst(entities: EntityView[]): Standing {
  const found = entities.map((entity) => BY_QUALITY[qualityOf(store.live[entity.id]?.[1] ?? 6)] ?? 'silent');
  return WORST.find((one) => found.includes(one)) ?? 'silent';
}

/** How a device stands: as its worst entity that measures; without one, as what it switches. */
export function standingOf(device: DeviceView): Standing {
  const measures = device.entities.filter((entity) => MEASURES.includes(entity.kind));
  if (measures.length) return worst(measures);
  const outputs = device.entities.filter((entity) => entity.kind === 'output');
  if (!outputs.length) return 'quiet';
  const shown = worst(outputs);
  return shown === 'good' ? 'switches' : shown;
}

const ICONS = {
  good: IconCircleCheck,
  quiet: IconMinus,
  switches: IconToggleRight,
  doubtful: IconHelpCircle,
  stale: IconClockPause,
  faulty: IconAlertTriangle,
  silent: IconCircleX,
};

export function StandingTag({ device }: { device: DeviceView }) {
  const { t, say } = useWords();
  const standing = standingOf(device);
  const Icon = ICONS[standing];
  const moves = new Set(device.entities.filter((one) => one.output).map((one) => say(one.output_text)));
  const kind = standing === 'good' || standing === 'switches' ? 'good' : standing === 'quiet' ? '' : standing === 'doubtful' ? 'warn' : 'bad';
  return (
    <span className={`tag ${kind}`}>
      <Icon size={18} aria-hidden />
      {t(`devices.standing.${standing}`, { what: [...moves].join(t('list.comma')) })}
    </span>
  );
}

/** Name where a device hangs, or who wears it. */
export function useWhere(): (zone: string | null, person?: string | null) => string {
  const { say } = useWords();
  const site = useSite();
  const people = useSection('people');
  return (zone, person) =>
    person ? (people[person]?.name ?? person) : say(site?.zones.find((one) => one.id === zone)?.names) || '—';
}

const SAID = new Map<string, Promise<Text>>();

/** The hub's words for a reason's code; the code itself until they are here. */
export function Reason({ code }: { code: string }) {
  const { say } = useWords();
  const [words, setWords] = useState<Text | null>(null);
  useEffect(() => {
    let here = true;
    setWords(null);
    const asked = SAID.get(code) ?? get<Text>(`/api/v1/reasons?code=${encodeURIComponent(code)}`);
    SAID.set(code, asked);
    asked.then(
      (found) => here && setWords(found),
      () => SAID.delete(code),
    );
    return () => {
      here = false;
    };
  }, [code]);
  return <span title={code}>{say(words) || code}</span>;
}

/** Say an entity's value now, or why there is none. */
export function useValue(): (id: string, unit: string) => { words: string; good: boolean; quality: string; reason: string } {
  const { t } = useWords();
  return (id, unit) => {
    const [value, number, , reason] = store.live[id] ?? [null, 6, 0, ''];
    const quality = qualityOf(number);
    const shown = typeof value === 'boolean' ? t(value ? 'value.on' : 'value.off') : typeof value === 'string' ? value : `${figure(value)} ${unit}`;
    return { words: value === null ? '—' : shown, good: quality === 'good', quality: t(`quality.${quality}`), reason: reason ?? '' };
  };
}

export function Fact({ name, good, children }: { name: string; good?: boolean; children: ReactNode }) {
  const { t } = useWords();
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {good === true && <IconCircleCheck size={18} className="proof-good" aria-label={t('proof.confirmed')} />}
        {good === false && <IconCircleX size={18} className="proof-wrong" aria-label={t('proof.failed')} />}
        {children}
      </dd>
    </div>
  );
}
