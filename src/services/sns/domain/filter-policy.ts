import { FILTER_COMBINATIONS_MAX, FILTER_KEYS_MAX } from '../limits.ts';
import { parseCidr, type Range } from './ip.ts';
import { type Token, tokensOf } from './json-source.ts';

/** What one value of a policy property asks for. */
export type Pattern =
  | { readonly kind: 'is'; readonly value: string | number | boolean | null }
  | { readonly kind: 'prefix' | 'suffix' | 'ignore-case' | 'wildcard' | 'not-prefix' | 'not-wildcard'; readonly text: string }
  | { readonly kind: 'not'; readonly values: readonly (string | number)[] }
  | { readonly kind: 'exists'; readonly wanted: boolean }
  | { readonly kind: 'cidr'; readonly range: Range }
  | { readonly kind: 'between'; readonly low?: Bound; readonly high?: Bound };

export interface Bound {
  readonly value: number;
  readonly inclusive: boolean;
}

/** A policy's properties, by the names on the way to them; all must match. */
export type Tree = ReadonlyMap<string, Tree | readonly Pattern[]>;

export interface FilterPolicy {
  /** Any of them must match: more than one where the policy has `$or`. */
  readonly rules: readonly Tree[];
  /** Some property is within another. */
  readonly nested: boolean;
}

/** Why a policy is refused, in AWS's words. */
export class FilterPolicyError extends Error {}

interface Leaf {
  readonly path: readonly string[];
  readonly patterns: readonly Pattern[];
}

/**
 * Compiles a filter policy; "Amazon SNS subscription filter policies". `policy` is parsed JSON; throws {@link FilterPolicyError} in the order
 * in which AWS reads: what is wrong at a place of the text names the place in the policy written without white space.
 */
export function compileFilterPolicy(policy: unknown): FilterPolicy {
  const compact = JSON.stringify(policy) ?? 'null';
  const reader = new Reader(compact);
  if (reader.next().kind !== '{') reader.fail('Filter is not an object');
  const rules = readObject(reader, []);
  const keys = new Set(rules.flatMap((leaves) => leaves.map(({ path }) => path.join('\0'))));
  if (topKeys(policy) > FILTER_KEYS_MAX) throw new FilterPolicyError(`Filter policy can not have more than ${FILTER_KEYS_MAX} keys`);
  if (combinations(rules) > FILTER_COMBINATIONS_MAX) throw new FilterPolicyError('Filter policy is too complex');
  return { rules: rules.map(treeOf), nested: [...keys].some((key) => key.includes('\0')) };
}

/** Of nested properties the outermost count; `$or` is none, the branch that has most counts. */
function topKeys(policy: unknown): number {
  let count = 0;
  for (const [key, value] of Object.entries(policy as Record<string, unknown>))
    count += key === '$or' && isOr(value) ? value.reduce<number>((most, one) => Math.max(most, topKeys(one)), 0) : 1;
  return count;
}

const isOr = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.length >= 2 && value.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));

/** "Filter policy constraints": the product of each property's values, times its level; of each branch of `$or`. */
function combinations(rules: readonly (readonly Leaf[])[]): number {
  return rules.reduce((sum, leaves) => sum + leaves.reduce((product, { path, patterns }) => product * patterns.length * path.length, 1), 0);
}

function treeOf(leaves: readonly Leaf[]): Tree {
  const tree = new Map<string, Map<string, unknown> | readonly Pattern[]>();
  for (const { path, patterns } of leaves) {
    // Dots are levels, in policies as in bodies.
    const steps = path.join('.').split('.');
    let level = tree as Map<string, unknown>;
    for (const step of steps.slice(0, -1)) {
      const below = level.get(step);
      const next = below instanceof Map ? (below as Map<string, unknown>) : new Map<string, unknown>();
      level.set(step, next);
      level = next;
    }
    level.set(steps.at(-1) ?? '', patterns);
  }
  return tree as Tree;
}

class Reader {
  readonly #compact: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #column = 1;

  constructor(compact: string) {
    this.#compact = compact;
    this.#tokens = tokensOf(compact);
  }

  next(): Token {
    const token = this.#tokens[this.#at++] ?? { kind: 'end', text: '', met: this.#compact.length + 1, read: this.#compact.length + 1 };
    this.#column = token.met;
    return token;
  }

