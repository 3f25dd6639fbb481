import type { ActBodies, DoneReply, ProblemView, ProofBody } from './schema';

/** An answer that is an error; `problem.sentences` says it in both languages. */
export class Refusal extends Error {
  constructor(readonly problem: ProblemView) {
    super(problem.code);
  }
}

const NO_HUB: ProblemView = {
  type: '',
  title: 'gateway.unreachable',
  status: 0,
  code: 'gateway.unreachable',
  detail: '',
  params: {},
  sentences: { zh: '联系不上安全中枢，操作未送达', en: 'The hub cannot be reached: nothing was sent' },
};
const WAIT_MS = 20_000;

/** crypto.randomUUID is absent on plain HTTP, getRandomValues is not. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function call<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        'Accept-Language': document.documentElement.lang,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(key ? { 'Idempotency-Key': key } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(WAIT_MS),
    });
  } catch {
    throw new Refusal(NO_HUB);
  }
  if (answer.status === 204) return undefined as T;
  const data = await answer.json().catch(() => NO_HUB);
  if (!answer.ok) throw new Refusal(data as ProblemView);
  return data as T;
}

export const get = <T>(path: string) => call<T>('GET', path);
export const post = <T>(path: string, body: unknown = {}) => call<T>('POST', path, body);
export const remove = (path: string) => call<void>('DELETE', path);

type Prover = (verb: string, body: object, version?: number) => Promise<ProofBody>;
let prover: Prover | null = null;

/** Let this device's key sign every act from now on; null: it has none. */
export function signWith(next: Prover | null): void {
  prover = next;
}

/** The gateway looks at the blob that this one names, so it is sent in clear. */
const UNSIGNED = new Set<string>(['attachment.record']);

/** Ask for an act without a signature: what the page itself tells, not the person. */
export function act<V extends keyof ActBodies>(
  verb: V,
  body: ActBodies[V],
  expectedVersion?: number,
): Promise<DoneReply> {
  const version = expectedVersion === undefined ? {} : { expected_version: expectedVersion };
  return call<DoneReply>('POST', `/api/v1/acts/${verb}`, { ...body, ...version }, freshKey());
}

const SIGNED_TRIES = 3;

/** Ask for an act that a person wants: signed where this device has a key. */
export async function wanted<V extends keyof ActBodies>(
  verb: V,
  body: ActBodies[V],
  expectedVersion?: number,
): Promise<DoneReply> {
  if (!prover || UNSIGNED.has(verb)) return act(verb, body, expectedVersion);
  for (let tries = 1; ; tries++) {
    const proof = await prover(verb, body, expectedVersion);
    try {
      return await call<DoneReply>('POST', `/api/v1/acts/${verb}`, { proof }, freshKey());
    } catch (error) {
      // Another act of this device overtook it on the way; nothing was done: sign anew.
      const overtaken = error instanceof Refusal && error.problem.code === 'signature.replayed';
      if (!overtaken || tries === SIGNED_TRIES) throw error;
    }
  }
}
