import { IconAlertTriangle, IconCheck, IconClock, IconClockExclamation } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link as Anchor, useLocation } from 'wouter';
import { useBeat, useSection, useSite } from '../../api/hooks';
import { get } from '../../api/rest';
import type { BookView, TaskView } from '../../api/schema';
import { useSession } from '../../api/session';
import { store } from '../../api/store';
import { moment, span } from '../../app/format';
import { useWords } from '../../i18n';

const PLACES = [
  ['/tasks', 'tasks.title'],
  ['/plans', 'plans.title'],
  ['/rounds', 'rounds.title'],
  ['/sheets', 'sheets.title'],
] as const;

/** The four pages of a day's duties, one tap from each other. */
export function Tabs() {
  const { t } = useWords();
  const [path] = useLocation();
  return (
    <nav className="tabs" aria-label={t('tasks.places')}>
      {PLACES.map(([to, key]) => (
        <Anchor key={to} href={to} className="filter" aria-current={path === to ? 'page' : undefined}>
          {t(key)}
        </Anchor>
      ))}
    </nav>
  );
}

/** What the site has in force; read again when another configuration is. */
export function useBook(): BookView | null {
  const [book, setBook] = useState<BookView | null>(null);
  const site = useSite();
  useEffect(() => {
    let here = true;
    get<BookView>('/api/v1/book').then(
      (found) => here && setBook(found),
      () => undefined,
    );
    return () => void (here = false);
  }, [site]);
  return book;
}

/** How long there is left, or how late it is: in words, with a shape of its own. */
export function Due({ ms }: { ms: number }) {
  const { t } = useWords();
  useBeat();
  const site = useSite();
  if (!ms) return null;
  const left = ms - store.now();
  const late = left < 0;
  const Icon = late ? IconClockExclamation : IconClock;
  return (
    <span className={late ? 'due late' : 'due'}>
      <Icon size={20} aria-hidden />
      <b>{late ? t('due.late', { span: span(-left, t) }) : t('due.left', { span: span(left, t) })}</b>
      <small>{moment(ms, site?.time_zone ?? 'UTC')}</small>
    </span>
  );
}

export function Grade({ grade }: { grade: string }) {
  const { t } = useWords();
  if (grade !== 'major') return null;
  return (
    <span className="grade">
      <IconAlertTriangle size={18} aria-hidden />
      {t('grade.major')}
    </span>
  );
}

const STAGES = ['found', 'dispatched', 'fixing', 'fixed', 'closed'] as const;

/** Find, dispatch, fix, look again, closed: where a task stands. */
export function Stages({ task }: { task: TaskView }) {
  const { t } = useWords();
  const state = task.state === 'rejected' ? 'dispatched' : task.state;
  const at = STAGES.indexOf(state as (typeof STAGES)[number]);
  return (
    <ol className="stages" aria-label={t('task.way')}>
      {STAGES.map((stage, number) => (
        <li key={stage} className={number < at || task.state === 'closed' ? 'past' : ''} aria-current={number === at ? 'step' : undefined}>
          <i aria-hidden>{number < at || task.state === 'closed' ? <IconCheck size={16} /> : number + 1}</i>
          {t(`stage.${stage}`)}
        </li>
      ))}
    </ol>
  );
}

export function useMine(): (task: TaskView) => boolean {
  const { person_id: me } = useSession();
  const roles = useSection('people')[me]?.roles ?? [];
  return (task) => task.owner_id === me || (!task.owner_id && task.roles.some((role) => roles.includes(role)));
}

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
