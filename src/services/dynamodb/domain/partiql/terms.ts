import { AwsError } from '../../../../kit/errors.ts';
import { validation } from '../../errors.ts';
import { PARTIQL_DEPTH_MAX } from '../../limits.ts';
import type { Path } from '../expression/placeholders.ts';
import { canonicalNumber } from '../number.ts';
import { type AttributeValue, checkValue, type Item, setAttribute } from '../value.ts';
import { malformed, type Token, tokenize } from './lexer.ts';

/** Words that cannot be names without double quotes: those that the statements themselves are made of. */
const KEYWORDS: ReadonlySet<string> = new Set(
  'SELECT INSERT UPDATE DELETE FROM INTO VALUE VALUES SET REMOVE WHERE RETURNING ORDER BY ASC DESC AND OR NOT IN BETWEEN IS LIKE EXISTS MISSING NULL TRUE FALSE AS GROUP HAVING LIMIT OFFSET UNION JOIN CASE WHEN THEN ELSE END CREATE DROP TABLE'.split(
    ' ',
  ),
);
const INFIX: ReadonlySet<string> = new Set(['AND', 'OR', 'IN', 'BETWEEN', 'IS', 'LIKE']);
const INFIX_SYMBOLS: ReadonlySet<string> = new Set(['=', '<>', '!=', '<', '>', '<=', '>=', '+', '*', '||']);
const BAG_TYPES = { S: 'SS', N: 'NS' } as const;

/** Reads tokens, names, paths and values; the statements are written on top of it. */
export class Terms {
  readonly #tokens: readonly Token[];
  readonly #parameters: readonly AttributeValue[];
  #at = 0;
  #parameter = 0;
  #depth = 0;

  constructor(text: string, parameters: readonly AttributeValue[]) {
    this.#tokens = tokenize(text);
    this.#parameters = parameters;
  }

  get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get next(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token;
  }

  advance(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  isSymbol(text: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === text;
  }

  isWord(word: string): boolean {
    return this.token.kind === 'word' && this.token.text.toUpperCase() === word;
  }

  takeSymbol(text: string): boolean {
    const found = this.isSymbol(text);
    if (found) this.#at++;
    return found;
  }

  takeWord(word: string): boolean {
    const found = this.isWord(word);
    if (found) this.#at++;
    return found;
  }

  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.unexpected();
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.unexpected();
  }

  /** What AWS says of the token at hand where something else should stand. */
  unexpected(): Error {
    const { kind, text } = this.token;
    const upper = text.toUpperCase();
    if (kind === 'word' && INFIX.has(upper)) return malformed('Unexpected operator');
    if (kind === 'word' && KEYWORDS.has(upper)) return malformed('Unexpected keyword');
    if (kind === 'symbol' && INFIX_SYMBOLS.has(text)) return malformed('Unexpected operator');
    return malformed('Unexpected term');
  }

  expectEnd(): void {
    this.takeSymbol(';');
    if (this.token.kind !== 'end') throw malformed('Unexpected token after expression');
  }

  /** Runs `parse` one level deeper, so that no text can exhaust the stack. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > PARTIQL_DEPTH_MAX) throw malformed('Unexpected term');
    const result = parse();
    this.#depth--;
    return result;
  }

  isName(): boolean {
    const { kind, text } = this.token;
    return kind === 'quoted' || (kind === 'word' && !KEYWORDS.has(text.toUpperCase()));
  }

  name(): string {
    if (!this.isName()) throw this.unexpected();
    return this.advance().text;
  }

  /** `a.b[0]['c']` */
  path(): Path {
    const path: (string | number)[] = [this.name()];
    for (;;) {
      if (this.takeSymbol('.')) path.push(this.name());
      else if (this.takeSymbol('[')) {
        const { kind, text } = this.advance();
        if (kind === 'number' && /^\d{1,9}$/.test(text)) path.push(Number(text));
        else if (kind === 'string') path.push(text);
        else throw malformed('Unexpected path component');
        this.expectSymbol(']');
      } else return path;
    }
  }

