import type { Key } from '../kit/key.ts';

/** Entries of a leaf and children of a branch: small enough that an insert moves little, large enough that the tree is flat. */
const NODE_MAX = 64;

interface Leaf<V> {
  readonly leaf: true;
  keys: Key[];
  values: V[];
  previous: Leaf<V> | undefined;
  next: Leaf<V> | undefined;
}

interface Branch<V> {
  readonly leaf: false;
  /** `keys[i]` is at most every key under `children[i + 1]` and more than every key under `children[i]`. */
  keys: Key[];
  children: Node<V>[];
}

type Node<V> = Leaf<V> | Branch<V>;

/** One step of a walk in key order; undefined at the end. */
export interface Walk<V> {
  next(): readonly [key: Key, value: V] | undefined;
}

/**
 * An ordered map of byte strings: a B+ tree with linked leaves. Insert, find and delete are O(log n).
 * A {@link walk} is only valid until the next change.
 */
export class BTree<V> {
  #root: Node<V> = emptyLeaf();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Key): V | undefined {
    const leaf = this.#leafOf(key);
    const at = lowerBound(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  /** Returns the value that was there before. */
  set(key: Key, value: V): V | undefined {
    let before: V | undefined;
    const put = (node: Node<V>): { key: Key; node: Node<V> } | undefined => {
      if (node.leaf) {
        const at = lowerBound(node.keys, key);
        if (node.keys[at] === key) {
          before = node.values[at];
          node.values[at] = value;
          return undefined;
        }
        node.keys.splice(at, 0, key);
        node.values.splice(at, 0, value);
        this.#size++;
        return node.keys.length > NODE_MAX ? splitLeaf(node) : undefined;
      }
      const at = upperBound(node.keys, key);
      const split = put(childAt(node, at));
      if (!split) return undefined;
      node.keys.splice(at, 0, split.key);
      node.children.splice(at + 1, 0, split.node);
      return node.children.length > NODE_MAX ? splitBranch(node) : undefined;
    };
    const split = put(this.#root);
    if (split) this.#root = { leaf: false, keys: [split.key], children: [this.#root, split.node] };
    return before;
  }

  /** Returns the value that was there. A node is given up when it is empty, not when it is half full: simpler, and as good here. */
  delete(key: Key): V | undefined {
    let before: V | undefined;
    const remove = (node: Node<V>): void => {
      if (node.leaf) {
        const at = lowerBound(node.keys, key);
        if (node.keys[at] !== key) return;
        before = node.values[at];
        node.keys.splice(at, 1);
        node.values.splice(at, 1);
        this.#size--;
        return;
      }
      const at = upperBound(node.keys, key);
      const child = childAt(node, at);
      remove(child);
      if (child.leaf ? child.keys.length > 0 : child.children.length > 0) return;
      if (child.leaf) unlink(child);
      node.children.splice(at, 1);
      node.keys.splice(Math.max(0, at - 1), 1);
    };
    remove(this.#root);
    while (!this.#root.leaf && this.#root.children.length <= 1) this.#root = this.#root.children[0] ?? emptyLeaf();
    return before;
  }

  clear(): void {
    this.#root = emptyLeaf();
    this.#size = 0;
  }

  /** Entries with `from` ≤ key < `to` (no `to`: to the end), ascending, or descending when `reverse`. */
  walk(from: Key, to: Key | undefined, reverse = false): Walk<V> {
    return reverse ? this.#down(from, to) : this.#up(from, to);
  }

  #up(from: Key, to: Key | undefined): Walk<V> {
    let leaf: Leaf<V> | undefined = this.#leafOf(from);
    let at = lowerBound(leaf.keys, from);
    return {
      next() {
        while (leaf) {
          const key = leaf.keys[at];
          if (key === undefined) {
            leaf = leaf.next;
            at = 0;
            continue;
          }
          if (to !== undefined && key >= to) return undefined;
          return [key, leaf.values[at++] as V];
        }
        return undefined;
      },
    };
  }

  #down(from: Key, to: Key | undefined): Walk<V> {
    let leaf: Leaf<V> | undefined = to === undefined ? this.#lastLeaf() : this.#leafOf(to);
    let at = (to === undefined ? leaf.keys.length : lowerBound(leaf.keys, to)) - 1;
    return {
      next() {
        while (leaf) {
          const key = leaf.keys[at];
          if (key === undefined) {
            leaf = leaf.previous;
            at = (leaf?.keys.length ?? 0) - 1;
            continue;
          }
          if (key < from) return undefined;
          return [key, leaf.values[at--] as V];
        }
        return undefined;
      },
    };
  }

  #leafOf(key: Key): Leaf<V> {
    let node = this.#root;
    while (!node.leaf) node = childAt(node, upperBound(node.keys, key));
    return node;
  }

  #lastLeaf(): Leaf<V> {
    let node = this.#root;
    while (!node.leaf) node = childAt(node, node.children.length - 1);
    return node;
  }
}

function emptyLeaf<V>(): Leaf<V> {
  return { leaf: true, keys: [], values: [], previous: undefined, next: undefined };
}

function childAt<V>(branch: Branch<V>, at: number): Node<V> {
  const child = branch.children[at];
  if (!child) throw new Error('B-tree branch without that child');
  return child;
}

function splitLeaf<V>(leaf: Leaf<V>): { key: Key; node: Leaf<V> } {
  // Keys often arrive in order: a leaf that overflows at its end stays nearly full.
  const half = leaf.next === undefined ? NODE_MAX - 4 : NODE_MAX >> 1;
  const right: Leaf<V> = { leaf: true, keys: leaf.keys.splice(half), values: leaf.values.splice(half), previous: leaf, next: leaf.next };
  if (leaf.next) leaf.next.previous = right;
  leaf.next = right;
  return { key: right.keys[0] ?? '', node: right };
}

function splitBranch<V>(branch: Branch<V>): { key: Key; node: Branch<V> } {
  const half = branch.children.length >> 1;
  const children = branch.children.splice(half);
  const keys = branch.keys.splice(half - 1);
  const [key = '', ...rest] = keys;
  return { key, node: { leaf: false, keys: rest, children } };
}

function unlink<V>(leaf: Leaf<V>): void {
  if (leaf.previous) leaf.previous.next = leaf.next;
  if (leaf.next) leaf.next.previous = leaf.previous;
}

/** The first index whose key is not below `key`. */
function lowerBound(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as Key) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first index whose key is above `key`. */
function upperBound(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as Key) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
