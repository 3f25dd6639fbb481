import { IconAlertTriangle, IconCircleCheck, IconId, IconKeyboard } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { Link as Anchor } from 'wouter';
import { useDevice } from '../../api/device';
import { useAlarms, useBeat, useSection, useSite, useStale } from '../../api/hooks';
import { get, post, Refusal, wanted } from '../../api/rest';
import type { CardView, PermitFile, ProblemView, Text } from '../../api/schema';
import { quiet, store } from '../../api/store';
import { clock } from '../../app/format';
import { ranked } from '../../components/AlarmBanner';
import { useBoth } from '../../i18n';
import { stepsOf, type Step } from '../permits/steps';
import './gate.css';

/** Nobody touches it for so long: it forgets who was read. */
const IDLE_MS = 25_000;
/** So long a word stands before the next one may hold a card. */
const DONE_MS = 4_000;
const WRONG_MS = 6_000;
/** A reader types faster than people do; what is older was no card. */
const GAP_MS = 400;

interface Ask {
  key: string;
  step: Step;
  permit: string;
  words: Text;
}

type Stage =
  | { at: 'home' }
  | { at: 'reading' }
  | { at: 'who'; card: string; who: CardView; asks: Ask[] }
  | { at: 'done'; name: string; words: Text }
  | { at: 'wrong'; problem: ProblemView | null };

const HOME: Stage = { at: 'home' };

/** The home of a terminal at a gate: hold your card, do what is asked, go. */
export function GatePage() {
  const { terminal, terminalId } = useDevice();
  const [stage, setStage] = useState<Stage>(HOME);
  const turn = useRef(0);
  const find = useAsks();

  // A later card, or the time, takes the page from whoever stood there before.
  const show = useCallback((next: Stage, mine?: number) => {
    if (mine !== undefined && mine !== turn.current) return;
    if (mine === undefined) turn.current += 1;
    setStage(next);
  }, []);
  const read = useCallback(
    async (card: string) => {
      show({ at: 'reading' });
      const mine = turn.current;
      try {
        const who = await post<CardView>('/api/v1/gate/card', { card, terminal: terminalId });
        show({ at: 'who', card, who, asks: await find(who) }, mine);
      } catch (error) {
        show({ at: 'wrong', problem: error instanceof Refusal ? error.problem : null }, mine);
      }
    },
    [terminalId, find, show],
  );
  useWedge(read, terminal === 'active');
  useEffect(() => {
    const wait = stage.at === 'who' || stage.at === 'reading' ? IDLE_MS : stage.at === 'done' ? DONE_MS : stage.at === 'wrong' ? WRONG_MS : 0;
    if (!wait) return;
    const timer = setTimeout(() => show(HOME), wait);
    return () => clearTimeout(timer);
  }, [stage, show]);

  return (
    <main className="gate" data-stage={stage.at}>
      <Head />
      <Danger />
      {terminal !== 'active' ? (
        <NoTerminal loading={terminal === 'loading'} />
      ) : (
        <section className="gate-stage" aria-live="polite">
          {stage.at === 'home' && <Home read={read} />}
          {stage.at === 'reading' && (
            <h1>
              <Say words="gate.reading" icon={<IconId size={96} aria-hidden />} />
            </h1>
          )}
          {stage.at === 'who' && <Who stage={stage} show={show} />}
          {stage.at === 'done' && (
            <div className="gate-done" role="status">
              <IconCircleCheck size={120} aria-hidden />
              <h1 className="gate-name">{stage.name}</h1>
              <Both words={stage.words} />
              <Say words="gate.done" />
            </div>
          )}
          {stage.at === 'wrong' && <Wrong problem={stage.problem} />}
        </section>
      )}
    </main>
  );
}

/** Find on every permit of a person what is theirs to sign, in both languages. */
function useAsks() {
  const permits = useSection('permits');
  const both = useBoth();
  const now = useRef({ permits, both });
  now.current = { permits, both };
  return useCallback(async (who: CardView): Promise<Ask[]> => {
    const found: Ask[] = [];
    for (const id of who.permits) {
      const permit = now.current.permits[id];
      if (!permit) continue;
      const file = await get<PermitFile>(`/api/v1/permits/${encodeURIComponent(id)}/file`);
      const person = { id: who.person_id, roles: who.roles };
      const { zh, en } = now.current.both;
      const first = stepsOf(file, permit, person, { t: zh, say: (text) => text?.zh ?? '' });
      const second = stepsOf(file, permit, person, { t: en, say: (text) => text?.en ?? '' });
      first.forEach((step, at) => {
        found.push({ key: `${id}/${step.key}`, step, permit: permit.title, words: { zh: step.words, en: second[at]?.words ?? '' } });
      });
    }
    return found;
  }, []);
}

/** Hear a reader that types like a keyboard: quick letters, then Enter. */
function useWedge(read: (card: string) => void, on: boolean) {
  useEffect(() => {
    if (!on) return;
    let typed = '';
    let last = 0;
    const hear = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.timeStamp - last > GAP_MS) typed = '';
      last = event.timeStamp;
      if (event.key === 'Enter') {
        const card = typed.trim();
        typed = '';
        if (card) {
          event.preventDefault();
          read(card);
        }
      } else if (event.key.length === 1) {
        typed = (typed + event.key).slice(-120);
      }
    };
    window.addEventListener('keydown', hear);
    return () => window.removeEventListener('keydown', hear);
  }, [read, on]);
}

