/**
 * The hash in a deployment's logical id is over the text that Python 2.7 printed for the API's definition: `str(dict)`, with the order in
 * which that version's dictionaries kept their keys, and a `u` before every text that came from the template. This file keeps
 * definitions in that form. Facts: CPython 2.7's Objects/dictobject.c and stringobject.c.
 */

/** A text that came from the template: Python 2.7's unicode. Texts of the transform itself are plain strings. */
export class Uni {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type PyText = string | Uni;
export type PyValue = null | boolean | number | PyText | PyDict | PyValue[];

export const textOf = (text: PyText): string => (typeof text === 'string' ? text : text.text);
/** Changes a text and keeps where it came from. */
export const mapText = (text: PyText, change: (plain: string) => string): PyText => (typeof text === 'string' ? change(text) : new Uni(change(text.text)));

const MINSIZE = 8;
const PERTURB_SHIFT = 5n;
const MASK_64 = (1n << 64n) - 1n;
const DELETED = Symbol('deleted');

/** Python 2.7's hash of a text, as an unsigned 64-bit number. */
function hashOf(text: string): bigint {
  const points = [...text].map((character) => BigInt(character.codePointAt(0) ?? 0));
  const [first] = points;
  if (first === undefined) return 0n;
  let hash = first << 7n;
  for (const point of points) hash = ((1_000_003n * hash) & MASK_64) ^ point;
  return (hash ^ BigInt(points.length)) & MASK_64;
}

/** The table of a Python 2.7 dictionary, for the order of its keys only. */
class KeyTable {
  #slots: (string | typeof DELETED | undefined)[] = Array.from({ length: MINSIZE }, () => undefined);
  #used = 0;
  #fill = 0;

  keys(): string[] {
    return this.#slots.filter((slot): slot is string => typeof slot === 'string');
  }

  #find(key: string): number {
    const mask = BigInt(this.#slots.length - 1);
    const hash = hashOf(key);
    let walker = hash & mask;
    let free: number | undefined;
    let perturb = hash;
    for (;;) {
      const index = Number(walker & mask);
      const slot = this.#slots[index];
      if (slot === undefined) return free ?? index;
      if (slot === key) return index;
      if (slot === DELETED) free ??= index;
      walker = (walker << 2n) + walker + perturb + 1n;
      perturb >>= PERTURB_SHIFT;
    }
  }

  add(key: string): void {
    const index = this.#find(key);
    const slot = this.#slots[index];
    if (slot === key) return;
    this.#slots[index] = key;
    this.#used++;
    if (slot === undefined) this.#fill++;
    if (this.#fill * 3 >= this.#slots.length * 2) this.#resize(this.#used * 4);
  }

  remove(key: string): void {
    const index = this.#find(key);
    if (this.#slots[index] !== key) return;
    this.#slots[index] = DELETED;
    this.#used--;
  }

  #resize(request: number): void {
    let size = MINSIZE;
    while (size <= request) size *= 2;
    const keys = this.keys();
    this.#slots = Array.from({ length: size }, () => undefined);
    this.#used = 0;
    this.#fill = 0;
    for (const key of keys) this.add(key);
  }
}

/** Keys in the order in which a Python 2.7 dictionary that was given them one by one would list them. */
export function pythonOrder(keys: readonly string[]): string[] {
  const table = new KeyTable();
  for (const key of keys) table.add(key);
  return table.keys();
}

/** A dictionary of Python 2.7, or (`modern`) one that keeps the order of insertion. */
export class PyDict {
  readonly #entries = new Map<string, { key: PyText; value: PyValue }>();
  readonly #table: KeyTable | undefined;

  constructor(entries: readonly (readonly [PyText, PyValue])[] = [], options: { modern?: boolean } = {}) {
    this.#table = options.modern ? undefined : new KeyTable();
    for (const [key, value] of entries) this.set(key, value);
  }

  get(key: PyText): PyValue | undefined {
    return this.#entries.get(textOf(key))?.value;
  }

  has(key: PyText): boolean {
    return this.#entries.has(textOf(key));
  }

