import {
  IconBell,
  IconChecklist,
  IconClipboardCheck,
  IconHeartbeat,
  IconListCheck,
  IconMap2,
  IconSettings,
  IconUsersGroup,
} from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link as Anchor, useLocation } from 'wouter';
import { useAlarmLink, useAlarms, useBeat, useLink, useSection, useSite, useStale } from '../api/hooks';
import { useSession } from '../api/session';
import { quiet, store } from '../api/store';
import { MyNotices } from '../components/MyNotices';
import { Seconds } from '../components/Seconds';
import { LanguageSwitch, LookSwitch } from '../components/Switches';
import { useWords } from '../i18n';
import { clock, span } from './format';
import { useAlerts } from './alerts';

const PLACES = [
  { to: '/', key: 'nav.live', icon: IconMap2 },
  { to: '/permits', key: 'nav.permits', icon: IconClipboardCheck },
  { to: '/alarms', key: 'nav.alarms', icon: IconBell },
  { to: '/muster', key: 'nav.muster', icon: IconUsersGroup },
  { to: '/tasks', key: 'nav.tasks', icon: IconListCheck },
  { to: '/hub', key: 'nav.hub', icon: IconHeartbeat },
] as const;

export function Shell({ children }: { children: ReactNode; left: () => void }) {
  const { t } = useWords();
  useAlerts();
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <Rail />
      <div className="column">
        <Top />
        <LostBar />
        <Content>{children}</Content>
      </div>
    </div>
  );
}

function Content({ children }: { children: ReactNode }) {
  const site = useSite();
  const stale = useStale();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 8000);
    return () => clearTimeout(timer);
  }, []);
  // A skeleton until the first snapshot, so that nothing jumps under a finger.
  if (!site && !late) {
    return (
      <main id="main" className="content" aria-busy="true">
        <div className="skeleton" style={{ height: 92 }} />
        <div className="skeleton" style={{ flex: 1 }} />
      </main>
    );
  }
  return (
    <main id="main" className={stale ? 'content stale' : 'content'}>
      <MyNotices />
      <Seconds />
      {children}
    </main>
  );
}

function Rail() {
  const { t } = useWords();
  const [path] = useLocation();
  const open = Object.values(useAlarms()).filter((alarm) => !alarm.acknowledged && !quiet(alarm)).length;
  const missing = useMissing();
  const duties = useDuties();
  const badge: Record<string, number> = { '/alarms': open, '/muster': missing, '/tasks': duties };
  return (
    <nav className="rail" aria-label={t('nav.label')}>
      <div className="brand">
        <img src="/icon.svg" alt="" width={32} height={32} />
        <span>Safehold</span>
      </div>
      {PLACES.map(({ to, key, icon: Icon }) => (
        <Anchor key={to} href={to} className="place" aria-current={isAt(path, to) ? 'page' : undefined}>
          <Icon size={22} stroke={1.8} aria-hidden />
          <span>{t(key)}</span>
          {badge[to] ? (
            <b className="badge" aria-label={t('nav.open', { count: badge[to] })}>
              {badge[to]}
            </b>
          ) : null}
        </Anchor>
      ))}
      <Anchor href="/rules" className="place wide" aria-current={path.startsWith('/rules') ? 'page' : undefined}>
        <IconChecklist size={22} stroke={1.8} aria-hidden />
        <span>{t('nav.rules')}</span>
      </Anchor>
      <Anchor
        href="/settings"
        className="place settings"
        aria-current={path === '/settings' ? 'page' : undefined}
      >
        <IconSettings size={22} stroke={1.8} aria-hidden />
        <span>{t('nav.settings')}</span>
      </Anchor>
    </nav>
  );
}

export /** Pages that are one tap from the duties' own. */
const DUTIES = ['/plans', '/rounds', '/sheets'];

function isAt(path: string, to: string): boolean {
  const at = to === '/tasks' ? [to, ...DUTIES] : [to];
  return at.some((one) => path === one || path.startsWith(`${one}/`));
}

/** Plans that run, and tasks that are late: what the duties' page is opened for. */
function useDuties(): number {
  const runs = Object.values(useSection('plan_runs')).filter((one) => !one.ended_ms).length;
  return runs + Object.values(useSection('tasks')).filter((one) => one.state !== 'closed' && one.level > 0).length;
}

function useMissing(): number {
  const running = Object.values(useSection('evacuations')).filter((one) => !one.cleared_ms);
  return running.reduce(
    (sum, one) => sum + one.roll.filter((line) => line.status !== 'accounted').length,
    0,
  );
}

function Top() {
  const { t, say } = useWords();
  const site = useSite();
  const hub = useSection('hub').hub;
  const session = useSession();
  useBeat();
  const live = !useStale();
  const watching = (hub?.watching ?? []).length;
  return (
    <header className="top">
      <h1>{say(site?.names) || t('app.name')}</h1>
      <span className={live ? 'pill ok' : 'pill bad'}>
        <i aria-hidden />
        {live ? t('top.live') : t('top.lost')}
      </span>
      <span className="grow" />
      {watching > 1 && <span className="quiet wide">{t('top.watching', { count: watching })}</span>}
      <time className="wallclock wide">{clock(store.now(), site?.time_zone ?? 'UTC', true)}</time>
      <LookSwitch className="wide" />
      <LanguageSwitch />
      <Anchor href="/settings" className="me" aria-label={t('nav.settings')} title={session.name}>
        {session.name.slice(0, 1)}
      </Anchor>
    </header>
  );
}

/** Say since when what is shown has grown old, and that alarms go on without it. */
function LostBar() {
  const { t } = useWords();
  const link = useLink();
  const alarmLink = useAlarmLink();
  const hub = useSection('hub').hub;
  const site = useSite();
  useBeat();
  const gone = [link, alarmLink].find((one) => !one.up && one.since);
  const zone = site?.time_zone ?? 'UTC';
  if (gone) {
    const at = clock(gone.since + store.offset, zone, true);
    return (
      <div className="lostbar" role="alert">
        <b>{t('lost.screen', { at })}</b> {t('lost.age', { span: span(Date.now() - gone.since, t) })}
      </div>
    );
  }
  if (hub && !hub.reachable) {
    return (
      <div className="lostbar" role="alert">
        <b>{t('lost.hub', { at: clock(hub.since_ms, zone, true) })}</b> {t('lost.go_on')}
      </div>
    );
  }
  return null;
}
