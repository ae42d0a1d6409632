import { ipBytes, looksLikeIp, samePrefix } from './ip.ts';
import { EventPatternError, type Token, type Tokens } from './tokens.ts';
import { TOO_COMPLEX, wildcardMatches, wildcardPieces, wildcardTooComplex } from './wildcard.ts';

export type Leaf = string | number | boolean | null;
/** One entry of a pattern's array: a test of a value that is there, or `absent`. */
export type Test = ((value: Leaf) => boolean) | 'absent';

const ONE_KEY = 'Only one key allowed in match expression';
const ANYTHING_BUT_TYPE = 'Value of anything-but must be an array or single string/number value.';
const MIXED = 'Inside anything but list, either all values are number or string, mixed type is not supported';
const ANYTHING_BUT_LIST = 'Inside anything but list, start|null|boolean is not supported.';

/** A value that stands for itself. */
export function exactly(token: Token, tokens: Tokens): Test {
  const text = tokens.text();
  switch (token) {
    case 'string': {
      const address = looksLikeIp(text) ? ipBytes(text) : undefined;
      return address ? inRange(address, address.length * 8) : (value) => value === text;
    }
    case 'number': {
      const number = Number(text);
      return (value) => value === number;
    }
    case 'true':
      return (value) => value === true;
    case 'false':
      return (value) => value === false;
    case 'null':
      return (value) => value === null;
    default:
      throw tokens.error('Match value must be String, number, true, false, or null');
  }
}

/** A match expression, its `{` just read; up to its `}`. */
export function matchExpression(tokens: Tokens): Test {
  if (tokens.next() !== 'name') throw tokens.error('Match expression name not found');
  const name = tokens.name();
  switch (name) {
    case 'exactly': {
      const text = onlyString(tokens, 'exact');
      return (value) => value === text;
    }
    case 'prefix':
      return affix(tokens, 'prefix', (value, part) => value.startsWith(part));
    case 'suffix':
      return affix(tokens, 'suffix', (value, part) => value.endsWith(part));
    case 'numeric':
      return numeric(tokens);
    case 'anything-but':
      return anythingBut(tokens);
    case 'exists':
      return exists(tokens);
    case 'cidr':
      // AWS's message does say "prefix" here.
      return cidr(onlyString(tokens, 'prefix'));
    case 'equals-ignore-case': {
      const text = fold(onlyString(tokens, 'equals-ignore-case'));
      return (value) => typeof value === 'string' && fold(value) === text;
    }
    case 'wildcard': {
      expectString(tokens, tokens.next(), 'wildcard');
      const test = wildcard(tokens, tokens.text());
      close(tokens);
      return test;
    }
    default:
      throw tokens.error(`Unrecognized match type ${name}`);
  }
}

/** Upper and lower case of one character are the same; `toUpperCase` first, so that ẞ and the like agree both ways. */
const fold = (text: string): string => text.toUpperCase().toLowerCase();

function expectString(tokens: Tokens, token: Token, operator: string): void {
  if (token !== 'string') throw tokens.error(`${operator} match pattern must be a string`);
}

function close(tokens: Tokens, reason = ONE_KEY): void {
  if (tokens.next() !== '}') throw tokens.error(reason);
}

function onlyString(tokens: Tokens, operator: string): string {
  expectString(tokens, tokens.next(), operator);
  const text = tokens.text();
  close(tokens);
  return text;
}

function affix(tokens: Tokens, operator: 'prefix' | 'suffix', test: (value: string, part: string) => boolean): Test {
  const token = tokens.next();
  if (token === '{') {
    const title = operator === 'prefix' ? 'Prefix' : 'Suffix';
    if (tokens.next() !== 'name') throw tokens.error(`${title} expression name not found`);
    if (tokens.name() !== 'equals-ignore-case') throw tokens.error(`Unsupported ${operator} pattern: ${tokens.name()}`);
    const part = fold(onlyString(tokens, 'equals-ignore-case'));
    close(tokens);
    return (value) => typeof value === 'string' && test(fold(value), part);
  }
  expectString(tokens, token, operator);
  const part = tokens.text();
  close(tokens);
  return (value) => typeof value === 'string' && test(value, part);
}

function wildcard(tokens: Tokens, text: string): (value: Leaf) => boolean {
  const pieces = wildcardPieces(text);
  if ('error' in pieces) throw tokens.error(pieces.error);
  if (wildcardTooComplex(pieces)) throw new EventPatternError(TOO_COMPLEX);
  return (value) => typeof value === 'string' && wildcardMatches(pieces, value);
}

function exists(tokens: Tokens): Test {
  const token = tokens.next();
  if (token !== 'true' && token !== 'false') throw tokens.error('exists match pattern must be either true or false.');
  close(tokens);
  return token === 'true' ? () => true : 'absent';
}

function inRange(address: Uint8Array, bits: number): Test {
  return (value) => {
    const other = typeof value === 'string' ? ipBytes(value) : undefined;
    return other !== undefined && samePrefix(address, other, bits);
  };
}

