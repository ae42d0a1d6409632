import { type AttributeValue, attributeOf, type Item, setAttribute } from '../value.ts';
import type { Path } from './placeholders.ts';

/** The value at a path, or undefined where there is none. */
export function valueAt(item: Item, path: Path): AttributeValue | undefined {
  let value = attributeOf(item, path[0] as string);
  for (let at = 1; at < path.length && value !== undefined; at++) value = childOf(value, path[at] as string | number);
  return value;
}

export function childOf(value: AttributeValue, step: string | number): AttributeValue | undefined {
  if (typeof step === 'number') return value.L?.[step];
  return value.M && attributeOf(value.M, step);
}

interface Wanted {
  whole: boolean;
  readonly children: Map<string | number, Wanted>;
}

/** What a set of paths leaves of an item: maps keep the named entries, lists the named elements, closed up in order. */
export class Projection {
  readonly #root: Wanted = { whole: false, children: new Map() };
  /** True where every path is a plain attribute, the common case. */
  readonly #flat: boolean;

  constructor(paths: readonly Path[]) {
    this.#flat = paths.every((path) => path.length === 1);
    for (const path of paths) {
      let node = this.#root;
      for (const step of path) {
        let child = node.children.get(step);
        if (!child) {
          child = { whole: false, children: new Map() };
          node.children.set(step, child);
        }
        node = child;
      }
      node.whole = true;
    }
  }

  apply(item: Item): Item {
    const out: Item = {};
    for (const [name, wanted] of this.#root.children) {
      const value = attributeOf(item, name as string);
      if (value === undefined) continue;
      const kept = this.#flat ? value : prune(value, wanted);
      if (kept !== undefined) setAttribute(out, name as string, kept);
    }
    return out;
  }
}

function prune(value: AttributeValue, wanted: Wanted): AttributeValue | undefined {
  if (wanted.whole) return value;
  if (value.M !== undefined) {
    const map: Item = {};
    let found = false;
    for (const [step, child] of wanted.children) {
      const inner = childOf(value, step);
      const kept = inner === undefined ? undefined : prune(inner, child);
      if (kept === undefined) continue;
      setAttribute(map, step as string, kept);
      found = true;
    }
    return found ? { M: map } : undefined;
  }
  if (value.L !== undefined) {
    const list: AttributeValue[] = [];
    for (const step of [...wanted.children.keys()].filter((key) => typeof key === 'number').sort((a, b) => a - b)) {
      const inner = value.L[step];
      const kept = inner === undefined ? undefined : prune(inner, wanted.children.get(step) as Wanted);
      if (kept !== undefined) list.push(kept);
    }
    return list.length > 0 ? { L: list } : undefined;
  }
  return undefined;
}
