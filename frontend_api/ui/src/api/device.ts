import { useSyncExternalStore } from 'react';
import { base64, canonical, hex } from './canonical';
import { forget, nextMoment, read, write, type KeptKey } from './keystore';
import { get, post, signSoon, signWith, type ForOther } from './rest';
import type { DoneReply, KeyList, KeyView, ProofBody } from './schema';

/**
 * insecure: the browser has no WebCrypto here (plain HTTP); broken: it keeps no key;
 * none: this device signs for nobody; lost: its key is not the hub's any more.
 */
export type Standing = 'loading' | 'insecure' | 'broken' | 'none' | 'pending' | 'revoked' | 'lost' | 'active';

export interface Device {
  standing: Standing;
  keyId: string;
  /** Of the terminal that this device is beside being a person's; none: it is none. */
  terminal: Standing;
  terminalId: string;
  hub: string;
  keys: KeyView[];
  /** True: this person has a PIN to sign beside a witness. */
  pin: boolean;
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

let device: Device = { standing: 'loading', keyId: '', terminal: 'none', terminalId: '', hub: '', keys: [], pin: false };
let person = '';
let offset = 0;
let kept: KeptKey | undefined;
let gate: KeptKey | undefined;
let claim: Claim | null = null;
const listeners = new Set<() => void>();

function become(next: Partial<Device>): void {
  device = { ...device, ...next };
  signWith(device.standing === 'active' ? prove : null, device.terminal === 'active' ? proveAtGate : null);
  listeners.forEach((listener) => listener());
}

const now = () => Date.now() + offset;
const slot = (terminal = false) => `${device.hub}/${terminal ? '' : person}`;
const possible = () => window.isSecureContext && globalThis.crypto?.subtle !== undefined;

/** Ask the hub which keys stand, and find this device's own among them. */
export function loadDevice(personId: string): Promise<void> {
  const found = look(personId);
  signSoon(found.catch(() => undefined));
  return found;
}

async function look(personId: string): Promise<void> {
  if (personId !== person) {
    kept = undefined;
    claim = null;
  }
  person = personId;
  const list = await get<KeyList>('/api/v1/keys');
  offset = list.now_ms - Date.now();
  become({ keys: list.items, hub: list.hub, pin: list.pin });
  if (!possible()) return become({ standing: 'insecure', keyId: '', terminal: 'insecure', terminalId: '' });
  try {
    kept = await read(slot());
    gate = await read(slot(true));
  } catch {
    return become({ standing: 'broken', keyId: '', terminal: 'broken', terminalId: '' });
  }
  const known = (mine?: KeptKey) => list.items.find((key) => key.id === mine?.id);
  become({
    keyId: kept?.id ?? '',
    standing: standing(kept, known(kept)),
    terminalId: gate?.id ?? '',
    terminal: standing(gate, known(gate)),
  });
}

function standing(mine: KeptKey | undefined, known: KeyView | undefined): Standing {
  if (!mine) return 'none';
  if (!known) return 'lost';
  if (known.revoked) return 'revoked';
  return known.pending ? 'pending' : 'active';
}

/** Make a key that never leaves this device, and let it sign for this person. */
export const enrol = (label: string) => make({ label, device: 'phone' });

/** Make this device a gate's terminal too: it signs for whoever's card it reads. */
export const enrolTerminal = (label: string, zone: string) => make({ label, device: 'terminal', zone_id: zone });

async function make(body: { label: string; device: 'phone' | 'terminal'; zone_id?: string }): Promise<void> {
  const terminal = body.device === 'terminal';
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const raw = await crypto.subtle.exportKey('raw', pair.publicKey);
  const id = hex(await crypto.subtle.digest('SHA-256', raw)).slice(0, 32);
  const before = terminal ? gate : kept;
  const fresh: KeptKey = { slot: slot(terminal), id, pair, public: hex(raw), last: 0 };
  await write(fresh);
  try {
    const proof = await sealed(fresh, 'key.enrol', { public: fresh.public, ...body });
    await post<DoneReply>('/api/v1/acts/key.enrol', { proof });
  } catch (refused) {
    // The hub knows nothing of this key: what stood before stands again.
    if (before) await write(before);
    else await forget(slot(terminal));
    throw refused;
  }
  await loadDevice(person);
}

/** Sign with this person's own key: for themselves, or as the witness of a PIN. */
async function prove(verb: string, body: object, version?: number, other?: ForOther): Promise<ProofBody> {
  if (!kept) throw new Error('no key');
  const named = other ? { person: other.person, method: 'pin_witness', witness: person } : {};
  return sealed(kept, verb, body, version, named);
}

/** Sign as the terminal that has read a person's card. */
async function proveAtGate(verb: string, body: object, version?: number, other?: ForOther): Promise<ProofBody> {
  if (!gate || !other || !('card' in other)) throw new Error('no key');
  return sealed(gate, verb, body, version, { person: other.person, method: 'terminal', card: other.card });
}

/** Sign an act as the hub reads it: it takes the act from these very bytes. */
async function sealed(key: KeptKey, verb: string, body: object, version?: number, named: object = {}): Promise<ProofBody> {
  const at = await nextMoment(key.slot, now());
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
    ...named,
  });
  const bytes = new TextEncoder().encode(data);
  const sig = await crypto.subtle.sign(SIGNING, key.pair.privateKey, bytes);
  return { key: key.id, data, sig: base64(sig) };
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