  /** A key that is there keeps its first form. */
  set(key: PyText, value: PyValue): this {
    const text = textOf(key);
    const present = this.#entries.get(text);
    if (present) present.value = value;
    else this.#entries.set(text, { key, value });
    this.#table?.add(text);
    return this;
  }

  delete(key: PyText): void {
    this.#entries.delete(textOf(key));
    this.#table?.remove(textOf(key));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The member as a dictionary, made where it is missing. */
  dict(key: PyText): PyDict {
    const present = this.get(key);
    if (present instanceof PyDict) return present;
    const made = new PyDict();
    this.set(key, made);
    return made;
  }

  entries(): [PyText, PyValue][] {
    const order = this.#table ? this.#table.keys() : [...this.#entries.keys()];
    return order.flatMap((text): [PyText, PyValue][] => {
      const entry = this.#entries.get(text);
      return entry ? [[entry.key, entry.value]] : [];
    });
  }

  /** A deep copy: keys are put into a new table in the order in which this one lists them. */
  clone(): PyDict {
    return new PyDict(
      this.entries().map(([key, value]) => [key, cloneValue(value)]),
      { modern: this.#table === undefined },
    );
  }
}

function cloneValue(value: PyValue): PyValue {
  if (Array.isArray(value)) return value.map(cloneValue);
  return value instanceof PyDict ? value.clone() : value;
}

/** JSON of the template as Python 2.7 would hold it. */
export function fromTemplate(value: unknown): PyValue {
  if (typeof value === 'string') return new Uni(value);
  if (Array.isArray(value)) return value.map(fromTemplate);
  if (typeof value === 'object' && value !== null) return new PyDict(Object.entries(value).map(([key, member]) => [new Uni(key), fromTemplate(member)]));
  return value as null | boolean | number;
}

/** JSON of the transform itself: dictionaries of today's Python, plain texts. */
export function fromTransform(value: unknown): PyValue {
  if (Array.isArray(value)) return value.map(fromTransform);
  if (value instanceof PyDict || value instanceof Uni) return value;
  if (typeof value === 'object' && value !== null) {
    return new PyDict(
      Object.entries(value).map(([key, member]) => [key, fromTransform(member)]),
      { modern: true },
    );
  }
  return value as null | boolean | number | string;
}

/** Back to JSON. */
export function toJson(value: PyValue): unknown {
  if (value instanceof Uni) return value.text;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof PyDict) return Object.fromEntries(value.entries().map(([key, member]) => [textOf(key), toJson(member)]));
  return value;
}

/** `str(value)`. */
export function pythonText(value: PyValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value, escapePlain);
  if (value instanceof Uni) return `u${quote(value.text, escapeUnicode)}`;
  if (Array.isArray(value)) return `[${value.map(pythonText).join(', ')}]`;
  return `{${value
    .entries()
    .map(([key, member]) => `${pythonText(key)}: ${pythonText(member)}`)
    .join(', ')}}`;
}

/** Single quotes, unless the text holds some and no double ones. */
function quote(text: string, escaped: (text: string, quotes: string) => string): string {
  const quotes = text.includes("'") && !text.includes('"') ? '"' : "'";
  return quotes + escaped(text, quotes) + quotes;
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeWith(text: string, quotes: string, beyondAscii: (character: string, point: number) => string): string {
  let out = '';
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (character === quotes) out += `\\${character}`;
    else if (character === '\\') out += '\\\\';
    else if (NAMED[character] !== undefined) out += NAMED[character];
    else if (point < 32 || point === 127) out += `\\x${point.toString(16).padStart(2, '0')}`;
    else out += point < 127 ? character : beyondAscii(character, point);
  }
  return out;
}

const escapePlain = (text: string, quotes: string): string => escapeWith(text, quotes, (character) => character);
const escapeUnicode = (text: string, quotes: string): string =>
  escapeWith(text, quotes, (_character, point) =>
    point < 256 ? `\\x${point.toString(16)}` : point < 65_536 ? `\\u${point.toString(16).padStart(4, '0')}` : `\\U${point.toString(16).padStart(8, '0')}`,
  );
