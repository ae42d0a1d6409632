import { TEMPLATE_DEPTH_MAX } from '../../limits.ts';
import type { Budget } from './budget.ts';
import { TemplateLimit } from './nodes.ts';

/** Values of a template: those of JSON; maps are objects of which only own properties count. */
export type Value = string | number | boolean | null | undefined | Value[] | ValueMap | Callable;
export interface ValueMap {
  [name: string]: Value;
}
/** An object of the gateway (`$input`, `$util`): methods and what it has beside them. */
export interface Callable {
  readonly call: (name: string, args: readonly Value[]) => Value;
  readonly property: (name: string) => Value;
}

const CALLABLES = new WeakSet<object>();

export function callable(parts: Callable): Callable {
  CALLABLES.add(parts);
  return parts;
}

export const isCallable = (value: Value): value is Callable => typeof value === 'object' && value !== null && CALLABLES.has(value);
export const isMap = (value: Value): value is ValueMap => typeof value === 'object' && value !== null && !Array.isArray(value) && !CALLABLES.has(value);
export const isNothing = (value: Value): value is null | undefined => value === null || value === undefined;

/** Lists that the template itself made: Java writes these as `[a, b]`, those that come out of JSON as JSON. */
const MADE = new WeakSet<object>();

export function made(list: Value[]): Value[] {
  MADE.add(list);
  return list;
}

export function newMap(entries: Iterable<readonly [string, Value]> = []): ValueMap {
  const map = Object.create(null) as ValueMap;
  for (const [name, value] of entries) setIn(map, name, value);
  return map;
}

export const getIn = (map: ValueMap, name: string): Value => (Object.hasOwn(map, name) ? map[name] : undefined);

/** Also right for `__proto__`. */
export function setIn(map: ValueMap, name: string, value: Value): void {
  if (name === '__proto__') Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true });
  else map[name] = value;
}

/** As Java writes a value: `{a=b, c=[…]}`. Nothing is the empty text. */
export function toText(value: Value, budget: Budget, depth = 0): string {
  budget.spend();
  if (depth > TEMPLATE_DEPTH_MAX) throw new TemplateLimit('values nested too deep');
  if (isNothing(value)) return depth === 0 ? '' : 'null';
  if (typeof value !== 'object') return budget.text(String(value));
  if (isCallable(value)) return '';
  if (Array.isArray(value)) {
    if (MADE.has(value)) return budget.text(`[${value.map((item) => toText(item, budget, depth + 1)).join(', ')}]`);
    return toJson(value, budget, depth);
  }
  const parts = Object.keys(value).map((name) => `${name}=${toText(value[name], budget, depth + 1)}`);
  return budget.text(`{${parts.join(', ')}}`);
}

export function toJson(value: Value, budget: Budget, depth = 0): string {
  budget.spend();
  if (depth > TEMPLATE_DEPTH_MAX) throw new TemplateLimit('values nested too deep');
  if (isNothing(value)) return 'null';
  if (typeof value !== 'object') return budget.text(JSON.stringify(value));
  if (isCallable(value)) return '{}';
  if (Array.isArray(value)) return budget.text(`[${value.map((item) => toJson(item, budget, depth + 1)).join(',')}]`);
  const parts = Object.keys(value).map((name) => `${JSON.stringify(name)}:${toJson(value[name], budget, depth + 1)}`);
  return budget.text(`{${parts.join(',')}}`);
}

export const isTrue = (value: Value): boolean => !isNothing(value) && value !== false;

/** Nothing equals the empty text, as seen on AWS; numbers and texts are compared by how they are written. */
export function areEqual(a: Value, b: Value, budget: Budget): boolean {
  if (a === b) return true;
  if (isNothing(a) || isNothing(b)) return (isNothing(a) || a === '') && (isNothing(b) || b === '');
  if (typeof a === 'object' && typeof b === 'object' && Array.isArray(a) !== Array.isArray(b)) return false;
  return toText(a, budget) === toText(b, budget);
}
