import type {
  AlarmGroupView,
  AlarmStateView,
  AlarmView,
  DeviceView,
  DrillPlanView,
  EvacuationView,
  EventView,
  HubView,
  NoticeView,
  OutputView,
  PermitView,
  PersonView,
  PlanRunView,
  ResponseView,
  RiskView,
  RoundRunView,
  RunView,
  SecondView,
  ServiceView,
  SheetView,
  SiteView,
  TaskView,
  VisitorView,
  ZoneView,
} from './schema';

/** Value, quality, wall milliseconds, reason. */
export type LiveCell = [number | string | boolean | null, number, number, string];
export type Position = number[];

export interface Sections {
  zones: Record<string, ZoneView>;
  people: Record<string, PersonView>;
  responses: Record<string, ResponseView>;
  permits: Record<string, PermitView>;
  evacuations: Record<string, EvacuationView>;
  visitors: Record<string, VisitorView>;
  drill_plans: Record<string, DrillPlanView>;
  notices: Record<string, NoticeView>;
  outputs: Record<string, OutputView>;
  devices: Record<string, DeviceView>;
  runs: Record<string, RunView>;
  tasks: Record<string, TaskView>;
  plan_runs: Record<string, PlanRunView>;
  round_runs: Record<string, RoundRunView>;
  sheets: Record<string, SheetView>;
  seconds: Record<string, SecondView>;
  hub: Record<string, HubView>;
  groups: Record<string, AlarmGroupView>;
  alarming: Record<string, AlarmStateView>;
  risks: Record<string, RiskView>;
  service: Record<string, ServiceView>;
}

export type Part = keyof Sections | 'site' | 'alarms' | 'events' | 'link' | 'durable';
type Any = Record<string, unknown>;

const KEPT_EVENTS = 400;
const EMPTY: Sections = {
  zones: {},
  people: {},
  responses: {},
  permits: {},
  evacuations: {},
  visitors: {},
  drill_plans: {},
  notices: {},
  outputs: {},
  devices: {},
  runs: {},
  tasks: {},
  plan_runs: {},
  round_runs: {},
  sheets: {},
  seconds: {},
  hub: {},
  groups: {},
  alarming: {},
  risks: {},
  service: {},
};

/** Say whether an alarm calls nobody now; never so for life safety. */
export function quiet(alarm: AlarmView): boolean {
  return !alarm.life_safety && (!!alarm.suppressed || alarm.shelved || alarm.out_of_service);
}

export interface Link {
  up: boolean;
  /** Wall milliseconds since when the gateway is connected, or lost. */
  since: number;
}

/**
 * Live state outside React. Messages write here; components hear of the parts
 * that changed, plans and charts read positions and values when they paint.
 */
export class Store {
  site: SiteView | null = null;
  sections: Sections = { ...EMPTY };
  alarms: Record<string, AlarmView> = {};
  events: EventView[] = [];
  live: Record<string, LiveCell> = {};
  positions: Record<string, Position> = {};
  epoch = 0;
  seq = 0;
  /** The gateway's life and the number of its last message, to resume from. */
  stream = '';
  step = 0;
  durable = 0;
  /** Server's wall time minus this machine's: ages are judged by the hub's clock. */
  offset = 0;
  link: Link = { up: false, since: 0 };
  alarmLink: Link = { up: false, since: 0 };

  private listeners = new Map<Part, Set<() => void>>();
  private movers = new Set<() => void>();
  private samplers = new Set<(entity: string, cell: LiveCell) => void>();
  private raisers = new Set<(alarm: AlarmView) => void>();
  /** Alarms that were told once already, so that a snapshot does not sound again. */
  private told = new Set<string>();

