/** SHA-256 by blocks: WebCrypto wants the whole film in memory, and HTTPS. */
const K = new Uint32Array(64);
const START = new Uint32Array(8);

function primes(): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n++) if (found.every((p) => n % p)) found.push(n);
  return found;
}

primes().forEach((prime, i) => {
  K[i] = Math.floor((Math.cbrt(prime) % 1) * 2 ** 32);
  if (i < 8) START[i] = Math.floor((Math.sqrt(prime) % 1) * 2 ** 32);
});

const turn = (x: number, n: number) => (x >>> n) | (x << (32 - n));

export class Sha256 {
  private state = START.slice();
  private rest = new Uint8Array(64);
  private held = 0;
  private length = 0;
  private words = new Uint32Array(64);

  update(data: Uint8Array): this {
    this.length += data.length;
    let at = 0;
    while (at < data.length) {
      const part = data.subarray(at, at + 64 - this.held);
      this.rest.set(part, this.held);
      this.held += part.length;
      at += part.length;
      if (this.held === 64) {
        this.block();
        this.held = 0;
      }
    }
    return this;
  }

  hex(): string {
    const bits = this.length * 8;
    const pad = new Uint8Array((this.held < 56 ? 64 : 128) - this.held);
    pad[0] = 0x80;
    const view = new DataView(pad.buffer);
    view.setUint32(pad.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(pad.length - 4, bits >>> 0);
    this.update(pad);
    return Array.from(this.state, (word) => word.toString(16).padStart(8, '0')).join('');
  }

  private block(): void {
    const w = this.words;
    const view = new DataView(this.rest.buffer);
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(i * 4);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15]!;
      const b = w[i - 2]!;
      const small = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
      const large = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      w[i] = w[i - 16]! + small + w[i - 7]! + large;
    }
    let [a, b, c, d, e, f, g, h] = this.state as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (this.state[i] = this.state[i]! + word));
  }
}
