import { invalidRequestContent } from '../errors.ts';
import { PARSE_AT_ONCE_BYTES_MAX } from '../limits.ts';

const SOURCE = '[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: ';
const VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/** Deeper nesting is refused, as Jackson refuses it. */
const DEPTH_MAX = 1000;
/** Bytes scanned between two turns of the event loop: about a millisecond. */
const SLICE_BYTES = 262_144;

/** Throws InvalidRequestContentException, in AWS's words, where `bytes` is no JSON text. Linear; never holds the event loop. */
export async function checkJson(bytes: Uint8Array): Promise<void> {
  if (bytes.length <= PARSE_AT_ONCE_BYTES_MAX) {
    try {
      JSON.parse(decoder.decode(bytes));
      return;
    } catch {
      // The scanner finds where, and says it in AWS's words.
    }
  }
  const scanner = new Scanner(bytes);
  while (!scanner.run(SLICE_BYTES)) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The scanner alone, in one go. */
export function scanJson(bytes: Uint8Array): void {
  new Scanner(bytes).run(Number.POSITIVE_INFINITY);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function broken(detail: string, line: number, column: number): Error {
  return invalidRequestContent(
    `Could not parse request body into json: Could not parse payload into json: ${detail}\n at ${SOURCE}${line}, column: ${column}]`,
  );
}

type Expect = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/** A resumable JSON scanner: a state and a stack of brackets. */
class Scanner {
  #bytes: Uint8Array;
  #at = 0;
  #stack: number[] = [];
  #expect: Expect = 'value';
  #line = 1;
  #lineStart = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes on for about `count` bytes; true when the text is whole and right. */
  run(count: number): boolean {
    const until = this.#at + count;
    while (this.#at < this.#bytes.length) {
      if (this.#at >= until) return false;
      const byte = this.#bytes[this.#at] ?? 0;
      if (byte === 0x20 || byte === 0x09 || byte === 0x0d) this.#at++;
      else if (byte === 0x0a) {
        this.#at++;
        this.#line++;
        this.#lineStart = this.#at;
      } else this.#token(byte);
    }
    if (this.#stack.length > 0)
      throw this.#fail(
        `Unexpected end-of-input: expected close marker for ${this.#stack.at(-1) === 0x7b ? 'Object' : 'Array'} (start marker at ${SOURCE}1, column: 1])`,
        this.#at + 1,
      );
    if (this.#expect !== 'nothing') throw this.#fail('No content to map due to end-of-input', this.#at);
    return true;
  }

  #fail(detail: string, at = this.#at + 1): Error {
    return broken(detail, this.#line, at - this.#lineStart);
  }

  #token(byte: number): void {
    const expect = this.#expect;
    if (expect === 'nothing') throw this.#unexpected(byte, `expected a valid value ${VALUES}`);
    if (expect === 'colon') {
      if (byte !== 0x3a) throw this.#unexpected(byte, 'was expecting a colon to separate field name and value');
      this.#at++;
      this.#expect = 'value';
    } else if (expect === 'comma-or-end') this.#commaOrEnd(byte);
    else if (expect === 'key' || expect === 'key-or-end') {
      if (byte === 0x7d && expect === 'key-or-end') this.#close();
      else if (byte !== 0x22) throw this.#unexpected(byte, 'was expecting double-quote to start field name');
      else {
        this.#string();
        this.#expect = 'colon';
      }
    } else this.#value(byte);
  }

  #commaOrEnd(byte: number): void {
    const object = this.#stack.at(-1) === 0x7b;
    if (byte === 0x2c) {
      this.#at++;
      this.#expect = object ? 'key' : 'value';
    } else if (byte === (object ? 0x7d : 0x5d)) this.#close();
    else throw this.#unexpected(byte, `was expecting comma to separate ${object ? 'Object' : 'Array'} entries`);
  }

  #value(byte: number): void {
    if (byte === 0x7b || byte === 0x5b) {
      if (this.#stack.length >= DEPTH_MAX)
        throw this.#fail(
          `Document nesting depth (${DEPTH_MAX + 1}) exceeds the maximum allowed (${DEPTH_MAX}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`,
        );
      this.#stack.push(byte);
      this.#at++;
      this.#expect = byte === 0x7b ? 'key-or-end' : 'value-or-end';
    } else if (byte === 0x5d && this.#expect === 'value-or-end') this.#close();
    else if (byte === 0x22) {
      this.#string();
      this.#valueEnds();
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y, byte);
    else this.#word(byte);
  }

  #valueEnds(): void {
    this.#expect = this.#stack.length === 0 ? 'nothing' : 'comma-or-end';
  }

  #close(): void {
    this.#stack.pop();
    this.#at++;
    this.#valueEnds();
  }

  #match(pattern: RegExp, byte: number): void {
    let end = this.#at;
    while (end < this.#bytes.length && /[-+.0-9eE]/.test(String.fromCharCode(this.#bytes[end] ?? 0))) end++;
    const text = Buffer.from(this.#bytes.subarray(this.#at, end)).toString('latin1');
    pattern.lastIndex = 0;
    if (pattern.exec(text)?.[0].length !== text.length) throw this.#unexpected(byte, 'Expected a valid number');
    this.#at = end;
    this.#valueEnds();
  }

  #word(byte: number): void {
    let end = this.#at;
    while (end < this.#bytes.length && /[A-Za-z0-9_$]/.test(String.fromCharCode(this.#bytes[end] ?? 0))) end++;
    const word = Buffer.from(this.#bytes.subarray(this.#at, end)).toString('latin1');
    if (word === '') throw this.#unexpected(byte, `expected a valid value ${VALUES}`);
    if (word !== 'true' && word !== 'false' && word !== 'null')
      throw this.#fail(`Unrecognized token '${word.slice(0, 256)}': was expecting ${VALUES}`, end + 1);
    this.#at = end;
    this.#valueEnds();
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.#fail('Unexpected end-of-input in VALUE_STRING');
      if (byte === 0x22) break;
      if (byte < 0x20)
        throw this.#fail(
          `Illegal unquoted character ((CTRL-CHAR, code ${byte})): has to be escaped using backslash to be included in string value`,
          this.#at + 1,
        );
      if (byte === 0x5c) this.#escape();
      else if (byte < 0x80) this.#at++;
      else this.#multibyte(byte);
    }
    this.#at++;
  }

  #escape(): void {
    const next = this.#bytes[this.#at + 1] ?? 0;
    const kind = String.fromCharCode(next);
    if (kind === 'u') {
      const hex = Buffer.from(this.#bytes.subarray(this.#at + 2, this.#at + 6)).toString('latin1');
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#fail('Unexpected character: expected a hex-digit for character escape sequence');
      this.#at += 6;
    } else if ('"\\/bfnrt'.includes(kind)) this.#at += 2;
    else throw this.#fail(`Unrecognized character escape ${describe(next)}`, this.#at + 2);
  }

  #multibyte(byte: number): void {
    const length = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;
    if (length === 0) throw this.#fail(`Invalid UTF-8 start byte 0x${byte.toString(16)}`, this.#at + 1);
    for (let i = 1; i < length; i++) {
      const next = this.#bytes[this.#at + i] ?? 0;
      if ((next & 0xc0) !== 0x80) throw this.#fail(`Invalid UTF-8 middle byte 0x${next.toString(16)}`, this.#at + i + 1);
    }
    this.#at += length;
  }

  #unexpected(byte: number, expected: string): Error {
    return this.#fail(`Unexpected character (${describe(byte)}): ${expected}`);
  }
}

function describe(byte: number): string {
  return byte < 0x20 || byte > 0x7e ? `(CTRL-CHAR, code ${byte})` : `'${String.fromCharCode(byte)}' (code ${byte})`;
}
