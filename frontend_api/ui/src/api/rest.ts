import type { ActBodies, DoneReply, ProblemView } from './schema';

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

/** Ask for an act; the key makes a repeat of the same click harmless. */
export function act<V extends keyof ActBodies>(
  verb: V,
  body: ActBodies[V],
  expectedVersion?: number,
): Promise<DoneReply> {
  const whole = {
    ...body,
    ...(expectedVersion === undefined ? {} : { expected_version: expectedVersion }),
  };
  return call<DoneReply>('POST', `/api/v1/acts/${verb}`, whole, freshKey());
}