  /** The text of a token; having read it moves the place that messages name. */
  text(token: Token): string {
    this.#column = token.read;
    return token.text;
  }

  /** Whether the value that comes is an `$or`. */
  peekOr(): boolean {
    if (this.#tokens[this.#at]?.kind !== '[') return false;
    let depth = 0;
    let objects = 0;
    for (let i = this.#at; i < this.#tokens.length; i++) {
      const { kind } = this.#tokens[i] ?? { kind: 'end' };
      if (kind === '{' && depth === 1) objects++;
      else if (depth === 1 && kind !== ']') return false;
      if (kind === '{' || kind === '[') depth++;
      if (kind === '}' || kind === ']') depth--;
      if (depth === 0) return objects >= 2;
    }
    return false;
  }

  fail(message: string): never {
    throw new FilterPolicyError(`${message}\n at [Source: (String)"${this.#compact}"; line: 1, column: ${this.#column}]`);
  }
}

type Rules = readonly (readonly Leaf[])[];

const both = (left: Rules, right: Rules): Rules => {
  // Past the limit it is refused anyway: the product must not grow on.
  if (left.length * right.length > FILTER_COMBINATIONS_MAX) throw new FilterPolicyError('Filter policy is too complex');
  return left.flatMap((one) => right.map((other) => [...one, ...other]));
};

/** The members of an object whose `{` was read. */
function readObject(reader: Reader, path: readonly string[]): Rules {
  let rules: Rules = [[]];
  let empty = true;
  for (let token = reader.next(); token.kind === 'name'; token = reader.next()) {
    empty = false;
    if (token.text === '$or' && reader.peekOr()) {
      rules = both(rules, readOr(reader, path));
      continue;
    }
    const value = reader.next();
    const below = [...path, token.text];
    if (value.kind === '{') rules = both(rules, readObject(reader, below));
    else if (value.kind === '[') rules = both(rules, [[{ path: below, patterns: readPatterns(reader) }]]);
    else reader.fail(`"${token.text}" must be an object or an array`);
  }
  if (empty && path.length > 0) reader.fail('Empty objects are not allowed');
  return rules;
}

function readOr(reader: Reader, path: readonly string[]): Rules {
  const branches: (readonly Leaf[])[] = [];
  reader.next();
  while (reader.next().kind === '{') branches.push(...readObject(reader, path));
  if (branches.length > FILTER_COMBINATIONS_MAX) throw new FilterPolicyError('Filter policy is too complex');
  return branches;
}

function readPatterns(reader: Reader): Pattern[] {
  const patterns: Pattern[] = [];
  for (let token = reader.next(); token.kind !== ']'; token = reader.next()) {
    if (token.kind === '{') patterns.push(readExpression(reader));
    else if (token.kind === 'string') patterns.push({ kind: 'is', value: reader.text(token) });
    else if (token.kind === 'number') patterns.push({ kind: 'is', value: Number(token.text) });
    else if (token.kind === 'true' || token.kind === 'false') patterns.push({ kind: 'is', value: token.kind === 'true' });
    else if (token.kind === 'null') patterns.push({ kind: 'is', value: null });
    else reader.fail('Match value must be String, number, true, false, or null');
  }
  if (patterns.length === 0) reader.fail('Empty arrays are not allowed');
  return patterns;
}

const ONE_KEY = 'Only one key allowed in match expression';

function readExpression(reader: Reader): Pattern {
  const name = reader.next();
  if (name.kind !== 'name') reader.fail('Match expression name not found');
  const pattern = readOperator(reader, name.text);
  if (reader.next().kind !== '}') reader.fail(ONE_KEY);
  return pattern;
}

/** Messages name `prefix` where the operator is `cidr`: so does AWS. */
function readText(reader: Reader, operator: string): string {
  const token = reader.next();
  if (token.kind !== 'string') reader.fail(`${operator} match pattern must be a string`);
  return reader.text(token);
}

function readOperator(reader: Reader, name: string): Pattern {
  switch (name) {
    case 'prefix':
    case 'suffix':
    case 'wildcard':
      return { kind: name, text: checkWildcard(name, readText(reader, name)) };
    case 'equals-ignore-case':
      return { kind: 'ignore-case', text: readText(reader, name).toLowerCase() };
    case 'cidr': {
      const range = parseCidr(readText(reader, 'prefix'));
      if (typeof range === 'string') throw new FilterPolicyError(range);
      return { kind: 'cidr', range };
    }
    case 'exists': {
      const token = reader.next();
      if (token.kind !== 'true' && token.kind !== 'false') reader.fail('exists match pattern must be either true or false.');
      return { kind: 'exists', wanted: token.kind === 'true' };
    }
    case 'numeric':
      return readNumeric(reader);
    case 'anything-but':
      return readAnythingBut(reader);
    default:
      return reader.fail(`Unrecognized match type ${name}`);
  }
}

function checkWildcard(name: string, text: string): string {
  const at = name === 'wildcard' ? text.indexOf('**') : -1;
  if (at >= 0) throw new FilterPolicyError(`Consecutive wildcard characters at pos ${at}`);
  return text;
}

function readAnythingBut(reader: Reader): Pattern {
  const token = reader.next();
  if (token.kind === 'string') return { kind: 'not', values: [reader.text(token)] };
  if (token.kind === 'number') return { kind: 'not', values: [Number(token.text)] };
  if (token.kind === '[') return { kind: 'not', values: readAnythingButList(reader) };
  if (token.kind !== '{') reader.fail('Value of anything-but must be an array or single string/number value.');
  const name = reader.next();
  if (name.kind !== 'name') reader.fail('Anything-But expression name not found');
  if (name.text !== 'prefix' && name.text !== 'wildcard') reader.fail(`Unsupported anything-but pattern: ${name.text}`);
  const text = checkWildcard(name.text, readText(reader, name.text));
  if (text === '') reader.fail(`Null ${name.text} not allowed`);
  if (reader.next().kind !== '}') reader.fail(ONE_KEY);
  return { kind: name.text === 'prefix' ? 'not-prefix' : 'not-wildcard', text };
}

function readAnythingButList(reader: Reader): (string | number)[] {
  const values: (string | number)[] = [];
  for (let token = reader.next(); token.kind !== ']'; token = reader.next()) {
    if (token.kind === 'string') values.push(reader.text(token));
    else if (token.kind === 'number') values.push(Number(token.text));
    else reader.fail('Inside anything but list, start|null|boolean is not supported.');
  }
  if (new Set(values.map((value) => typeof value)).size > 1)
    reader.fail('Inside anything but list, either all values are number or string, mixed type is not supported');
  if (values.length === 0) reader.fail('Empty arrays are not allowed');
  return values;
}

const COMPARISONS = new Set(['<', '<=', '>', '>=']);

/** `["=", 1]`, `["<", 1]`, `[">=", 1, "<", 2]`. */
function readNumeric(reader: Reader): Pattern {
  if (reader.next().kind !== '[') reader.fail('Value of numeric must be an array.');
  const first = reader.next();
  if (first.kind !== 'string') reader.fail(`Invalid member in numeric match: ${first.text}`);
  const operator = reader.text(first);
  const value = reader.next();
  if (operator === '=') {
    if (value.kind !== 'number') reader.fail('Value of equals must be numeric');
    if (reader.next().kind !== ']') reader.fail('Too many elements in numeric expression');
    return { kind: 'is', value: Number(value.text) };
  }
  if (!COMPARISONS.has(operator)) reader.fail(`Unrecognized numeric range operator: ${operator}`);
  if (value.kind !== 'number') reader.fail(`Value of ${operator} must be numeric`);
  const bound: Bound = { value: Number(value.text), inclusive: operator.endsWith('=') };
  const second = reader.next();
  if (operator.startsWith('<')) {
    if (second.kind !== ']') reader.fail('Too many elements in numeric expression');
    return { kind: 'between', high: bound };
  }
  if (second.kind === ']') return { kind: 'between', low: bound };
  if (second.kind !== 'string') reader.fail(`Bad value in numeric range: ${second.text}`);
  const upper = reader.text(second);
  if (!upper.startsWith('<') || !COMPARISONS.has(upper)) reader.fail(`Bad numeric range operator: ${upper}`);
  const limit = reader.next();
  if (limit.kind !== 'number') reader.fail(`Value of ${upper} must be numeric`);
  if (reader.next().kind !== ']') reader.fail('Too many terms in numeric range expression');
  const high: Bound = { value: Number(limit.text), inclusive: upper.endsWith('=') };
  if (bound.value >= high.value) reader.fail('Bottom must be less than top');
  return { kind: 'between', low: bound, high };
}
