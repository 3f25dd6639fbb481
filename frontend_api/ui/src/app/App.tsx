import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { Route, Switch, useRoute } from 'wouter';
import { loadDevice } from '../api/device';
import { get, Refusal } from '../api/rest';
import type { AuthView, SessionView } from '../api/schema';
import { SessionContext } from '../api/session';
import { Stream } from '../api/socket';
import { store } from '../api/store';
import { suggestLanguage, useWords } from '../i18n';
import { Shell } from './Shell';
import { Unloaded } from './Unloaded';

/** The first part of a path → its pages: a file of its own each, loaded when wanted. */
const FEATURES = {
  '': () => import('../features/live/LivePage'),
  alarms: () => import('../features/alarms/AlarmsPage'),
  devices: () => import('../features/devices'),
  gate: () => import('../features/gate'),
  hub: () => import('../features/hub/HubPage'),
  muster: () => import('../features/muster/MusterPage'),
  notices: () => import('../features/notices/NoticesPage'),
  permits: () => import('../features/permits/PermitsPage'),
  permit: () => import('../features/permits'),
  rules: () => import('../features/rules'),
  settings: () => import('../features/settings/SettingsPage'),
  tasks: () => import('../features/tasks'),
};
const LivePage = lazy(() => FEATURES['']().then((all) => ({ default: all.LivePage })));
const AlarmsPage = lazy(() => FEATURES.alarms().then((all) => ({ default: all.AlarmsPage })));
const CommissionPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.CommissionPage })));
const DevicePage = lazy(() => FEATURES.devices().then((all) => ({ default: all.DevicePage })));
const DevicesPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.DevicesPage })));
const EnrolPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.EnrolPage })));
const FoundPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.FoundPage })));
const IntegrationsPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.IntegrationsPage })));
const MapPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.MapPage })));
const RackPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.RackPage })));
const SetupPage = lazy(() => FEATURES.devices().then((all) => ({ default: all.SetupPage })));
const GatePage = lazy(() => FEATURES.gate().then((all) => ({ default: all.GatePage })));
const HubPage = lazy(() => FEATURES.hub().then((all) => ({ default: all.HubPage })));
const MusterPage = lazy(() => FEATURES.muster().then((all) => ({ default: all.MusterPage })));
const NoticesPage = lazy(() => FEATURES.notices().then((all) => ({ default: all.NoticesPage })));
const BookPage = lazy(() => FEATURES.permit().then((all) => ({ default: all.BookPage })));
const PermitPage = lazy(() => FEATURES.permit().then((all) => ({ default: all.PermitPage })));
const PermitsPage = lazy(() => FEATURES.permits().then((all) => ({ default: all.PermitsPage })));
const RulesPage = lazy(() => FEATURES.rules().then((all) => ({ default: all.RulesPage })));
const MakePage = lazy(() => FEATURES.rules().then((all) => ({ default: all.MakePage })));
const DraftPage = lazy(() => FEATURES.rules().then((all) => ({ default: all.DraftPage })));
const SettingsPage = lazy(() => FEATURES.settings().then((all) => ({ default: all.SettingsPage })));
const PlanRunPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.PlanRunPage })));
const PlansPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.PlansPage })));
const ReportPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.ReportPage })));
const RoundsPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.RoundsPage })));
const SheetsPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.SheetsPage })));
const TaskPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.TaskPage })));
const TasksPage = lazy(() => FEATURES.tasks().then((all) => ({ default: all.TasksPage })));
const EnterPage = lazy(() => import('../features/login/EnterPage').then((all) => ({ default: all.EnterPage })));

const AHEAD_MS = 3000;

/** Load the page of this address at once, beside the question who asks. */
const [, place = '', one] = location.pathname.split('/');
const first = FEATURES[(place === 'permits' && one ? 'permit' : place) as keyof typeof FEATURES] ?? FEATURES[''];
void first().catch(() => undefined);

/** Load the others while nobody waits: they then open also where the hub is away. */
async function loadAhead(): Promise<void> {
  for (const load of Object.values(FEATURES)) await load();
}

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
    return (
      <Unloaded>
        <Suspense fallback={<Waiting lost={false} />}>
          <EnterPage claimed={stage.auth.claimed} entered={() => void ask()} />
        </Suspense>
      </Unloaded>
    );
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

function Loading() {
  return <div className="skeleton" style={{ flex: 1 }} aria-busy="true" />;
}

/** Stand beside the first page: what it holds is drawn before more is loaded. */
function LoadAhead() {
  useEffect(() => {
    const timer = setTimeout(() => void loadAhead().catch(() => undefined), AHEAD_MS);
    return () => clearTimeout(timer);
  }, []);
  return null;
}

function Inside({ session, ended }: { session: SessionView; ended: () => void }) {
  const [current, setCurrent] = useState(session);
  const [atGate] = useRoute('/gate');
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

  if (atGate) {
    // Whoever stands at a gate is not the one who opened the page: no menu, no names.
    return (
      <SessionContext.Provider value={current}>
        <Unloaded>
          <Suspense fallback={<Loading />}>
            <GatePage />
          </Suspense>
        </Unloaded>
      </SessionContext.Provider>
    );
  }
  return (
    <SessionContext.Provider value={current}>
      <Shell left={ended}>
        <Unloaded>
          <Suspense fallback={<Loading />}>
            <Switch>
              <Route path="/permits" component={PermitsPage} />
              <Route path="/permits/new" component={BookPage} />
              <Route path="/permits/:id">{({ id }) => <PermitPage key={id} id={id} />}</Route>
              <Route path="/alarms" component={AlarmsPage} />
              <Route path="/muster" component={MusterPage} />
              <Route path="/devices" component={DevicesPage} />
              <Route path="/devices/found" component={FoundPage} />
              <Route path="/devices/integrations" component={IntegrationsPage} />
              <Route path="/devices/setup" component={SetupPage} />
              <Route path="/devices/map" component={MapPage} />
              <Route path="/devices/rack" component={RackPage} />
              <Route path="/devices/commissioning" component={CommissionPage} />
              <Route path="/devices/enrol/:id">{({ id }) => <EnrolPage key={id} id={decodeURIComponent(id)} />}</Route>
              <Route path="/devices/:id">{({ id }) => <DevicePage key={id} id={id} />}</Route>
              <Route path="/hub" component={HubPage} />
              <Route path="/notices" component={NoticesPage} />
              <Route path="/tasks" component={TasksPage} />
              <Route path="/tasks/new" component={ReportPage} />
              <Route path="/tasks/:id">{({ id }) => <TaskPage key={id} id={id} />}</Route>
              <Route path="/plans" component={PlansPage} />
              <Route path="/plans/:id">{({ id }) => <PlanRunPage key={id} id={id} />}</Route>
              <Route path="/rounds" component={RoundsPage} />
              <Route path="/sheets" component={SheetsPage} />
              <Route path="/rules" component={RulesPage} />
              <Route path="/rules/new">{() => <MakePage />}</Route>
              <Route path="/rules/drafts/:id">{({ id }) => <DraftPage key={id} id={id} />}</Route>
              <Route path="/rules/:id/change">{({ id }) => <MakePage key={id} id={id} kind="change" />}</Route>
              <Route path="/rules/:id/upgrade">{({ id }) => <MakePage key={id} id={id} kind="upgrade" />}</Route>
              <Route path="/settings">
                <SettingsPage left={ended} />
              </Route>
              <Route component={LivePage} />
            </Switch>
            <LoadAhead />
          </Suspense>
        </Unloaded>
      </Shell>
    </SessionContext.Provider>
  );
}
