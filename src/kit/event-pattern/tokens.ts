import { DEPTH_MAX, SOURCE_CHARS_MAX } from './limits.ts';

/** Why a pattern is refused, in AWS's words: the reason, with its place in the source where AWS states it. */
export class EventPatternError extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.name = 'EventPatternError';
    this.reason = reason;
  }
}

export type Token = '{' | '}' | '[' | ']' | 'name' | 'string' | 'number' | 'true' | 'false' | 'null' | 'end';

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z0-9_$]+/y;
const EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Reads JSON token by token. Its place after each token is that of AWS's parser, which its messages state: behind a name it has
 * already begun the value; of a string it has read the opening quote only, until its text is asked for.
 */
export class Tokens {
  readonly #source: string;
  #at = 0;
  #nameText = '';
  #text = '';
  #stringOpen = false;
  #pending: Token | undefined;
  readonly #open: ('{' | '[')[] = [];
  /** Whether a `,` must come before the next entry of the innermost object or array. */
  #entries = false;

  constructor(source: string) {
    this.#source = source;
  }

  next(): Token {
    if (this.#pending) {
      const token = this.#pending;
      this.#pending = undefined;
      this.#entered(token);
      return token;
    }
    if (this.#stringOpen) this.#readString();
    this.#space();
    const inner = this.#open.at(-1);
    let char = this.#source[this.#at];
    if (char === undefined) {
      if (inner) throw this.error(`Unexpected end-of-input: expected close marker for ${inner === '{' ? 'Object' : 'Array'}`);
      return 'end';
    }
    if ((char === '}' && inner === '{') || (char === ']' && inner === '[')) {
      this.#at++;
      this.#open.pop();
      this.#entries = true;
      return char;
    }
    if (inner && this.#entries) {
      this.#at++;
      if (char !== ',')
        throw this.error(`Unexpected character (${shown(char)}): was expecting comma to separate ${inner === '{' ? 'Object' : 'Array'} entries`);
      this.#space();
      char = this.#source[this.#at];
    }
    if (inner === '{') return this.#name(char);
    const token = this.#value();
    this.#entered(token);
    return token;
  }

  /** The name of the present entry. */
  name(): string {
    return this.#nameText;
  }

  /** The text of the present string, number or literal. */
  text(): string {
    if (this.#stringOpen) this.#readString();
    return this.#text;
  }

  /** An error at the present place. */
  error(reason: string): EventPatternError {
    const before = this.#source.slice(0, this.#at);
    const line = before.split('\n').length;
    const column = this.#at - (before.lastIndexOf('\n') + 1) + 1;
    const cut = this.#source.length - SOURCE_CHARS_MAX;
    const quoted = `"${this.#source.slice(0, SOURCE_CHARS_MAX)}"${cut > 0 ? `[truncated ${cut} chars]` : ''}`;
    return new EventPatternError(`${reason}\n at [Source: (String)${quoted}; line: ${line}, column: ${column}]`);
  }

  #entered(token: Token): void {
    if (token !== '{' && token !== '[') {
      this.#entries = true;
      return;
    }
    if (this.#open.length >= DEPTH_MAX) throw this.error(`Document nesting depth (${DEPTH_MAX + 1}) exceeds the maximum allowed (${DEPTH_MAX})`);
    this.#open.push(token);
    this.#entries = false;
  }

  #name(char: string | undefined): Token {
    this.#at++;
    if (char !== '"') throw this.error(`Unexpected character (${shown(char)}): was expecting double-quote to start field name`);
    this.#readString();
    const name = this.#text;
    this.#space();
    const colon = this.#source[this.#at++];
    if (colon !== ':') throw this.error(`Unexpected character (${shown(colon)}): was expecting a colon to separate field name and value`);
    this.#space();
    this.#nameText = name;
    this.#pending = this.#value();
    return 'name';
  }

  #value(): Token {
    const char = this.#source[this.#at];
    if (char === '{' || char === '[') {
      this.#at++;
      this.#text = char;
      return char;
    }
    if (char === '"') {
      this.#at++;
      this.#stringOpen = true;
      return 'string';
    }
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#source)?.[0];
    if (number !== undefined) {
      this.#at += number.length;
      this.#text = number;
      return 'number';
    }
    WORD.lastIndex = this.#at;
    const word = WORD.exec(this.#source)?.[0];
    this.#at += word?.length ?? 1;
    if (word === 'true' || word === 'false' || word === 'null') {
      this.#text = word;
      return word;
    }
    if (word !== undefined) throw this.error(`Unrecognized token '${word}': was expecting ${EXPECTED}`);
    if (char === undefined) throw this.error('Unexpected end-of-input');
    throw this.error(`Unexpected character (${shown(char)}): expected a valid value ${EXPECTED}`);
  }

  /** From behind the opening quote to behind the closing one. */
  #readString(): void {
    this.#stringOpen = false;
    const parts: string[] = [];
    let from = this.#at;
    for (;;) {
      const char = this.#source[this.#at];
      if (char === undefined) throw this.error('Unexpected end-of-input in VALUE_STRING');
      if (char === '"') break;
      if (char < ' ')
        throw this.error(
          `Illegal unquoted character ((CTRL-CHAR, code ${char.charCodeAt(0)})): has to be escaped using backslash to be included in string value`,
        );
      if (char !== '\\') {
        this.#at++;
        continue;
      }
      parts.push(this.#source.slice(from, this.#at));
      const escaped = this.#source[this.#at + 1] ?? '';
      const code = this.#source.slice(this.#at + 2, this.#at + 6);
      if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(code)) {
        parts.push(String.fromCharCode(Number.parseInt(code, 16)));
        this.#at += 6;
      } else {
        const plain = ESCAPES[escaped];
        this.#at += 2;
        if (plain === undefined) throw this.error(`Unrecognized character escape ${shown(escaped)}`);
        parts.push(plain);
      }
      from = this.#at;
    }
    parts.push(this.#source.slice(from, this.#at));
    this.#at++;
    this.#text = parts.join('');
  }

  #space(): void {
    for (;;) {
      const char = this.#source[this.#at];
      if (char !== ' ' && char !== '\t' && char !== '\n' && char !== '\r') return;
      this.#at++;
    }
  }
}

function shown(char: string | undefined): string {
  return char === undefined || char === '' ? 'end of input' : `'${char}' (code ${char.charCodeAt(0)})`;
}