  on(part: Part, listener: () => void): () => void {
    const set = this.listeners.get(part) ?? new Set();
    this.listeners.set(part, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  /** Hear that positions moved; at most as often as messages come. */
  onMove(listener: () => void): () => void {
    this.movers.add(listener);
    return () => this.movers.delete(listener);
  }

  /** Hear each fresh reading, for charts. */
  onSample(listener: (entity: string, cell: LiveCell) => void): () => void {
    this.samplers.add(listener);
    return () => this.samplers.delete(listener);
  }

  /** Hear each alarm that is new or active again: to sound, to speak. */
  onRaise(listener: (alarm: AlarmView) => void): () => void {
    this.raisers.add(listener);
    return () => this.raisers.delete(listener);
  }

  now(): number {
    return Date.now() + this.offset;
  }

  private emit(part: Part): void {
    this.listeners.get(part)?.forEach((listener) => listener());
  }

  setLink(which: 'link' | 'alarmLink', up: boolean, since = Date.now()): void {
    if (this[which].up === up && this[which].since) return;
    this[which] = { up, since };
    this.emit('link');
  }

  /** Take one message of either stream. */
  take(message: Any): void {
    switch (message.type) {
      case 'snapshot':
        this.snapshot(message);
        break;
      case 'change':
        this.change(message);
        break;
      case 'alarms':
        this.allAlarms(message);
        break;
      case 'alarm':
        this.oneAlarm(message);
        break;
      case 'several':
        // Minor alarms that a flood made the hub gather.
        for (const one of message.items as Any[]) this.oneAlarm(one);
        break;
      default:
        break;
    }
  }

  private clock(message: Any): void {
    this.offset = (message.now_ms as number) - Date.now();
  }

  private snapshot(message: Any): void {
    this.clock(message);
    this.cursor(message);
    this.stream = message.stream as string;
    this.site = message.site as SiteView;
    this.sections = { ...EMPTY, ...(message.sections as Partial<Sections>) };
    this.events = (message.events as EventView[]).slice().reverse();
    this.live = message.live as Record<string, LiveCell>;
    this.positions = message.positions as Record<string, Position>;
    for (const part of Object.keys(EMPTY) as Part[]) this.emit(part);
    this.emit('site');
    this.emit('events');
    this.movers.forEach((listener) => listener());
  }

  private cursor(message: Any): void {
    this.epoch = message.epoch as number;
    this.seq = message.seq as number;
    this.step = message.step as number;
    if (this.durable !== message.durable) {
      this.durable = message.durable as number;
      this.emit('durable');
    }
  }

  private change(message: Any): void {
    this.clock(message);
    this.cursor(message);
    const set = (message.set ?? {}) as Record<string, Any>;
    const gone = (message.gone ?? {}) as Record<string, string[]>;
    for (const part of new Set([...Object.keys(set), ...Object.keys(gone)])) {
      const name = part as keyof Sections;
      const next: Any = { ...this.sections[name], ...set[part] };
      for (const id of gone[part] ?? []) delete next[id];
      this.sections = { ...this.sections, [name]: next };
      this.emit(name);
    }
    const newest = this.events[0]?.seq ?? 0;
    const events = ((message.events ?? []) as EventView[]).filter((event) => event.seq > newest);
    if (events.length) {
      this.events = [...events.slice().reverse(), ...this.events].slice(0, KEPT_EVENTS);
      this.emit('events');
    }
    this.samples((message.live ?? {}) as Record<string, LiveCell>);
    this.move((message.positions ?? {}) as Record<string, Position>);
  }

  private samples(live: Record<string, LiveCell>): void {
    for (const [entity, cell] of Object.entries(live)) {
      this.live[entity] = cell;
      this.samplers.forEach((listener) => listener(entity, cell));
    }
  }

  private move(positions: Record<string, Position>): void {
    const people = Object.entries(positions);
    for (const [person, at] of people) this.positions[person] = at;
    if (people.length) this.movers.forEach((listener) => listener());
  }

  private allAlarms(message: Any): void {
    const alarms = message.alarms as AlarmView[];
    this.alarms = Object.fromEntries(alarms.map((alarm) => [alarm.id, alarm]));
    for (const alarm of alarms) this.tell(alarm);
    this.emit('alarms');
  }

  private oneAlarm(message: Any): void {
    const id = message.id as string;
    const alarm = message.alarm as AlarmView | null;
    const { [id]: _, ...rest } = this.alarms;
    this.alarms = alarm ? { ...rest, [id]: alarm } : rest;
    if (alarm) {
      if (message.event === 'repeated') this.told.delete(id);
      this.tell(alarm);
    } else {
      this.told.delete(id);
    }
    this.emit('alarms');
  }

  private tell(alarm: AlarmView): void {
    if (this.told.has(alarm.id) || !alarm.active || alarm.acknowledged || quiet(alarm)) return;
    this.told.add(alarm.id);
    this.raisers.forEach((listener) => listener(alarm));
  }
}

export const store = new Store();
