/** One device's key for one person on one hub; the private half cannot be read out. */
export interface KeptKey {
  slot: string;
  id: string;
  pair: CryptoKeyPair;
  public: string;
  /** Time of the last statement: the next one must be later. */
  last: number;
}

const NAME = 'safehold.device';
const STORE = 'keys';

function opened(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: 'slot' });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error ?? new Error('IndexedDB'));
  });
}

async function inside<T>(
  mode: IDBTransactionMode,
  work: (keys: IDBObjectStore, give: (found: T) => void) => void,
): Promise<T | undefined> {
  const base = await opened();
  try {
    return await new Promise<T | undefined>((done, failed) => {
      let found: T | undefined;
      const turn = base.transaction(STORE, mode);
      turn.oncomplete = () => done(found);
      turn.onerror = turn.onabort = () => failed(turn.error ?? new Error('IndexedDB'));
      work(turn.objectStore(STORE), (one) => (found = one));
    });
  } finally {
    base.close();
  }
}

export const read = (slot: string) =>
  inside<KeptKey>('readonly', (keys, give) => {
    const asked = keys.get(slot);
    asked.onsuccess = () => give(asked.result as KeptKey);
  });

export const write = (key: KeptKey) => inside('readwrite', (keys) => void keys.put(key));

export const forget = (slot: string) => inside('readwrite', (keys) => void keys.delete(slot));

/** Take the next moment for a statement: later than any before, in every tab. */
export async function nextMoment(slot: string, now: number): Promise<number> {
  const at = await inside<number>('readwrite', (keys, give) => {
    const asked = keys.get(slot);
    asked.onsuccess = () => {
      const key = asked.result as KeptKey | undefined;
      if (!key) return;
      key.last = Math.max(Math.floor(now), key.last + 1);
      keys.put(key);
      give(key.last);
    };
  });
  if (at === undefined) throw new Error('the key is gone');
  return at;
}
