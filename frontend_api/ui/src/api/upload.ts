import { get, post, Refusal, wanted } from './rest';
import type { ProblemView, UploadView } from './schema';
import { Sha256 } from './sha256';
import { pause } from './socket';
import { store } from './store';

const CHUNK = 1 << 20;
const CHUNK_WAIT_MS = 60_000;
const TRIES = 30;

type Media = 'image/jpeg' | 'image/png' | 'video/mp4' | 'video/webm' | 'application/pdf';
const MEDIA: readonly string[] = ['image/jpeg', 'image/png', 'video/mp4', 'video/webm', 'application/pdf'];

export const isMedia = (kind: string): kind is Media => MEDIA.includes(kind);

/** Remember an upload by its file: after a reload it goes on where it was. */
const memory = (permit: string, file: File) => `safehold.upload.${permit}.${file.name}.${file.size}.${file.lastModified}`;

async function begun(permit: string, file: File): Promise<UploadView> {
  const key = memory(permit, file);
  const known = localStorage.getItem(key);
  if (known) {
    try {
      return await get<UploadView>(`/api/v1/uploads/${known}`);
    } catch (error) {
      if (!(error instanceof Refusal) || error.problem.status === 0) throw error;
      localStorage.removeItem(key);
    }
  }
  const body = { purpose: 'evidence', permit_id: permit, size: file.size, media: file.type };
  const fresh = await post<UploadView>('/api/v1/attachments', body);
  localStorage.setItem(key, fresh.id);
  return fresh;
}

/** Send one piece; resolves the offset that the hub has now, null when it was cut. */
async function append(id: string, at: number, piece: Blob): Promise<number | null> {
  let answer: Response;
  try {
    answer = await fetch(`/api/v1/uploads/${id}`, {
      method: 'PATCH',
      credentials: 'same-origin',
      headers: { 'Upload-Offset': String(at), 'Content-Type': 'application/octet-stream' },
      body: piece,
      signal: AbortSignal.timeout(CHUNK_WAIT_MS),
    });
  } catch {
    return null;
  }
  if (answer.status === 204) return Number(answer.headers.get('Upload-Offset'));
  const problem = (await answer.json().catch(() => null)) as ProblemView | null;
  // Another offset, or too many at once: ask anew where it stands.
  if (!problem || ['attachment.offset', 'attachment.busy', 'attachment.taken_over'].includes(problem.code)) return null;
  throw new Refusal(problem);
}

async function digest(file: File): Promise<string> {
  const sum = new Sha256();
  for (let at = 0; at < file.size; at += CHUNK) {
    sum.update(new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer()));
  }
  return sum.hex();
}

/** Bring a file to the hub, for a permit or a task; goes on after every cut. Throws Refusal. */
export async function bring(permit: string, file: File, told: (share: number, cut: boolean) => void): Promise<string> {
  const { id, ...first } = await begun(permit, file);
  let at = first.offset;
  for (let cuts = 0; at < file.size; ) {
    told(at / file.size, cuts > 0);
    const next = await append(id, at, file.slice(at, at + CHUNK));
    if (next !== null) {
      at = next;
      cuts = 0;
      continue;
    }
    if (++cuts > TRIES) break;
    told(at / file.size, true);
    await new Promise((done) => setTimeout(done, pause(cuts)));
    at = await get<UploadView>(`/api/v1/uploads/${id}`).then((found) => found.offset, () => at);
  }
  const sha256 = await digest(file);
  await post<UploadView>(`/api/v1/uploads/${id}/finish`, { sha256 });
  localStorage.removeItem(memory(permit, file));
  told(1, false);
  return sha256;
}

/** Upload a file into a slot of a permit. Throws Refusal. */
export async function upload(permit: string, slot: string, file: File, told: (share: number, cut: boolean) => void): Promise<string> {
  const sha256 = await bring(permit, file, told);
  const taken = Math.min(file.lastModified || store.now(), store.now());
  await wanted('attachment.record', { permit_id: permit, slot, sha256, size: file.size, media: file.type as Media, taken_ms: Math.floor(taken) });
  return sha256;
}
