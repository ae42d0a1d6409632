import { invalidParameter, validation } from '../errors.ts';
import { NESTING_LEVELS_MAX } from '../limits.ts';
import { canonicalNumber, compareNumbers, numberSize } from './number.ts';

/** One value in DynamoDB's JSON: exactly one member is set. `N` and `NS` are canonical once {@link checkValue} has run. */
export interface AttributeValue {
  S?: string;
  N?: string;
  B?: Uint8Array;
  BOOL?: boolean;
  NULL?: boolean;
  M?: Record<string, AttributeValue>;
  L?: AttributeValue[];
  SS?: string[];
  NS?: string[];
  BS?: Uint8Array[];
}

export type Item = Record<string, AttributeValue>;
export type AttributeType = keyof AttributeValue;
/** Types that keys may have. */
export type KeyType = 'S' | 'N' | 'B';

const TYPES: ReadonlySet<string> = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS']);
/** Bytes AWS counts for a list or map itself, and for each element in it. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/** The type of a checked value. */
export function typeOf(value: AttributeValue): AttributeType {
  for (const type in value) if (value[type as AttributeType] !== undefined) return type as AttributeType;
  throw new Error('a value without a type');
}

/** Sets an attribute, also one named `__proto__`, which plain assignment would lose. */
export function setAttribute(item: Item, name: string, value: AttributeValue): void {
  if (name === '__proto__') Object.defineProperty(item, name, { value, enumerable: true, configurable: true, writable: true });
  else item[name] = value;
}

/** An item's attribute; never one of Object's own. */
export function attributeOf(item: Item, name: string): AttributeValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

/**
 * Checks every value of an item and brings its numbers into canonical form, in place.
 * Returns the size that AWS counts: names and values in bytes.
 */
export function checkItem(item: Item): number {
  let size = 0;
  for (const name in item) size += textSize(name) + checkValue(item[name] as AttributeValue);
  return size;
}

