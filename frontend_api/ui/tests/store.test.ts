import { describe, expect, it } from 'vitest';
import type { AlarmView } from '../src/api/schema';
import { pause } from '../src/api/socket';
import { Store } from '../src/api/store';

const snapshot = {
  type: 'snapshot',
  epoch: 1,
  seq: 10,
  stream: 'abc',
  step: 4,
  durable: 10,
  now_ms: 5_000,
  site: { id: 's' },
  sections: { permits: { a: { id: 'a', status: 'active' }, b: { id: 'b', status: 'held' } } },
  events: [{ seq: 9 }, { seq: 10 }],
  live: { e1: [1, 0, 4_000, ''] },
  positions: { p1: [1, 2, 0, 0] },
};
const alarm = { id: 'x', active: true, acknowledged: false, priority: 1 } as AlarmView;

describe('store', () => {
  it('takes a snapshot, newest event first', () => {
    const store = new Store();
    store.take(snapshot);
    expect(store.events.map((event) => event.seq)).toEqual([10, 9]);
    expect([store.epoch, store.seq, store.stream, store.step]).toEqual([1, 10, 'abc', 4]);
    expect(Object.keys(store.sections.permits)).toEqual(['a', 'b']);
    expect(store.sections.zones).toEqual({});
  });

  it('applies changes and tells only the parts that changed', () => {
    const store = new Store();
    store.take(snapshot);
    const told: string[] = [];
    store.on('permits', () => told.push('permits'));
    store.on('people', () => told.push('people'));
    const before = store.sections.permits;
    store.take({
      type: 'change', epoch: 1, seq: 12, step: 5, durable: 11, now_ms: 6_000,
      set: { permits: { a: { id: 'a', status: 'held' } } }, gone: { permits: ['b'] },
      events: [{ seq: 12 }], live: { e1: [2, 0, 6_000, ''] }, positions: { p1: [3, 4, 0, 0] },
    });
    expect(told).toEqual(['permits']);
    expect(store.sections.permits).not.toBe(before);
    expect(store.sections.permits).toEqual({ a: { id: 'a', status: 'held' } });
    expect(store.live.e1?.[0]).toBe(2);
    expect(store.positions.p1?.slice(0, 2)).toEqual([3, 4]);
    expect([store.seq, store.durable, store.step]).toEqual([12, 11, 5]);
  });

  it('takes what a flood gathered, and sounds for nothing that was put by', () => {
    const store = new Store();
    const raised: string[] = [];
    store.onRaise((one) => raised.push(one.id));
    const told = (one: Partial<AlarmView>) => ({ type: 'alarm', event: 'raised', id: one.id, alarm: { ...alarm, ...one } });
    store.take({
      type: 'several',
      items: [told({ id: 'a' }), told({ id: 'b', suppressed: 'pump-off' }), told({ id: 'c', shelved: true, life_safety: true })],
    });
    expect(Object.keys(store.alarms)).toEqual(['a', 'b', 'c']);
    expect(raised).toEqual(['a', 'c']);
    store.take({ ...told({ id: 'b', suppressed: '' }), event: 'unsuppressed' });
    expect(raised).toEqual(['a', 'c', 'b']);
  });

  it('shows an event once, however often it is told', () => {
    const store = new Store();
    store.take(snapshot);
    const change = { type: 'change', epoch: 1, seq: 11, step: 5, durable: 11, now_ms: 0, events: [{ seq: 10 }, { seq: 11 }] };
    store.take(change);
    store.take(change);
    expect(store.events.map((event) => event.seq)).toEqual([11, 10, 9]);
  });

  it('raises each alarm once, and again when it comes again', () => {
    const store = new Store();
    const raised: string[] = [];
    store.onRaise((one) => raised.push(one.id));
    store.take({ type: 'alarms', now_ms: 0, alarms: [alarm] });
    store.take({ type: 'alarms', now_ms: 0, alarms: [alarm] });
    expect(raised).toEqual(['x']);
    store.take({ type: 'alarm', id: 'x', event: 'acknowledged', alarm: { ...alarm, acknowledged: true } });
    store.take({ type: 'alarm', id: 'x', event: 'repeated', alarm });
    expect(raised).toEqual(['x', 'x']);
    store.take({ type: 'alarm', id: 'x', event: 'closed', alarm: null });
    expect(store.alarms).toEqual({});
  });

  it('counts an alarm that was acknowledged elsewhere as quiet', () => {
    const store = new Store();
    const raised: string[] = [];
    store.onRaise((one) => raised.push(one.id));
    store.take({ type: 'alarms', now_ms: 0, alarms: [{ ...alarm, acknowledged: true }] });
    expect(raised).toEqual([]);
  });

  it('says since when a stream is away, from the first loss', () => {
    const store = new Store();
    store.setLink('link', true, 1);
    store.setLink('link', false, 2);
    store.setLink('link', false, 9);
    expect(store.link).toEqual({ up: false, since: 2 });
  });
});

describe('reconnecting', () => {
  it('waits longer each time, within bounds', () => {
    const waits = [0, 1, 2, 5, 50].map((tries) => pause(tries, () => 1));
    expect(waits).toEqual([500, 1000, 2000, 15_000, 15_000]);
    expect(pause(0, () => 0)).toBe(250);
  });
});
