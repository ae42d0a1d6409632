import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES, type CrcAlgorithm, checksumOf, combineCrc, createChecksum } from './checksums.ts';

/** Bit by bit, straight from the definition: the reference for the sliced tables. */
function slowCrc(bytes: Uint8Array, polynomial: bigint, width: bigint): bigint {
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return crc ^ ones;
}
const POLYNOMIALS: Record<CrcAlgorithm, [bigint, bigint]> = {
  CRC32: [0xedb88320n, 32n],
  CRC32C: [0x82f63b78n, 32n],
  CRC64NVME: [0x9a6c9329ac4bc9b5n, 64n],
};
const CRCS = Object.keys(POLYNOMIALS) as CrcAlgorithm[];

describe('checksums', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['MD5', '25f9e794323b453885f5181f1b624d0b'],
    ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ] as const)('%s of the check string 123456789', (algorithm, expected) => {
    expect(checksumOf(algorithm, Buffer.from('123456789')).toString('hex')).toBe(expected);
  });

  it('has the stated digest length', () => {
    for (const algorithm of CHECKSUM_ALGORITHMS) expect(checksumOf(algorithm, Buffer.alloc(0))).toHaveLength(CHECKSUM_BYTES[algorithm]);
  });

  it.each(CRCS)('%s equals its definition, however it is split', (algorithm) => {
    const [polynomial, width] = POLYNOMIALS[algorithm];
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (chunks) => {
        const checksum = createChecksum(algorithm);
        for (const chunk of chunks) checksum.update(chunk);
        const expected = slowCrc(Buffer.concat(chunks), polynomial, width);
        expect(BigInt(`0x${checksum.digest().toString('hex')}`)).toBe(expected);
      }),
    );
  });

  it.each(CRCS)('%s of a body is combined from those of its parts', (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }), (parts) => {
        const combined = combineCrc(
          algorithm,
          parts.map((part) => ({ digest: checksumOf(algorithm, part), size: part.length })),
        );
        expect(combined.toString('hex')).toBe(checksumOf(algorithm, Buffer.concat(parts)).toString('hex'));
      }),
    );
  });
});
