import { useState } from 'react';
import { act, Refusal } from '../api/rest';
import type { ActBodies, ProblemView } from '../api/schema';

/** Ask for an act; a refusal stays visible until the next try. */
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  async function ask<V extends keyof ActBodies>(
    verb: V,
    body: ActBodies[V],
    version?: number,
  ): Promise<Record<string, unknown> | null> {
    setBusy(true);
    setProblem(null);
    try {
      const done = await act(verb, body, version);
      return done.result ?? {};
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setProblem(error.problem);
      return null;
    } finally {
      setBusy(false);
    }
  }
  return { ask, busy, problem, clear: () => setProblem(null) };
}
