import { useState } from 'react';
import { askSecond, Refusal, wanted, type ForOther } from '../api/rest';
import type { ActBodies, ProblemView } from '../api/schema';

/** The browser itself failed: its storage is full or shut, or its key is gone. */
const UNSIGNED: ProblemView = {
  type: '',
  title: 'device.unsigned',
  status: 0,
  code: 'signature.required',
  detail: '',
  params: {},
  sentences: {
    zh: '本设备未能签名，操作未送出',
    en: 'This device could not sign: nothing was sent',
  },
};

/** Ask for an act; a refusal stays visible until the next try. */
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  async function ask<V extends keyof ActBodies>(
    verb: V,
    body: ActBodies[V],
    version?: number,
    other?: ForOther,
  ): Promise<Record<string, unknown> | null> {
    setBusy(true);
    setProblem(null);
    try {
      const done = await wanted(verb, body, version, other);
      return done.result ?? {};
    } catch (error) {
      setProblem(await mended(error, () => askSecond(verb, body, version)));
      return null;
    } finally {
      setBusy(false);
    }
  }
  return { ask, busy, problem, clear: () => setProblem(null) };
}

/** Return what still stands against an act; one of two persons goes to the second. */
async function mended(error: unknown, second: () => Promise<unknown>): Promise<ProblemView | null> {
  if (!(error instanceof Refusal)) return UNSIGNED;
  if (error.problem.code !== 'signature.second_required') return error.problem;
  try {
    await second();
    return null;
  } catch (no) {
    return no instanceof Refusal ? no.problem : UNSIGNED;
  }
}