  /** True where a value begins. */
  isValue(): boolean {
    const { kind, text } = this.token;
    if (kind === 'string' || kind === 'number') return true;
    if (kind === 'symbol') return text === '?' || text === '[' || text === '{' || text === '<<' || (text === '-' && this.next.kind === 'number');
    return kind === 'word' && ['NULL', 'TRUE', 'FALSE'].includes(text.toUpperCase());
  }

  /** A literal or a parameter. Numbers are canonical; what is wrong with one is told with its place, `under root.a[1]`. */
  value(place = 'root'): AttributeValue {
    const token = this.advance();
    switch (token.kind) {
      case 'string':
        return { S: token.text };
      case 'number':
        return numberAt(token.text, place);
      case 'word':
        return this.#constant(token);
      case 'symbol':
        return this.#composite(token.text, place);
      default:
        throw malformed('Unexpected term');
    }
  }

  #constant(token: Token): AttributeValue {
    const word = token.text.toUpperCase();
    if (word === 'NULL') return { NULL: true };
    if (word === 'TRUE' || word === 'FALSE') return { BOOL: word === 'TRUE' };
    throw malformed(KEYWORDS.has(word) ? 'Unexpected keyword' : 'Unexpected term');
  }

  #composite(symbol: string, place: string): AttributeValue {
    switch (symbol) {
      case '?':
        return this.#bound();
      case '-':
        if (this.token.kind !== 'number') throw this.unexpected();
        return numberAt(`-${this.advance().text}`, place);
      case '[':
        return { L: this.nested(() => this.#elements(']', (at) => this.value(`${place}[${at}]`))) };
      case '<<':
        return this.nested(() => this.#bag(place));
      case '{':
        return { M: this.nested(() => this.members((key) => `${place}.${key}`)) };
      default:
        throw malformed(INFIX_SYMBOLS.has(symbol) ? 'Unexpected operator' : 'Unexpected term');
    }
  }

  #bound(): AttributeValue {
    const value = this.#parameters[this.#parameter++];
    if (value === undefined) throw validation("Number of parameters in request and statement don't match.");
    return value;
  }

  #elements<T>(close: string, element: (at: number) => T): T[] {
    const elements: T[] = [];
    if (this.takeSymbol(close)) return elements;
    do {
      elements.push(element(elements.length));
    } while (this.takeSymbol(','));
    this.expectSymbol(close);
    return elements;
  }

  /** A bag is a set: of strings or of numbers. */
  #bag(place: string): AttributeValue {
    const values = this.#elements('>>', (at) => {
      if (this.isSymbol('?')) throw validation('Unsupported data type in Bag');
      return this.value(`${place}[${at}]`);
    });
    const type = values[0]?.S !== undefined ? 'S' : 'N';
    const members = values.map((value) => value[type]);
    if (members.length === 0 || members.includes(undefined)) throw validation('Unsupported data type in Bag');
    const set: AttributeValue = { [BAG_TYPES[type]]: members as string[] };
    checkValue(set);
    return set;
  }

  /** The members of a struct whose `{` is behind. */
  members(placeOf: (key: string) => string): Item {
    const item: Item = {};
    if (this.takeSymbol('}')) return item;
    do {
      if (this.token.kind !== 'string') throw this.unexpected();
      const key = this.advance().text;
      this.expectSymbol(':');
      setAttribute(item, key, this.value(placeOf(key)));
    } while (this.takeSymbol(','));
    this.expectSymbol('}');
    return item;
  }

  /** The values that IN is asked of: `[…]`, `(…)`, `<<…>>`, or one parameter that is a list. */
  list(): AttributeValue[] {
    return this.nested(() => {
      if (this.takeSymbol('[')) return this.#elements(']', () => this.value());
      if (this.takeSymbol('(')) return this.#elements(')', () => this.value());
      if (this.takeSymbol('<<')) return this.#elements('>>', () => this.value());
      const { L } = this.value();
      if (L === undefined) throw malformed('Unexpected term');
      return L;
    });
  }
}

function numberAt(text: string, place: string): AttributeValue {
  try {
    return { N: canonicalNumber(text) };
  } catch (error) {
    if (error instanceof AwsError) throw validation(`${error.message} under ${place}`);
    throw error;
  }
}
