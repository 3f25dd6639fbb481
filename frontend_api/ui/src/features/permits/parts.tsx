import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { useSection, useSite } from '../../api/hooks';
import { get, Refusal } from '../../api/rest';
import type { ActBodies, PermitFile, PermitView, ProblemView } from '../../api/schema';
import { store } from '../../api/store';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

/** What every part of a permit's page is given. */
export interface Part {
  file: PermitFile;
  permit: PermitView;
  done: () => void;
}

/** Interlocks change with the air and with time, without any event of the permit. */
const LOOK_AGAIN_MS = 8000;

/** Read a permit's file; again after each event about it, and now and then. */
export function useFile(id: string) {
  const [file, setFile] = useState<PermitFile | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const asked = useRef(0);
  const reload = useCallback(() => {
    const turn = ++asked.current;
    get<PermitFile>(`/api/v1/permits/${encodeURIComponent(id)}/file`).then(
      (found) => {
        // A slow answer must not paint over a later one.
        if (turn !== asked.current) return;
        setFile(found);
        setProblem(null);
      },
      (error: unknown) => {
        if (turn === asked.current && error instanceof Refusal) setProblem(error.problem);
      },
    );
  }, [id]);
  useEffect(() => {
    reload();
    let seen = store.events[0]?.seq ?? 0;
    const off = store.on('events', () => {
      const fresh = store.events.filter((event) => event.seq > seen);
      seen = store.events[0]?.seq ?? seen;
      if (fresh.some((event) => event.subject.startsWith(id))) reload();
    });
    const offPermits = store.on('permits', reload);
    const timer = setInterval(reload, LOOK_AGAIN_MS);
    return () => {
      asked.current = -1;
      off();
      offPermits();
      clearInterval(timer);
    };
  }, [id, reload]);
  return { file, problem, reload };
}

/** Name people by their id, and roles, as the site knows them. */
export function useNames() {
  const { t } = useWords();
  const people = useSection('people');
  const name = (id: string) => people[id]?.name ?? id;
  return {
    people: Object.values(people),
    name,
    list: (ids: string[]) => ids.map(name).join(t('list.comma')),
    roles: (ids: string[]) => ids.map((role) => t(`role.${role}`)).join(t('list.comma')),
  };
}

export function useZone(id: string): string {
  const { say } = useWords();
  const site = useSite();
  return say(site?.zones.find((one) => one.id === id)?.names) || id;
}

/** One act behind one big button, with the hub's own words when it refuses. */
export function ActButton<V extends keyof ActBodies>(props: {
  verb: V;
  body: ActBodies[V];
  version?: number;
  done: () => void;
  /** Called besides `done` when the hub did it. */
  succeeded?: () => void;
  className?: string;
  disabled?: boolean;
  label?: string;
  children: ReactNode;
}) {
  const { ask, busy, problem } = useAct();
  const send = async () => {
    if (await ask(props.verb, props.body, props.version)) props.succeeded?.();
    // Refused or not: what the page shows may have changed meanwhile.
    props.done();
  };
  return (
    <div className="actbox">
      <button
        type="button"
        className={`btn huge ${props.className ?? ''}`}
        disabled={busy || props.disabled}
        aria-label={props.label}
        onClick={() => void send()}
      >
        {props.children}
      </button>
      <Refused problem={problem} />
    </div>
  );
}

/** A part of the page under its own heading; the less urgent ones fold. */
export function Fold(props: { title: string; note?: ReactNode; open?: boolean; children: ReactNode }) {
  const [open, setOpen] = useState(props.open ?? false);
  // It opens by itself when it matters, and never closes under a working hand.
  useEffect(() => {
    if (props.open) setOpen(true);
  }, [props.open]);
  return (
    <details className="card fold" open={open} onToggle={(event) => event.currentTarget === event.target && setOpen(event.currentTarget.open)}>
      <summary>
        <h2>{props.title}</h2>
        {props.note && <span className="fold-note">{props.note}</span>}
      </summary>
      <div className="fold-body">{props.children}</div>
    </details>
  );
}
