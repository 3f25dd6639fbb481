import { useSyncExternalStore } from 'react';
import { base64, canonical, hex } from './canonical';
import { forget, nextMoment, read, write, type KeptKey } from './keystore';
import { get, post, signWith } from './rest';
import type { DoneReply, KeyList, KeyView, ProofBody } from './schema';

/**
 * insecure: the browser has no WebCrypto here (plain HTTP); broken: it keeps no key;
 * none: this device signs for nobody; lost: its key is not the hub's any more.
 */
export type Standing = 'loading' | 'insecure' | 'broken' | 'none' | 'pending' | 'revoked' | 'lost' | 'active';

export interface Device {
  standing: Standing;
  keyId: string;
  hub: string;
  keys: KeyView[];
}

interface Claim {
  method: 'nfc' | 'qr' | 'gnss';
  code?: string;
  lat?: number;
  lon?: number;
  accuracy_m?: number;
  at: number;
}

const CLAIM_MS = 50_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

let device: Device = { standing: 'loading', keyId: '', hub: '', keys: [] };
let person = '';
let offset = 0;
let kept: KeptKey | undefined;
let claim: Claim | null = null;
const listeners = new Set<() => void>();

function become(next: Partial<Device>): void {
  device = { ...device, ...next };
  signWith(device.standing === 'active' ? prove : null);
  listeners.forEach((listener) => listener());
}

const now = () => Date.now() + offset;
const slot = () => `${device.hub}/${person}`;
const possible = () => window.isSecureContext && globalThis.crypto?.subtle !== undefined;

/** Ask the hub which keys stand, and find this device's own among them. */
export async function loadDevice(personId: string): Promise<void> {
  if (personId !== person) {
    kept = undefined;
    claim = null;
  }
  person = personId;
  const list = await get<KeyList>('/api/v1/keys');
  offset = list.now_ms - Date.now();
  become({ keys: list.items, hub: list.hub });
  if (!possible()) return become({ standing: 'insecure', keyId: '' });
  try {
    kept = await read(slot());
  } catch {
    return become({ standing: 'broken', keyId: '' });
  }
  const known = list.items.find((key) => key.id === kept?.id);
  become({ keyId: kept?.id ?? '', standing: standing(kept, known) });
}

function standing(mine: KeptKey | undefined, known: KeyView | undefined): Standing {
  if (!mine) return 'none';
  if (!known) return 'lost';
  if (known.revoked) return 'revoked';
  return known.pending ? 'pending' : 'active';
}

/** Make a key that never leaves this device, and let it sign for this person. */
export async function enrol(label: string): Promise<void> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const raw = await crypto.subtle.exportKey('raw', pair.publicKey);
  const id = hex(await crypto.subtle.digest('SHA-256', raw)).slice(0, 32);
  const before = kept;
  kept = { slot: slot(), id, pair, public: hex(raw), last: 0 };
  await write(kept);
  try {
    const proof = await prove('key.enrol', { public: kept.public, label, device: 'phone' });
    await post<DoneReply>('/api/v1/acts/key.enrol', { proof });
  } catch (refused) {
    // The hub knows nothing of this key: what stood before stands again.
    if (before) await write(before);
    else await forget(slot());
    kept = before;
    throw refused;
  }
  await loadDevice(person);
}

/** Sign an act as the hub reads it: it takes the act from these very bytes. */
async function prove(verb: string, body: object, version?: number): Promise<ProofBody> {
  if (!kept) throw new Error('no key');
  const at = await nextMoment(kept.slot, now());
  const data = canonical({
    v: 1,
    hub: device.hub,
    person,
    verb,
    body,
    expected_version: version ?? null,
    at,
    place: claim && at - claim.at < CLAIM_MS ? claim : null,
    method: 'key',
    attachments: [],
  });
  const bytes = new TextEncoder().encode(data);
  const sig = await crypto.subtle.sign(SIGNING, kept.pair.privateKey, bytes);
  return { key: kept.id, data, sig: base64(sig) };
}

/** Say where one is by a code that one read at the place; it counts for a minute. */
export function claimPlace(method: 'nfc' | 'qr', code: string): void {
  claim = { method, code, at: Math.floor(now()) };
}

/** Say where one is by satellites; resolves false when the device cannot tell. */
export function claimFix(): Promise<boolean> {
  return new Promise((done) => {
    if (!navigator.geolocation) return done(false);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        claim = {
          method: 'gnss',
          lat: coords.latitude,
          lon: coords.longitude,
          accuracy_m: coords.accuracy,
          at: Math.floor(now()),
        };
        done(true);
      },
      () => done(false),
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 5_000 },
    );
  });
}

export function useDevice(): Device {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => device,
  );
}
