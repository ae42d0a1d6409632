/** Builds a CBOR body (RFC 8949). Maps are written with indefinite length, as AWS's own encoders may. */
export class CborWriter {
  private buffer = Buffer.allocUnsafe(512);
  private length = 0;
  /** While true the next map's own start and end are left out: its entries join the map that is open. */
  private joining = false;
  private depth = 0;
  private joinedDepth = -1;

  bytes(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }

  startMap(): void {
    this.depth++;
    if (this.joining) {
      this.joining = false;
      this.joinedDepth = this.depth;
      return;
    }
    this.byte(0xbf);
  }

  /** Ends the innermost map. */
  end(): void {
    if (this.depth === this.joinedDepth) this.joinedDepth = -1;
    else this.byte(0xff);
    this.depth--;
  }

  /** Runs `write`, whose first map is merged into the open one. */
  membersOnly(write: () => void): void {
    this.joining = true;
    write();
    this.joining = false;
  }

  startList(count: number): void {
    this.head(4, count);
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value, 'utf8');
    this.head(3, bytes);
    this.reserve(bytes);
    this.buffer.write(value, this.length, 'utf8');
    this.length += bytes;
  }

  blob(value: Buffer): void {
    this.head(2, value.length);
    this.reserve(value.length);
    value.copy(this.buffer, this.length);
    this.length += value.length;
  }

  nil(): void {
    this.byte(0xf6);
  }

  boolean(value: boolean): void {
    this.byte(value ? 0xf5 : 0xf4);
  }

  /** `text`: the decimal digits, so that 64-bit values stay whole. */
  integer(text: string): void {
    const number = Number(text);
    if (Number.isSafeInteger(number)) {
      if (number >= 0) this.head(0, number);
      else this.head(1, -1 - number);
      return;
    }
    const big = BigInt(text);
    this.reserve(9);
    this.buffer[this.length] = big < 0n ? 0x3b : 0x1b;
    this.buffer.writeBigUInt64BE(BigInt.asUintN(64, big < 0n ? -1n - big : big), this.length + 1);
    this.length += 9;
  }

  float(value: number): void {
    if (Math.fround(value) !== value && !Number.isNaN(value)) {
      this.double(value);
      return;
    }
    this.reserve(5);
    this.buffer[this.length] = 0xfa;
    this.buffer.writeFloatBE(value, this.length + 1);
    this.length += 5;
  }

  double(value: number): void {
    this.reserve(9);
    this.buffer[this.length] = 0xfb;
    this.buffer.writeDoubleBE(value, this.length + 1);
    this.length += 9;
  }

  /** Tag 1: seconds since the epoch, whole or as a double. */
  timestamp(seconds: number): void {
    this.byte(0xc1);
    if (Number.isInteger(seconds)) this.integer(String(seconds));
    else this.double(seconds);
  }

  private head(major: number, count: number): void {
    this.reserve(9);
    const type = major << 5;
    if (count < 24) this.buffer[this.length++] = type | count;
    else if (count < 0x100) {
      this.buffer[this.length++] = type | 24;
      this.buffer[this.length++] = count;
    } else if (count < 0x10000) {
      this.buffer[this.length++] = type | 25;
      this.length = this.buffer.writeUInt16BE(count, this.length);
    } else if (count < 0x1_0000_0000) {
      this.buffer[this.length++] = type | 26;
      this.length = this.buffer.writeUInt32BE(count, this.length);
    } else {
      this.buffer[this.length++] = type | 27;
      this.length = this.buffer.writeBigUInt64BE(BigInt(count), this.length);
    }
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}
