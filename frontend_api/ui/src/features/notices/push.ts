import { post } from '../../api/rest';
import type { PushReply } from '../../api/schema';

/** Why this device cannot be told by push; the words stand under `push.<why>`. */
export type PushFault = 'insecure' | 'unsupported' | 'denied' | 'no_service';

export class PushError extends Error {
  constructor(readonly why: PushFault) {
    super(why);
  }
}

/** A push service that cannot be reached never answers: it is given up after this. */
const WAIT_MS = 15_000;

export function pushFault(): PushFault | null {
  if (!window.isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator) || !('PushManager' in window)) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return null;
}

/** Return the channel that this device is, '' when it is none. */
export async function thisDevice(): Promise<string> {
  if (pushFault()) return '';
  const worker = await navigator.serviceWorker.getRegistration('/');
  const kept = await worker?.pushManager.getSubscription();
  return kept ? channelOf(kept.endpoint) : '';
}

export async function channelOf(endpoint: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'));
  return `push.${hex.join('').slice(0, 8)}`;
}

export function bytesOf(key: string): Uint8Array<ArrayBuffer> {
  const text = atob(key.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Let the hub push to this device; returns its channel. Throws PushError or Refusal. */
export async function subscribe(hubKey: string): Promise<string> {
  const fault = pushFault();
  if (fault) throw new PushError(fault);
  if ((await Notification.requestPermission()) !== 'granted') throw new PushError('denied');
  await navigator.serviceWorker.register('/sw.js');
  const worker = await navigator.serviceWorker.ready;
  // One that was made for another key of the hub is of no use.
  await (await worker.pushManager.getSubscription())?.unsubscribe();
  const made = await soon(
    worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(hubKey) }),
  );
  const { keys } = made.toJSON();
  const body = { endpoint: made.endpoint, p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' };
  return (await post<PushReply>('/api/v1/my/push', body)).channel;
}

export async function unsubscribe(): Promise<void> {
  const worker = await navigator.serviceWorker.getRegistration('/');
  await (await worker?.pushManager.getSubscription())?.unsubscribe();
}

async function soon<T>(work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, fail) => {
    setTimeout(() => fail(new PushError('no_service')), WAIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw error instanceof PushError ? error : new PushError('no_service');
  }
}
