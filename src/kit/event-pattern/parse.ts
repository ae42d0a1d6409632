import { RULES_MAX } from './limits.ts';
import { exactly, matchExpression, type Test } from './operators.ts';
import { EventPatternError, Tokens } from './tokens.ts';

/** One way through a pattern's `$or`s: every path must pass one of its tests. */
export type Rule = ReadonlyMap<string, readonly Test[]>;

const RESERVED = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric', 'cidr', '=', '<', '<=', '>', '>='],
  ...['regex', 'not-wildcard', 'not-equals-ignore-case', 'date-after', 'date-on-or-after', 'date-before', 'date-on-or-before', 'in-date-range'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
]);

/** Reads a pattern; throws {@link EventPatternError} in AWS's words. */
export function parsePattern(source: string): readonly Rule[] {
  const tokens = new Tokens(source);
  if (tokens.next() !== '{') throw tokens.error('Filter is not an object');
  return object(tokens, [], '', false);
}

type Rules = Map<string, readonly Test[]>[];

/** Adds the conditions of an object, its `{` just read, to each rule. */
function object(tokens: Tokens, rules: Rules, path: string, insideOr: boolean): Rules {
  let result = rules;
  let empty = true;
  while (tokens.next() !== '}') {
    empty = false;
    const name = tokens.name();
    if (name === '$or') {
      result = either(tokens, result, path);
      continue;
    }
    if (insideOr && RESERVED.has(name)) throw tokens.error(`${name} is Ruler reserved fieldName which cannot be used inside $or.`);
    const inner = path === '' ? name : `${path}.${name}`;
    const token = tokens.next();
    if (token === '{') result = object(tokens, result, inner, insideOr);
    else if (token === '[') result = field(tokens, result, inner);
    else throw tokens.error(`"${name}" must be an object or an array`);
  }
  if (empty) throw tokens.error('Empty objects are not allowed');
  return result;
}

function either(tokens: Tokens, rules: Rules, path: string): Rules {
  if (tokens.next() !== '[') throw tokens.error('It must be an Array followed with $or.');
  const all: Rules = [];
  let count = 0;
  for (let token = tokens.next(); token !== ']'; token = tokens.next()) {
    count++;
    if (token !== '{') throw tokens.error('Only JSON object is allowed in array of $or relationship.');
    const copies = rules.length === 0 ? [new Map<string, readonly Test[]>()] : rules.map((rule) => new Map(rule));
    for (const rule of object(tokens, copies, path, true)) all.push(rule);
    if (all.length > RULES_MAX) throw new EventPatternError(`Rule is too complex - $or makes more than ${RULES_MAX} combinations`);
  }
  if (count < 2) throw tokens.error('There must have at least 2 Objects in $or relationship.');
  return all;
}

function field(tokens: Tokens, rules: Rules, path: string): Rules {
  const tests: Test[] = [];
  for (let token = tokens.next(); token !== ']'; token = tokens.next()) {
    tests.push(token === '{' ? matchExpression(tokens) : exactly(token, tokens));
  }
  if (tests.length === 0) throw tokens.error('Empty arrays are not allowed');
  const result: Rules = rules.length === 0 ? [new Map()] : rules;
  for (const rule of result) rule.set(path, tests);
  return result;
}
