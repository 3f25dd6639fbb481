import type { ActBodies, DoneReply, ProblemView, ProofBody, SecondView } from './schema';

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
export const put = (path: string, body: unknown) => call<void>('PUT', path, body);
export const remove = (path: string) => call<void>('DELETE', path);

/**
 * In whose name an act is signed here who has no phone: with the PIN of theirs, this
 * person being the witness; or by the card that this terminal has read.
 */
export type ForOther = { person: string; pin: string } | { person: string; card: string };
export type Prover = (verb: string, body: object, version?: number, other?: ForOther) => Promise<ProofBody>;
let prover: Prover | null = null;
let terminal: Prover | null = null;

/** Let this device's keys sign from now on: a person's own, and a terminal's; null: none. */
export function signWith(own: Prover | null, atTerminal: Prover | null): void {
  prover = own;
  terminal = atTerminal;
}

/** A tap right after the page opened waits a little for the keys to be found. */
const KEYS_MS = 1500;
let looking: Promise<unknown> = Promise.resolve();

/** Let acts wait, never for long, until this device's keys are known. */
export function signSoon(found: Promise<unknown>): void {
  looking = found;
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
  other?: ForOther,
): Promise<DoneReply> {
  await Promise.race([looking, new Promise((done) => setTimeout(done, KEYS_MS))]);
  const signer = other && 'card' in other ? terminal : prover;
  if (other && !signer) throw new Error('no key here may sign for another');
  if (!signer || UNSIGNED.has(verb)) return act(verb, body, expectedVersion);
  const pin = other && 'pin' in other ? { pin: other.pin } : {};
  return signed(
    () => signer(verb, body, expectedVersion, other),
    (proof) => call<DoneReply>('POST', `/api/v1/acts/${verb}`, { proof, ...pin }, freshKey()),
  );
}

async function signed<T>(sign: () => Promise<ProofBody>, send: (proof: ProofBody) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const proof = await sign();
    try {
      return await send(proof);
    } catch (error) {
      // Another act of this device overtook it on the way; nothing was done: sign anew.
      const overtaken = error instanceof Refusal && error.problem.code === 'signature.replayed';
      if (!overtaken || tries === SIGNED_TRIES) throw error;
    }
  }
}

/** Sign an act of two persons, and ask for the second one's signature. */
export async function askSecond<V extends keyof ActBodies>(verb: V, body: ActBodies[V], version?: number): Promise<SecondView> {
  const sign = prover;
  if (!sign) throw new Error('no key');
  return signed(
    () => sign(verb, body, version),
    (proof) => call<SecondView>('POST', '/api/v1/seconds', { verb, proof }),
  );
}

/** Sign, as the second person, the very act that another one signed. */
export async function signSecond(asked: SecondView): Promise<DoneReply> {
  const sign = prover;
  if (!sign) throw new Error('no key');
  const proof = await sign(asked.verb, asked.body, asked.expected_version ?? undefined);
  return call<DoneReply>('POST', `/api/v1/seconds/${asked.id}/sign`, { proof });
}
