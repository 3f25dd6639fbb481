import { createContext, useContext } from 'react';
import type { SessionView, Verb } from './schema';

export const SessionContext = createContext<SessionView | null>(null);

export function useSession(): SessionView {
  const session = useContext(SessionContext);
  if (!session) throw new Error('no session here');
  return session;
}

/** Say whether the roles of this person allow a verb; the hub decides again. */
export function useMay(): (verb: Verb | string) => boolean {
  const { verbs } = useSession();
  return (verb) => verbs.includes(verb);
}
