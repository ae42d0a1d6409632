import { createHash, randomBytes } from 'node:crypto';

/** Ids and randomness. Seeded, the whole platform repeats itself; unseeded, it is the operating system's. */
export interface Ids {
  /** `count` random bytes. */
  bytes(count: number): Buffer;
  /** A version 4 UUID, e.g. a request id. */
  uuid(): string;
  /** `length` characters of `alphabet` (default a–z and 0–9), e.g. a REST API id. */
  text(length: number, alphabet?: string): string;
  /** A float in [0, 1), e.g. for jitter. */
  float(): number;
}

export const ALPHABET_LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
export const ALPHABET_UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const POOL_BYTES = 8192;

export function createIds(seed?: string): Ids {
  let pool = Buffer.alloc(0);
  let used = 0;
  let block = 0;
  const refill = () => {
    if (seed === undefined) pool = randomBytes(POOL_BYTES);
    else {
      const hash = createHash('sha512').update(`${seed}:${block++}`);
      pool = hash.digest();
    }
    used = 0;
  };
  const take = (count: number): Buffer => {
    const out = Buffer.allocUnsafe(count);
    for (let done = 0; done < count; ) {
      if (used >= pool.length) refill();
      const n = Math.min(count - done, pool.length - used);
      pool.copy(out, done, used, used + n);
      used += n;
      done += n;
    }
    return out;
  };
  return {
    bytes: take,
    uuid() {
      const b = take(16);
      b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
      b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
      const hex = b.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    text(length, alphabet = ALPHABET_LOWER) {
      const limit = 256 - (256 % alphabet.length);
      let out = '';
      while (out.length < length) {
        const byte = take(1)[0] ?? 0;
        if (byte < limit) out += alphabet[byte % alphabet.length];
      }
      return out;
    },
    float() {
      return take(6).readUIntBE(0, 6) / 2 ** 48;
    },
  };
}
