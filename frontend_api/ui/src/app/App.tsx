import { useCallback, useEffect, useState } from 'react';
import { Route, Switch } from 'wouter';
import { loadDevice } from '../api/device';
import { get, Refusal } from '../api/rest';
import type { AuthView, SessionView } from '../api/schema';
import { SessionContext } from '../api/session';
import { Stream } from '../api/socket';
import { store } from '../api/store';
import { AlarmsPage } from '../features/alarms/AlarmsPage';
import { HubPage } from '../features/hub/HubPage';
import { LivePage } from '../features/live/LivePage';
import { EnterPage } from '../features/login/EnterPage';
import { MusterPage } from '../features/muster/MusterPage';
import { BookPage } from '../features/permits/BookPage';
import { PermitPage } from '../features/permits/PermitPage';
import { PermitsPage } from '../features/permits/PermitsPage';
import { SettingsPage } from '../features/settings/SettingsPage';
import { suggestLanguage, useWords } from '../i18n';
import { Shell } from './Shell';

type Stage =
  | { at: 'asking' }
  | { at: 'lost' }
  | { at: 'out'; auth: AuthView }
  | { at: 'in'; session: SessionView };

export function App() {
  const [stage, setStage] = useState<Stage>({ at: 'asking' });

  const ask = useCallback(async () => {
    try {
      const auth = await get<AuthView>('/api/v1/auth');
      suggestLanguage(auth.language);
      if (!auth.here) setStage({ at: 'out', auth });
      else setStage({ at: 'in', session: await get<SessionView>('/api/v1/session') });
    } catch {
      setStage({ at: 'lost' });
    }
  }, []);

  useEffect(() => void ask(), [ask]);
  useEffect(() => {
    if (stage.at !== 'lost') return;
    const timer = setTimeout(() => void ask(), 3000);
    return () => clearTimeout(timer);
  }, [stage, ask]);

  if (stage.at === 'asking' || stage.at === 'lost') return <Waiting lost={stage.at === 'lost'} />;
  if (stage.at === 'out') {
    return <EnterPage claimed={stage.auth.claimed} entered={() => void ask()} />;
  }
  return <Inside session={stage.session} ended={() => void ask()} />;
}

function Waiting({ lost }: { lost: boolean }) {
  const { t } = useWords();
  return (
    <main className="enter">
      <img src="/icon.svg" alt="" width={56} height={56} />
      <p role="status">{lost ? t('enter.lost') : t('enter.wait')}</p>
    </main>
  );
}

function Inside({ session, ended }: { session: SessionView; ended: () => void }) {
  const [current, setCurrent] = useState(session);
  useEffect(() => {
    const load = () => void loadDevice(session.person_id).catch(() => undefined);
    load();
    // A key was enrolled, approved or revoked: perhaps this one.
    let seen = store.seq;
    return store.on('events', () => {
      const fresh = store.events.filter((event) => event.seq > seen);
      seen = store.events[0]?.seq ?? seen;
      if (fresh.some((event) => event.type.startsWith('key.'))) load();
    });
  }, [session.person_id]);
  useEffect(() => {
    const check = () =>
      void get<SessionView>('/api/v1/session').then(setCurrent, (error: unknown) => {
        if (error instanceof Refusal && error.problem.status === 401) ended();
      });
    const live = new Stream('/api/websocket', store, 'link', check);
    const alarms = new Stream('/api/alarms', store, 'alarmLink', check);
    alarms.start();
    live.start();
    // Roles may have been changed by the owner meanwhile.
    const off = store.on('people', check);
    return () => {
      alarms.stop();
      live.stop();
      off();
    };
  }, [ended]);

  return (
    <SessionContext.Provider value={current}>
      <Shell left={ended}>
        <Switch>
          <Route path="/permits" component={PermitsPage} />
          <Route path="/permits/new" component={BookPage} />
          <Route path="/permits/:id">{({ id }) => <PermitPage key={id} id={id} />}</Route>
          <Route path="/alarms" component={AlarmsPage} />
          <Route path="/muster" component={MusterPage} />
          <Route path="/hub" component={HubPage} />
          <Route path="/settings">
            <SettingsPage left={ended} />
          </Route>
          <Route component={LivePage} />
        </Switch>
      </Shell>
    </SessionContext.Provider>
  );
}
