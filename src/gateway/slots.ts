/**
 * A set of what is under way, for things that come and go with every request.
 *
 * Not a `Set`: its table is replaced after so many additions, and an old table points to the next one. Once one of them has been moved to
 * the old generation, dead as it is, it keeps all tables after it alive until the next full collection, and with them every request that
 * they held when they were replaced. A third of all requests then survived young collections: that was the half of their cost.
 */
export class Slots<T extends object> {
  readonly #slots: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** The place of `one`, for {@link delete}. */
  add(one: T): number {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = one;
    return slot;
  }

  delete(slot: number): void {
    if (this.#slots[slot] === undefined) return;
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  *[Symbol.iterator](): Generator<T, void> {
    for (const one of this.#slots) if (one !== undefined) yield one;
  }
}
