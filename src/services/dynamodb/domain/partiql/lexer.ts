import { validation } from '../../errors.ts';

/** A token of a PartiQL statement. `word` is bare (a name or a keyword), `quoted` a name in double quotes. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'end';
  /** What it says: quotes taken off, doubled quotes made one. */
  readonly text: string;
}

/** A statement that cannot be read; of some faults AWS tells nothing after the colon. */
export function malformed(detail = ''): Error {
  return validation(`Statement wasn't well formed, can't be processed: ${detail}`);
}

const TWO_CHARACTER_SYMBOLS: ReadonlySet<string> = new Set(['<>', '<=', '>=', '!=', '<<', '>>', '||']);
const SYMBOLS: ReadonlySet<string> = new Set('=<>()[]{},.:*+-?;'.split(''));
const INT32_MAX = 2 ** 31 - 1;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isWordStart = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f || code === 0x24;
const isWordPart = (code: number): boolean => isWordStart(code) || isDigit(code);
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** Splits a statement into tokens, comments left out; one pass. Throws ValidationException. */
export function tokenize(text: string): Token[] {
  return new Lexer(text).all();
}

class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      this.#skipSpace();
      if (this.#at >= this.#text.length) break;
      tokens.push(this.#token());
    }
    tokens.push({ kind: 'end', text: '' });
    return tokens;
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      while (this.#at < text.length && isSpace(text.charCodeAt(this.#at))) this.#at++;
      if (text.startsWith('--', this.#at)) {
        const end = text.indexOf('\n', this.#at);
        this.#at = end < 0 ? text.length : end + 1;
      } else if (text.startsWith('/*', this.#at)) {
        const end = text.indexOf('*/', this.#at + 2);
        if (end < 0) throw malformed();
        this.#at = end + 2;
      } else return;
    }
  }

  #token(): Token {
    const text = this.#text;
    const code = text.charCodeAt(this.#at);
    if (code === 0x27) return { kind: 'string', text: this.#quoted("'") };
    if (code === 0x22) return { kind: 'quoted', text: this.#quoted('"') };
    if (isDigit(code) || (code === 0x2e && isDigit(text.charCodeAt(this.#at + 1)))) return { kind: 'number', text: this.#number() };
    if (isWordStart(code)) {
      const start = this.#at;
      while (this.#at < text.length && isWordPart(text.charCodeAt(this.#at))) this.#at++;
      return { kind: 'word', text: text.slice(start, this.#at) };
    }
    for (const length of [2, 1]) {
      const symbol = text.slice(this.#at, this.#at + length);
      if (!(length === 2 ? TWO_CHARACTER_SYMBOLS : SYMBOLS).has(symbol)) continue;
      this.#at += length;
      return { kind: 'symbol', text: symbol };
    }
    throw malformed();
  }

  #quoted(quote: string): string {
    const text = this.#text;
    const parts: string[] = [];
    let from = this.#at + 1;
    for (;;) {
      const end = text.indexOf(quote, from);
      if (end < 0) throw malformed();
      parts.push(text.slice(from, end));
      this.#at = end + 1;
      if (text.charAt(end + 1) !== quote) return parts.join(quote);
      from = end + 2;
    }
  }

  /** Digits with a fraction and an exponent. Both the exponent and the scale must fit 32 bits. */
  #number(): string {
    const start = this.#at;
    this.#digits();
    let scale = 0;
    if (this.#text.charAt(this.#at) === '.') {
      this.#at++;
      scale = this.#digits();
    }
    const exponent = /^[eE][+-]?\d+/.exec(this.#text.slice(this.#at, this.#at + 24))?.[0];
    if (exponent !== undefined) {
      this.#at += exponent.length;
      this.#digits();
      const value = Number(exponent.slice(1));
      if (Math.abs(value) > INT32_MAX || Math.abs(scale - value) > INT32_MAX) throw malformed();
    }
    return this.#text.slice(start, this.#at);
  }

  #digits(): number {
    const start = this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#at - start;
  }
}
