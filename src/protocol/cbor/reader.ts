import { BODY_DEPTH_MAX } from '../limits.ts';
import { serializationError } from '../wireErrors.ts';

/** A tagged item, e.g. tag 1: seconds since the epoch. */
export class CborTag {
  readonly tag: number;
  readonly value: unknown;
  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}

/**
 * Reads one CBOR item (RFC 8949), definite or indefinite: maps as `Map`, byte strings as Buffer, integers beyond 2^53 as bigint.
 * Linear in the body, bounded in depth; throws `SerializationException` on anything else.
 */
export function parseCbor(body: Buffer): unknown {
  const reader = new Reader(body);
  const value = reader.item(0);
  if (reader.at !== body.length) throw malformed();
  return value;
}

function malformed(): Error {
  return serializationError('');
}

const BREAK = Symbol('break');

class Reader {
  at = 0;
  private readonly body: Buffer;
  constructor(body: Buffer) {
    this.body = body;
  }

  item(depth: number): unknown {
    const value = this.any(depth);
    if (value === BREAK) throw malformed();
    return value;
  }

  private any(depth: number): unknown {
    if (depth > BODY_DEPTH_MAX) throw malformed();
    const first = this.take(1)[0] as number;
    const major = first >> 5;
    const minor = first & 31;
    switch (major) {
      case 0:
        return this.count(minor);
      case 1: {
        const count = this.count(minor);
        return typeof count === 'bigint' ? -1n - count : -1 - count;
      }
      case 2:
        return minor === 31 ? Buffer.concat(this.chunks(2)) : Buffer.from(this.take(this.size(minor)));
      case 3:
        return this.text(minor);
      case 4:
        return this.list(minor, depth);
      case 5:
        return this.map(minor, depth);
      case 6:
        return new CborTag(Number(this.count(minor)), this.item(depth + 1));
      default:
        return this.special(minor);
    }
  }

  private take(bytes: number): Buffer {
    if (bytes > this.body.length - this.at) throw malformed();
    this.at += bytes;
    return this.body.subarray(this.at - bytes, this.at);
  }

  private count(minor: number): number | bigint {
    if (minor < 24) return minor;
    switch (minor) {
      case 24:
        return this.take(1).readUInt8();
      case 25:
        return this.take(2).readUInt16BE();
      case 26:
        return this.take(4).readUInt32BE();
      case 27: {
        const big = this.take(8).readBigUInt64BE();
        return big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
      }
      default:
        throw malformed();
    }
  }

  /** A length: never more items than bytes are left, so that a small body cannot ask for a large array. */
  private size(minor: number): number {
    const size = Number(this.count(minor));
    if (size > this.body.length - this.at) throw malformed();
    return size;
  }

  private chunks(major: number): Buffer[] {
    const out: Buffer[] = [];
    for (;;) {
      const first = this.take(1)[0] as number;
      if (first === 0xff) return out;
      if (first >> 5 !== major || (first & 31) === 31) throw malformed();
      out.push(this.take(this.size(first & 31)));
    }
  }

  private text(minor: number): string {
    return (minor === 31 ? Buffer.concat(this.chunks(3)) : this.take(this.size(minor))).toString('utf8');
  }

  private list(minor: number, depth: number): unknown[] {
    const out: unknown[] = [];
    if (minor !== 31) {
      for (let left = this.size(minor); left > 0; left--) out.push(this.item(depth + 1));
      return out;
    }
    for (;;) {
      const value = this.any(depth + 1);
      if (value === BREAK) return out;
      out.push(value);
    }
  }

  private map(minor: number, depth: number): Map<string, unknown> {
    const out = new Map<string, unknown>();
    let left = minor === 31 ? Number.POSITIVE_INFINITY : this.size(minor);
    while (left-- > 0) {
      const key = this.any(depth + 1);
      if (key === BREAK && minor === 31) return out;
      if (typeof key !== 'string') throw malformed();
      out.set(key, this.item(depth + 1));
    }
    return out;
  }

  private special(minor: number): unknown {
    switch (minor) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
      case 25:
        return halfFloat(this.take(2).readUInt16BE());
      case 26:
        return this.take(4).readFloatBE();
      case 27:
        return this.take(8).readDoubleBE();
      case 31:
        return BREAK;
      default:
        throw malformed();
    }
  }
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}