/** These messages carry no place in the source. */
function cidr(text: string): Test {
  const [ip, mask, more] = text.split('/');
  if (ip === undefined || mask === undefined || mask === '' || more !== undefined) throw new EventPatternError("Malformed CIDR, one '/' required");
  if (!/^[+-]?[0-9]{1,10}$/.test(mask)) throw new EventPatternError('Malformed CIDR, mask bits must be an integer');
  const bits = Number(mask);
  if (bits < 0) throw new EventPatternError('Malformed CIDR, mask bits must not be negative');
  if (!looksLikeIp(ip)) throw new EventPatternError(`Nonstandard IP address: ${ip}`);
  const address = ipBytes(ip);
  if (!address) throw new EventPatternError(`Invalid IP address: ${ip}`);
  if (address.length === 4 && bits > 31) throw new EventPatternError('IPv4 mask bits must be < 32');
  if (address.length === 16 && bits > 127) throw new EventPatternError('IPv6 mask bits must be < 128');
  return inRange(address, bits);
}

type Comparison = (value: number) => boolean;

function numeric(tokens: Tokens): Test {
  if (tokens.next() !== '[') throw tokens.error('Value of numeric must be an array.');
  const compare = comparison(tokens);
  close(tokens, 'Too many elements in numeric expression');
  return (value) => typeof value === 'number' && compare(value);
}

function comparison(tokens: Tokens): Comparison {
  if (tokens.next() !== 'string') throw tokens.error(`Invalid member in numeric match: ${tokens.text()}`);
  const operator = tokens.text();
  const token = tokens.next();
  if (!['=', '>=', '>', '<=', '<'].includes(operator)) throw tokens.error(`Unrecognized numeric range operator: ${operator}`);
  const bound = numberOf(tokens, token, operator === '=' ? 'equals' : operator);
  if (operator === '=' || operator === '<=' || operator === '<') {
    if (tokens.next() !== ']') throw tokens.error('Too many elements in numeric expression');
    if (operator === '=') return (value) => value === bound;
    return operator === '<' ? (value) => value < bound : (value) => value <= bound;
  }
  const above: Comparison = operator === '>' ? (value) => value > bound : (value) => value >= bound;
  const next = tokens.next();
  if (next === ']') return above;
  if (next !== 'string') throw tokens.error(`Bad value in numeric range: ${tokens.text()}`);
  const second = tokens.text();
  if (second !== '<' && second !== '<=') throw tokens.error(`Bad numeric range operator: ${second}`);
  const top = numberOf(tokens, tokens.next(), second);
  if (tokens.next() !== ']') throw tokens.error('Too many terms in numeric range expression');
  if (!(bound < top)) throw tokens.error('Bottom must be less than top');
  return second === '<' ? (value) => above(value) && value < top : (value) => above(value) && value <= top;
}

function numberOf(tokens: Tokens, token: Token, operator: string): number {
  if (token !== 'number') throw tokens.error(`Value of ${operator} must be numeric`);
  return Number(tokens.text());
}

/** Whatever is there and is none of these, of any type. */
function anythingBut(tokens: Tokens): Test {
  let token = tokens.next();
  let operator: string | undefined;
  if (token === '{') {
    if (tokens.next() !== 'name') throw tokens.error('Anything-But expression name not found');
    operator = tokens.name();
    if (!['equals-ignore-case', 'prefix', 'suffix', 'wildcard'].includes(operator)) throw tokens.error(`Unsupported anything-but pattern: ${operator}`);
    token = tokens.next();
  }
  if (token !== '[' && token !== 'string' && token !== 'number') throw tokens.error(ANYTHING_BUT_TYPE);
  const read = (each: Token) => (operator === undefined ? excluded(tokens, each) : excludedBy(tokens, each, operator));
  const tests = token === '[' ? excludedList(tokens, read, operator === undefined) : [read(token).test];
  close(tokens, 'Too many elements in numeric expression');
  if (operator !== undefined) close(tokens, 'Too many elements in numeric expression');
  return (value) => !tests.some((test) => test(value));
}

interface Excluded {
  readonly test: (value: Leaf) => boolean;
  readonly number: boolean;
}

function excludedList(tokens: Tokens, read: (token: Token) => Excluded, plain: boolean): readonly Excluded['test'][] {
  const list: Excluded[] = [];
  try {
    for (let token = tokens.next(); token !== ']'; token = tokens.next()) list.push(read(token));
  } catch (error) {
    // Within a list AWS states the place twice.
    if (error instanceof EventPatternError) throw tokens.error(error.reason);
    throw error;
  }
  const numbers = list.filter((each) => each.number).length;
  if (plain && (list.length === 0 || (numbers > 0 && numbers < list.length))) throw tokens.error(MIXED);
  return list.map((each) => each.test);
}

function excluded(tokens: Tokens, token: Token): Excluded {
  if (token !== 'string' && token !== 'number') throw tokens.error(ANYTHING_BUT_LIST);
  const text = tokens.text();
  if (token === 'string') return { test: (value) => value === text, number: false };
  const number = Number(text);
  return { test: (value) => value === number, number: true };
}

function excludedBy(tokens: Tokens, token: Token, operator: string): Excluded {
  const of = (test: (value: string) => boolean): Excluded => ({ test: (value) => typeof value === 'string' && test(value), number: false });
  if (operator === 'equals-ignore-case') {
    if (token !== 'string') throw tokens.error('Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.');
    const text = fold(tokens.text());
    return of((value) => fold(value) === text);
  }
  if (operator === 'wildcard') {
    expectString(tokens, token, 'wildcard');
    return { test: wildcard(tokens, tokens.text()), number: false };
  }
  expectString(tokens, token, 'prefix/suffix');
  const part = tokens.text();
  if (part === '') throw tokens.error('Null prefix/suffix not allowed');
  return of(operator === 'prefix' ? (value) => value.startsWith(part) : (value) => value.endsWith(part));
}