/** Checks one value, like {@link checkItem}. Throws ValidationException in AWS's words. */
export function checkValue(value: AttributeValue, depth = 1): number {
  let size = 0;
  let count = 0;
  for (const type in value) {
    if (value[type as AttributeType] === undefined || value[type as AttributeType] === null || !TYPES.has(type)) continue;
    size += checkTyped(type as AttributeType, value, depth);
    count++;
  }
  if (count === 0) throw validation('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
  if (count > 1) throw validation('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
  return size;
}

function checkTyped(type: AttributeType, value: AttributeValue, depth: number): number {
  switch (type) {
    case 'S':
      return textSize(value.S ?? '');
    case 'N': {
      const text = value.N ?? '';
      const canonical = canonicalNumber(text);
      if (canonical !== text) value.N = canonical;
      return numberSize(canonical);
    }
    case 'B':
      return value.B?.length ?? 0;
    case 'BOOL':
      return 1;
    case 'NULL':
      if (!value.NULL) throw invalidParameter('Null attribute value types must have the value of true');
      return 1;
    case 'M':
      return checkMap(value.M ?? {}, depth);
    case 'L':
      return checkList(value.L ?? [], depth);
    case 'SS':
      return checkStringSet(value.SS ?? []);
    case 'NS':
      return checkNumberSet(value);
    case 'BS':
      return checkBinarySet(value.BS ?? []);
  }
}

function checkDepth(depth: number): void {
  if (depth > NESTING_LEVELS_MAX) {
    throw validation('Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit');
  }
}

function checkMap(map: Record<string, AttributeValue>, depth: number): number {
  checkDepth(depth);
  let size = CONTAINER_BYTES;
  for (const name in map) size += ELEMENT_BYTES + textSize(name) + checkValue(map[name] as AttributeValue, depth + 1);
  return size;
}

function checkList(list: readonly AttributeValue[], depth: number): number {
  checkDepth(depth);
  let size = CONTAINER_BYTES;
  for (const element of list) size += ELEMENT_BYTES + checkValue(element, depth + 1);
  return size;
}

function checkStringSet(set: readonly string[]): number {
  if (set.length === 0) throw invalidParameter('An string set  may not be empty');
  if (set.length > 1 && new Set(set).size !== set.length) throw invalidParameter(`Input collection [${set.join(', ')}] contains duplicates.`);
  let size = 0;
  for (const text of set) size += textSize(text);
  return size;
}

function checkNumberSet(value: AttributeValue): number {
  const given = value.NS ?? [];
  if (given.length === 0) throw invalidParameter('An number set  may not be empty');
  const set = given.map(canonicalNumber);
  if (new Set(set).size !== set.length) throw validation('Input collection contains duplicates');
  value.NS = set;
  let size = 0;
  for (const number of set) size += numberSize(number);
  return size;
}

function checkBinarySet(set: readonly Uint8Array[]): number {
  if (set.length === 0) throw invalidParameter('Binary sets should not be empty');
  const texts = set.map(base64);
  if (new Set(texts).size !== texts.length) throw invalidParameter(`Input collection [${texts.join(', ')}]of type BS contains duplicates.`);
  let size = 0;
  for (const bytes of set) size += bytes.length;
  return size;
}

/** Bytes of text in UTF-8. */
export function textSize(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The size AWS counts, of a value already checked. */
export function valueSize(value: AttributeValue): number {
  const type = typeOf(value);
  switch (type) {
    case 'S':
      return textSize(value.S ?? '');
    case 'N':
      return numberSize(value.N ?? '0');
    case 'B':
      return value.B?.length ?? 0;
    case 'BOOL':
    case 'NULL':
      return 1;
    case 'M': {
      let size = CONTAINER_BYTES;
      const map = value.M ?? {};
      for (const name in map) size += ELEMENT_BYTES + textSize(name) + valueSize(map[name] as AttributeValue);
      return size;
    }
    case 'L': {
      let size = CONTAINER_BYTES;
      for (const element of value.L ?? []) size += ELEMENT_BYTES + valueSize(element);
      return size;
    }
    case 'SS':
      return (value.SS ?? []).reduce((sum, text) => sum + textSize(text), 0);
    case 'NS':
      return (value.NS ?? []).reduce((sum, number) => sum + numberSize(number), 0);
    case 'BS':
      return (value.BS ?? []).reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

/** The size AWS counts, of an item already checked. */
export function itemSize(item: Item): number {
  let size = 0;
  for (const name in item) size += textSize(name) + valueSize(item[name] as AttributeValue);
  return size;
}

/** The deepest nesting of containers in a checked value: 0 for a scalar. */
export function nestingOf(value: AttributeValue): number {
  let deepest = 0;
  if (value.M) for (const name in value.M) deepest = Math.max(deepest, nestingOf(value.M[name] as AttributeValue));
  else if (value.L) for (const element of value.L) deepest = Math.max(deepest, nestingOf(element));
  else return 0;
  return deepest + 1;
}

/** Equal in type and content; sets without regard to order. */
export function equalValues(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (b[type] === undefined) return false;
  switch (type) {
    case 'S':
      return a.S === b.S;
    case 'N':
      return a.N === b.N;
    case 'B':
      return compareBytes(a.B as Uint8Array, b.B as Uint8Array) === 0;
    case 'BOOL':
      return a.BOOL === b.BOOL;
    case 'NULL':
      return true;
    case 'SS':
      return equalSets(a.SS ?? [], b.SS ?? []);
    case 'NS':
      return equalSets(a.NS ?? [], b.NS ?? []);
    case 'BS':
      return equalSets((a.BS ?? []).map(base64), (b.BS ?? []).map(base64));
    case 'L': {
      const left = a.L ?? [];
      const right = b.L ?? [];
      return left.length === right.length && left.every((element, at) => equalValues(element, right[at] as AttributeValue));
    }
    case 'M':
      return equalItems(a.M ?? {}, b.M ?? {});
  }
}

/** Equal attribute for attribute. */
export function equalItems(a: Item, b: Item): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equalValues(a[name] as AttributeValue, b[name] as AttributeValue));
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const members = new Set(a);
  return b.every((member) => members.has(member));
}

/**
 * The order of two values of one scalar type: strings by their UTF-8 bytes, numbers by value, binaries as unsigned bytes.
 * Undefined where they have no order: other or different types.
 */
export function compareValues(a: AttributeValue, b: AttributeValue): number | undefined {
  if (a.S !== undefined) return b.S === undefined ? undefined : compareText(a.S, b.S);
  if (a.N !== undefined) return b.N === undefined ? undefined : compareNumbers(a.N, b.N);
  if (a.B !== undefined) return b.B === undefined ? undefined : compareBytes(a.B, b.B);
  return undefined;
}

/** UTF-16 order is UTF-8 order but for surrogate pairs against U+E000 and above. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  const left = a.charCodeAt(at);
  const right = b.charCodeAt(at);
  const leftSurrogate = left >= 0xd800 && left <= 0xdfff;
  const rightSurrogate = right >= 0xd800 && right <= 0xdfff;
  if (leftSurrogate === rightSurrogate) return left - right;
  if (leftSurrogate) return right >= 0xe000 ? 1 : left - right;
  return left >= 0xe000 ? -1 : left - right;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** True where a value, or anything inside it, is binary: JSON has no form for it of its own. */
export function hasBinary(value: AttributeValue): boolean {
  if (value.B !== undefined || value.BS !== undefined) return true;
  if (value.M !== undefined) {
    for (const name in value.M) if (hasBinary(value.M[name] as AttributeValue)) return true;
  } else if (value.L !== undefined) {
    for (const element of value.L) if (hasBinary(element)) return true;
  }
  return false;
}

/** A deep copy, so that an update can change it. Binaries and scalars are shared: nothing writes into them. */
export function copyValue(value: AttributeValue): AttributeValue {
  if (value.M !== undefined) return { M: copyItem(value.M) };
  if (value.L !== undefined) return { L: value.L.map(copyValue) };
  return { ...value };
}

export function copyItem(item: Item): Item {
  const copy: Item = {};
  for (const name in item) setAttribute(copy, name, copyValue(item[name] as AttributeValue));
  return copy;
}
