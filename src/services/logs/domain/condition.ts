import { invalidParameter } from '../errors.ts';
import { FILTER_REGEX_MAX } from '../limits.ts';
import { compileRegex, compileWildcard } from './regex.ts';

/** What JSON and space-delimited patterns share: a token reader, boolean structure and comparisons of one value. */

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** The tests of a field's value, undefined where the field is absent. */
export type ValueTest = (value: unknown) => boolean;

const DEPTH_MAX = 32;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

export const invalidPattern = () => invalidParameter('Invalid filter pattern');

/** Reads a filter pattern from left to right, each character once. */
export class Scanner {
  readonly text: string;
  at: number;
  #regexes = 0;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
  }

  skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  /** Consumes `literal` after spaces where it is next. */
  take(literal: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(literal, this.at)) return false;
    this.at += literal.length;
    return true;
  }

  /** A word of these, in capitals or not, not followed by a letter. */
  takeWord(word: string): boolean {
    this.skipSpace();
    const found = this.text.slice(this.at, this.at + word.length);
    if (found.toUpperCase() !== word || /[A-Za-z0-9_]/.test(this.text[this.at + word.length] ?? '')) return false;
    this.at += word.length;
    return true;
  }

  expect(literal: string): void {
    if (!this.take(literal)) throw invalidPattern();
  }

  comparison(): Comparison | undefined {
    for (const op of ['!=', '<=', '>=', '=', '<', '>'] as const) if (this.take(op)) return op;
    return undefined;
  }

  /** `"…"` with `\"` and `\\`; the opening quote is next. */
  quoted(): string {
    let out = '';
    this.at++;
    for (;;) {
      const char = this.text[this.at++];
      if (char === undefined) throw invalidPattern();
      if (char === '"') return out;
      if (char === '\\' && (this.text[this.at] === '"' || this.text[this.at] === '\\')) out += this.text[this.at++];
      else out += char;
    }
  }

  /** `%…%`; the opening sign is next. */
  regex(): (text: string) => boolean {
    const end = this.text.indexOf('%', this.at + 1);
    if (end === -1) throw invalidPattern();
    const source = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    if (++this.#regexes > FILTER_REGEX_MAX) throw invalidPattern();
    return compileRegex(source);
  }

  /** The right-hand side of `op`: quoted, regular expression, number, or bare text with `*`. */
  operand(op: Comparison, stop: RegExp): ValueTest {
    this.skipSpace();
    const negate = (test: (text: string) => boolean): ValueTest => {
      if (op !== '=' && op !== '!=') throw invalidPattern();
      return (value) => value !== undefined && typeof value !== 'object' && test(String(value)) === (op === '=');
    };
    const next = this.text[this.at];
    if (next === '"') return negate(compileWildcard(this.quoted()));
    if (next === '%') return negate(this.regex());
    const start = this.at;
    while (this.at < this.text.length && !stop.test(this.text[this.at] ?? '')) this.at++;
    const bare = this.text.slice(start, this.at);
    if (bare === '') throw invalidPattern();
    if (NUMBER.test(bare)) return numeric(op, Number(bare));
    return negate(compileWildcard(bare));
  }

  /** `a && (b || c)`: `||` binds loosest. `leaf` reads one condition. */
  expression<T>(leaf: () => (input: T) => boolean, depth = 0): (input: T) => boolean {
    if (depth > DEPTH_MAX) throw invalidPattern();
    const primary = () => {
      if (!this.take('(')) return leaf();
      const inner = this.expression(leaf, depth + 1);
      this.expect(')');
      return inner;
    };
    const conjunction = () => {
      const all = [primary()];
      while (this.take('&&')) all.push(primary());
      return (input: T) => all.every((test) => test(input));
    };
    const any = [conjunction()];
    while (this.take('||')) any.push(conjunction());
    return (input: T) => any.some((test) => test(input));
  }
}

function numeric(op: Comparison, right: number): ValueTest {
  return (value) => {
    const left = typeof value === 'number' ? value : typeof value === 'string' && NUMBER.test(value) ? Number(value) : Number.NaN;
    if (Number.isNaN(left)) return op === '!=' && (typeof value === 'string' || typeof value === 'boolean');
    switch (op) {
      case '=':
        return left === right;
      case '!=':
        return left !== right;
      case '<':
        return left < right;
      case '<=':
        return left <= right;
      case '>':
        return left > right;
      case '>=':
        return left >= right;
    }
  };
}
