import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assert } from './errors.ts';

/** The checksum algorithms that Croft computes; "Checking object integrity in Amazon S3". */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', 'SHA512', 'MD5'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Bytes in a digest of each algorithm. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  MD5: 16,
};

/** A checksum under way. Cost is linear in the chunk; feed chunks of at most about 1 MiB to stay within 5 ms. */
export interface Checksum {
  update(chunk: Uint8Array): void;
  /** Big-endian digest; call once. */
  digest(): Buffer;
}

/** A streaming hasher. CRC digests are big-endian, as S3 sends them. */
export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case 'CRC32': {
      let crc = 0;
      return {
        update(chunk) {
          crc = crc32(chunk, crc);
        },
        digest: () => uint32(crc),
      };
    }
    case 'CRC32C':
      return crc32cChecksum();
    case 'CRC64NVME':
      return crc64Checksum();
    case 'SHA1':
    case 'SHA256':
    case 'SHA512':
    case 'MD5': {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
  }
}

/** The digest of one whole body. */
export function checksumOf(algorithm: ChecksumAlgorithm, body: Uint8Array): Buffer {
  const checksum = createChecksum(algorithm);
  checksum.update(body);
  return checksum.digest();
}

function uint32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeUInt32BE(value >>> 0);
  return out;
}

/* CRC32C (Castagnoli), slicing by eight: eight table rows of 256 entries take eight bytes a step. */

const CRC32_POLYNOMIAL = 0xedb88320;
const CRC32C_POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

let crc32cTable: Int32Array | undefined;

function buildCrc32cTable(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const previous = at(table, i - 256);
    table[i] = (previous >>> 8) ^ at(table, previous & 0xff);
  }
  return table;
}

/** A table entry: the index is in range by construction. */
function at(table: Int32Array, index: number): number {
  return table[index] as number;
}

function crc32cChecksum(): Checksum {
  crc32cTable ??= buildCrc32cTable();
  const table = crc32cTable;
  let crc = -1;
  return {
    update(chunk) {
      crc = updateCrc32c(table, chunk, crc);
    },
    digest: () => uint32(crc ^ -1),
  };
}

function updateCrc32c(t: Int32Array, chunk: Uint8Array, start: number): number {
  let crc = start;
  let i = 0;
  const byte = (index: number) => chunk[index] as number;
  for (const end = chunk.length - 7; i < end; i += 8) {
    crc ^= byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24);
    crc =
      at(t, 1792 + (crc & 0xff)) ^
      at(t, 1536 + ((crc >>> 8) & 0xff)) ^
      at(t, 1280 + ((crc >>> 16) & 0xff)) ^
      at(t, 1024 + (crc >>> 24)) ^
      at(t, 768 + byte(i + 4)) ^
      at(t, 512 + byte(i + 5)) ^
      at(t, 256 + byte(i + 6)) ^
      at(t, byte(i + 7));
  }
  for (; i < chunk.length; i++) crc = (crc >>> 8) ^ at(t, (crc ^ byte(i)) & 0xff);
  return crc;
}

/* CRC64NVME, slicing by eight over 32-bit halves: BigInt arithmetic would be a hundred times slower. */

const CRC64_POLYNOMIAL_HIGH = 0x9a6c9329;
const CRC64_POLYNOMIAL_LOW = 0xac4bc9b5;

interface Crc64Tables {
  readonly high: Int32Array;
  readonly low: Int32Array;
}
let crc64Tables: Crc64Tables | undefined;

function buildCrc64Tables(): Crc64Tables {
  const high = new Int32Array(SLICES * 256);
  const low = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry) {
        h ^= CRC64_POLYNOMIAL_HIGH;
        l ^= CRC64_POLYNOMIAL_LOW;
      }
    }
    high[byte] = h;
    low[byte] = l;
  }
  for (let i = 256; i < high.length; i++) {
    const h = at(high, i - 256);
    const l = at(low, i - 256);
    const index = l & 0xff;
    high[i] = (h >>> 8) ^ at(high, index);
    low[i] = ((l >>> 8) | (h << 24)) ^ at(low, index);
  }
  return { high, low };
}

