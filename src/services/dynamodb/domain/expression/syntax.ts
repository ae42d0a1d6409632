import { validation } from '../../errors.ts';
import { EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_OPERATORS_MAX, PARSED_EXPRESSIONS_MAX } from '../../limits.ts';

/**
 * What the expression grammars share: tokens, document paths, and the way a syntax error is told.
 * "Using expressions in DynamoDB". Parsing is one pass over the tokens, without going back.
 */
export interface Token {
  readonly kind: 'identifier' | 'name' | 'value' | 'number' | 'symbol' | 'end' | 'unknown';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A step of a document path as written: an attribute (perhaps by placeholder) or a list index. */
export type PathStep = { readonly name: string; readonly placeholder: boolean } | number;

export type RawPath = readonly PathStep[];

/** The kinds of expression, as AWS's messages name them. */
export type ExpressionKind = 'ProjectionExpression' | 'ConditionExpression' | 'FilterExpression' | 'KeyConditionExpression' | 'UpdateExpression';

/** A failure whose message the caller puts behind `Invalid <kind>: `. */
export class ExpressionError extends Error {}

/** Runs `parse` and words its failures for `kind`. */
export function wording<T>(kind: ExpressionKind, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ExpressionError) throw validation(`Invalid ${kind}: ${error.message}`);
    throw error;
  }
}

/** `parse` by text, remembered: the same few expressions come again and again. The result must not be changed. */
export function remembered<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    let parsed = known.get(text);
    if (parsed === undefined) {
      parsed = parse(text);
      if (known.size >= PARSED_EXPRESSIONS_MAX) known.clear();
      known.set(text, parsed);
    }
    return parsed;
  };
}

const TWO_CHARACTER_SYMBOLS = new Set(['<>', '<=', '>=']);
const SYMBOLS = new Set(['=', '<', '>', '(', ')', '[', ']', ',', '.', '+', '-']);

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isIdentifierStart = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
const isIdentifierPart = (code: number): boolean => isIdentifierStart(code) || isDigit(code);
const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const wordEnd = (from: number): number => {
    let end = from;
    while (end < text.length && isIdentifierPart(text.charCodeAt(end))) end++;
    return end;
  };
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) {
      at++;
      continue;
    }
    let end = at + 1;
    let kind: Token['kind'] = 'unknown';
    if (isIdentifierPart(code)) {
      end = wordEnd(at);
      kind = isIdentifierStart(code) ? 'identifier' : /^\d+$/.test(text.slice(at, end)) ? 'number' : 'unknown';
    } else if (code === 0x23 || code === 0x3a) {
      end = wordEnd(at + 1);
      if (end > at + 1) kind = code === 0x23 ? 'name' : 'value';
    } else if (TWO_CHARACTER_SYMBOLS.has(text.slice(at, at + 2))) {
      end = at + 2;
      kind = 'symbol';
    } else if (SYMBOLS.has(text.charAt(at))) kind = 'symbol';
    else if (code >= 0xd800 && code <= 0xdbff) end = Math.min(at + 2, text.length);
    tokens.push({ kind, text: text.slice(at, end), start: at, end });
    at = end;
  }
  tokens.push({ kind: 'end', text: '<EOF>', start: text.length, end: text.length });
  return tokens;
}

/** Reads tokens one by one; the grammars are written on top of it. */
export class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #operators = 0;

  constructor(text: string) {
    if (text === '') throw new ExpressionError('The expression can not be empty;');
    const size = Buffer.byteLength(text, 'utf8');
    if (size > EXPRESSION_BYTES_MAX) throw new ExpressionError(`Expression size has exceeded the maximum allowed size; expression size: ${size}`);
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get next(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token;
  }

  advance(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  isSymbol(text: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === text;
  }

  /** Keywords are written in any case. */
  isKeyword(word: string): boolean {
    return this.token.kind === 'identifier' && this.token.text.toUpperCase() === word;
  }

  takeSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.#at++;
    return true;
  }

  takeKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.#at++;
    return true;
  }

  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.syntaxError();
  }

  expectKeyword(word: string): void {
    if (!this.takeKeyword(word)) throw this.syntaxError();
  }

  expectEnd(): void {
    if (this.token.kind !== 'end') throw this.syntaxError();
  }

  /** Names the token at hand, and quotes the text from the one before it to the one after it. */
  syntaxError(): ExpressionError {
    const previous = this.#tokens[this.#at - 1] ?? this.token;
    return new ExpressionError(`Syntax error; token: "${this.token.text}", near: "${this.#text.slice(previous.start, this.next.end).trimEnd()}"`);
  }

  countOperator(): void {
    this.#operators++;
  }

  checkOperators(): void {
    if (this.#operators > EXPRESSION_OPERATORS_MAX) {
      throw new ExpressionError(`The expression contains too many operators; operator count: ${this.#operators}`);
    }
  }

  /** Runs `parse` one level deeper, so that no text can exhaust the stack. */
  nested<T>(parse: () => T): T {
    this.#depth++;
    if (this.#depth > EXPRESSION_DEPTH_MAX) throw new ExpressionError(`The expression contains too many operators; operator count: ${this.#depth}`);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** `a.b[0].#c`; the first token must be an identifier or a name placeholder. */
  path(isKeyword: (token: Token) => boolean): RawPath {
    return this.pathFrom([this.#pathName(isKeyword)], isKeyword);
  }

  /** Goes on with a path that has begun. */
  pathFrom(begun: RawPath, isKeyword: (token: Token) => boolean): RawPath {
    const steps: PathStep[] = [...begun];
    for (;;) {
      if (this.takeSymbol('.')) steps.push(this.#pathName(isKeyword));
      else if (this.isSymbol('[')) {
        this.advance();
        if (this.token.kind !== 'number') throw this.syntaxError();
        steps.push(Number(this.advance().text));
        this.expectSymbol(']');
      } else return steps;
    }
  }

  #pathName(isKeyword: (token: Token) => boolean): PathStep {
    const { kind, text } = this.token;
    if (kind !== 'name' && (kind !== 'identifier' || isKeyword(this.token))) throw this.syntaxError();
    this.advance();
    return { name: text, placeholder: kind === 'name' };
  }
}