function Head() {
  const site = useSite();
  const stale = useStale();
  useBeat();
  return (
    <header className="gate-head">
      <b>{site ? `${site.names.zh} ${site.names.en === site.names.zh ? '' : site.names.en}` : ''}</b>
      {stale && (
        <span className="tag bad" role="alert">
          <Line words="gate.away" />
        </span>
      )}
      <time>{clock(store.now(), site?.time_zone ?? 'UTC')}</time>
    </header>
  );
}

/** What endangers the site, in both languages; no person is named to who passes by. */
function Danger() {
  const leaving = Object.values(useSection('evacuations')).find((one) => !one.cleared_ms);
  const alarm = ranked(useAlarms()).find((one) => one.life_safety && !quiet(one) && (one.active || !one.acknowledged));
  const first = leaving?.first ?? alarm?.first;
  const said = leaving?.text ?? alarm?.title;
  if (!said) return null;
  return (
    <section className="gate-danger" role="alert">
      <IconAlertTriangle size={56} aria-hidden />
      <div>
        {first && <Both words={first} />}
        <Both words={said} />
      </div>
    </section>
  );
}

function Home({ read }: { read: (card: string) => void }) {
  const both = useBoth();
  const [typing, setTyping] = useState(false);
  const [card, setCard] = useState('');
  return (
    <div className="gate-home">
      <IconId size={160} aria-hidden />
      <h1>
        <span lang="zh-CN">{both.zh('gate.hold')}</span>
        <span lang="en">{both.en('gate.hold')}</span>
      </h1>
      <Say words="gate.where" />
      {typing ? (
        <form
          className="gate-typed"
          onSubmit={(event) => {
            event.preventDefault();
            if (card.trim()) read(card.trim());
          }}
        >
          <input aria-label={`${both.zh('gate.number')} ${both.en('gate.number')}`} value={card} maxLength={120} autoComplete="off" autoCapitalize="none" spellCheck={false} autoFocus onChange={(event) => setCard(event.currentTarget.value)} />
          <button type="submit" className="gate-button" disabled={!card.trim()}>
            <Line words="gate.read" />
          </button>
        </form>
      ) : (
        <button type="button" className="gate-button plain" onClick={() => setTyping(true)}>
          <IconKeyboard size={32} aria-hidden />
          <Line words="gate.number" />
        </button>
      )}
    </div>
  );
}

function Who({ stage, show }: { stage: Extract<Stage, { at: 'who' }>; show: (next: Stage) => void }) {
  const { card, who, asks } = stage;
  const [busy, setBusy] = useState(false);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const sign = async ({ step, words }: Ask) => {
    setBusy(true);
    let next: Stage;
    try {
      await wanted(step.verb, step.body, step.version, { person: who.person_id, card });
      next = { at: 'done', name: who.name, words };
    } catch (error) {
      next = { at: 'wrong', problem: error instanceof Refusal ? error.problem : null };
    }
    // Somebody else may stand here by now: nothing of this one is shown to them.
    if (here.current) show(next);
  };
  return (
    <div className="gate-who">
      <h1 className="gate-name">{who.name}</h1>
      {asks.length === 0 ? <Say words="gate.nothing" /> : <Say words="gate.choose" />}
      <div className="gate-asks">
        {asks.map((ask) => (
          <button key={ask.key} type="button" className="gate-button" disabled={busy} onClick={() => void sign(ask)}>
            <Both words={ask.words} />
            <small>{ask.permit}</small>
          </button>
        ))}
      </div>
      <button type="button" className="gate-button plain" onClick={() => show(HOME)}>
        <Line words="gate.leave" />
      </button>
    </div>
  );
}

function Wrong({ problem }: { problem: ProblemView | null }) {
  return (
    <div className="gate-wrong" role="alert">
      <IconAlertTriangle size={120} aria-hidden />
      <h1>{problem ? <Both words={problem.sentences} /> : <Say words="gate.unsigned" />}</h1>
      <Say words="gate.help" />
    </div>
  );
}

function NoTerminal({ loading }: { loading: boolean }) {
  if (loading) return <div className="skeleton" style={{ height: 240 }} aria-busy="true" />;
  return (
    <section className="gate-stage">
      <div className="gate-wrong" role="alert">
        <h1>
          <Say words="gate.no_terminal" />
        </h1>
        <Anchor href="/settings" className="gate-button">
          <Line words="gate.settings" />
        </Anchor>
      </div>
    </section>
  );
}

function Say({ words, icon }: { words: string; icon?: ReactNode }) {
  const both = useBoth();
  return (
    <span className="gate-say">
      {icon}
      <Both words={{ zh: both.zh(words), en: both.en(words) }} />
    </span>
  );
}

function Both({ words }: { words: Text }) {
  return (
    <span className="gate-both">
      <span lang="zh-CN">{words.zh}</span>
      {words.en !== words.zh && <span lang="en">{words.en}</span>}
    </span>
  );
}

function Line({ words }: { words: string }) {
  const both = useBoth();
  return (
    <span>
      {both.zh(words)} · {both.en(words)}
    </span>
  );
}
