import type { Store } from './store';

const SHORTEST_MS = 500;
const LONGEST_MS = 15_000;
const PING_MS = 10_000;
const SILENCE_MS = 25_000;

/** Grow the pause between tries, with jitter so that screens do not come in step. */
export function pause(tries: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(tries, 10));
  return whole / 2 + (random() * whole) / 2;
}

/** One stream of the hub: connects, subscribes from where it was, connects again. */
export class Stream {
  private socket: WebSocket | null = null;
  private tries = 0;
  private heard = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pinger: ReturnType<typeof setInterval> | undefined;
  private stopped = true;

  constructor(
    private readonly path: string,
    private readonly store: Store,
    private readonly which: 'link' | 'alarmLink',
    private readonly ended: () => void,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.connect();
    this.pinger = setInterval(() => this.ping(), PING_MS);
    addEventListener('online', this.hurry);
    document.addEventListener('visibilitychange', this.hurry);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearInterval(this.pinger);
    removeEventListener('online', this.hurry);
    document.removeEventListener('visibilitychange', this.hurry);
    this.socket?.close();
    this.socket = null;
  }

  private hurry = (): void => {
    if (document.visibilityState === 'visible' && !this.socket && !this.stopped) {
      clearTimeout(this.timer);
      this.connect();
    }
  };

  private connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`);
    this.socket = socket;
    this.heard = Date.now();
    socket.onopen = () => {
      const { epoch, seq, stream, step } = this.store;
      // A screen that never had a snapshot has nothing to resume.
      const from = stream && this.which === 'link' ? { epoch, seq, stream, step } : {};
      socket.send(JSON.stringify({ type: 'subscribe', id: 1, ...from }));
    };
    socket.onmessage = (event) => {
      this.heard = Date.now();
      this.tries = 0;
      this.store.setLink(this.which, true);
      this.store.take(JSON.parse(event.data as string));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.store.setLink(this.which, false);
      if (event.code === 4401) this.ended();
      if (this.stopped) return;
      this.timer = setTimeout(() => this.connect(), pause(this.tries++));
      // Refused before it opened: perhaps the session is over.
      if (this.tries === 3) this.ended();
    };
  }

  private ping(): void {
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.heard > SILENCE_MS) socket.close();
    else socket.send(JSON.stringify({ type: 'ping', id: 2 }));
  }
}