function crc64Checksum(): Checksum {
  crc64Tables ??= buildCrc64Tables();
  const { high, low } = crc64Tables;
  let h = -1;
  let l = -1;
  return {
    update(chunk) {
      const byte = (index: number) => chunk[index] as number;
      let i = 0;
      for (const end = chunk.length - 7; i < end; i += 8) {
        l ^= byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24);
        h ^= byte(i + 4) | (byte(i + 5) << 8) | (byte(i + 6) << 16) | (byte(i + 7) << 24);
        const a = 1792 + (l & 0xff);
        const b = 1536 + ((l >>> 8) & 0xff);
        const c = 1280 + ((l >>> 16) & 0xff);
        const d = 1024 + (l >>> 24);
        const e = 768 + (h & 0xff);
        const f = 512 + ((h >>> 8) & 0xff);
        const g = 256 + ((h >>> 16) & 0xff);
        const k = h >>> 24;
        h = at(high, a) ^ at(high, b) ^ at(high, c) ^ at(high, d) ^ at(high, e) ^ at(high, f) ^ at(high, g) ^ at(high, k);
        l = at(low, a) ^ at(low, b) ^ at(low, c) ^ at(low, d) ^ at(low, e) ^ at(low, f) ^ at(low, g) ^ at(low, k);
      }
      for (; i < chunk.length; i++) {
        const index = (l ^ byte(i)) & 0xff;
        l = ((l >>> 8) | (h << 24)) ^ at(low, index);
        h = (h >>> 8) ^ at(high, index);
      }
    },
    digest: () => Buffer.concat([uint32(h ^ -1), uint32(l ^ -1)]),
  };
}

/* Combination: crc(A·B) = crc(A)·x^(8·|B|) + crc(B) over GF(2), polynomials in reflected bit order. */

type Poly = readonly [high: number, low: number];

/** Product of two polynomials modulo `modulus`, all reflected: bit 63 is x^0. 32-bit CRCs sit in the high half. */
function multiply(a: Poly, b: Poly, modulus: Poly, width: 32 | 64): Poly {
  let [bh, bl] = b;
  let h = 0;
  let l = 0;
  const carryBit = width === 64 ? 1 : 0;
  for (let bit = 0; bit < width; bit++) {
    const word = bit < 32 ? a[0] : a[1];
    if ((word >>> (31 - (bit & 31))) & 1) {
      h ^= bh;
      l ^= bl;
    }
    const overflow = carryBit ? bl & 1 : bh & 1;
    bl = carryBit ? (bl >>> 1) | (bh << 31) : 0;
    bh >>>= 1;
    if (overflow) {
      bh ^= modulus[0];
      bl ^= modulus[1];
    }
  }
  return [h, l];
}

const MODULI: Readonly<Record<'CRC32' | 'CRC32C' | 'CRC64NVME', { readonly modulus: Poly; readonly width: 32 | 64 }>> = {
  CRC32: { modulus: [CRC32_POLYNOMIAL, 0], width: 32 },
  CRC32C: { modulus: [CRC32C_POLYNOMIAL, 0], width: 32 },
  CRC64NVME: { modulus: [CRC64_POLYNOMIAL_HIGH, CRC64_POLYNOMIAL_LOW], width: 64 },
};

/** x^(8·bytes) modulo the polynomial, by squaring. */
function shiftBy(bytes: number, modulus: Poly, width: 32 | 64): Poly {
  let result: Poly = [0x80000000, 0];
  let square: Poly = [0x80000000 >>> 8, 0];
  for (let n = bytes; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = multiply(square, result, modulus, width);
    square = multiply(square, square, modulus, width);
  }
  return result;
}

export type CrcAlgorithm = keyof typeof MODULI;

/**
 * The CRC of a body from the CRCs of its parts, without reading it again; "full object checksums for multipart uploads".
 * `digest` big-endian, `size` in bytes. 10,000 parts of equal size take a few milliseconds.
 */
export function combineCrc(algorithm: CrcAlgorithm, parts: readonly { readonly digest: Uint8Array; readonly size: number }[]): Buffer {
  const { modulus, width } = MODULI[algorithm];
  const shifts = new Map<number, Poly>();
  let h = 0;
  let l = 0;
  for (const { digest, size } of parts) {
    assert(digest.length === width / 8, 'a CRC digest of the right length');
    let shift = shifts.get(size);
    if (!shift) {
      shift = shiftBy(size, modulus, width);
      shifts.set(size, shift);
    }
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    [h, l] = multiply(shift, [h, l], modulus, width);
    h ^= view.getInt32(0);
    if (width === 64) l ^= view.getInt32(4);
  }
  return width === 64 ? Buffer.concat([uint32(h), uint32(l)]) : uint32(h);
}
