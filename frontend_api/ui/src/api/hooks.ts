import { useEffect, useState, useSyncExternalStore } from 'react';
import { store, type Part, type Sections } from './store';

/** Read a section of the live state; renders again only when it changed. */
export function useSection<K extends keyof Sections>(name: K): Sections[K] {
  return useSyncExternalStore(
    (listener) => store.on(name, listener),
    () => store.sections[name],
  );
}

export function usePart<T>(part: Part, read: () => T): T {
  return useSyncExternalStore((listener) => store.on(part, listener), read);
}

export const useSite = () => usePart('site', () => store.site);
export const useAlarms = () => usePart('alarms', () => store.alarms);
export const useEvents = () => usePart('events', () => store.events);
export const useLink = () => usePart('link', () => store.link);
export const useAlarmLink = () => usePart('link', () => store.alarmLink);
export const useDurable = () => usePart('durable', () => store.durable);

/** Say whether what is shown may be old: the hub or its stream is away. */
export function useStale(): boolean {
  const link = useLink();
  const alarms = useAlarmLink();
  const hub = useSection('hub').hub;
  return !link.up || !alarms.up || hub?.reachable === false;
}

/** Render once a second: ages and values are read from the store then. */
export function useBeat(ms = 1000): number {
  const [beat, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return beat;
}
