import type { Clock } from '../../kit/clock.ts';
import type { Key } from '../../kit/key.ts';
import { BTree } from '../btree.ts';
import { storeClosed } from '../errors.ts';
import { checkDeclaration, checkKey, type FullRange, fullRange, OUTCOME_KEPT_MS } from '../limits.ts';
import { noteRows } from '../notes.ts';
import { type Base, type Cursor, pageOf, runOn, type Writes } from '../run.ts';
import { backUpEntries } from '../sqlite/backup.ts';
import type { Store } from '../store.ts';
import { createWatchers } from '../watch.ts';

/** A view into a much larger buffer (a request body, say) is copied, so that it does not keep the whole of it. */
const VIEW_WASTE_BYTES_MAX = 16 * 1024;

/** Everything in memory: for tests, simulation and `--ephemeral`. Nothing survives the process, and nothing waits for a disk. */
export function createMemoryStore(clock: Pick<Clock, 'real'>): Store {
  const state = new MemoryState(clock);
  const watchers = createWatchers();
  let closed = false;
  const check = () => {
    if (closed) throw storeClosed();
  };
  return {
    driver: 'memory',
    async get(key) {
      check();
      checkKey(key);
      return state.get(key);
    },
    async getMany(keys) {
      check();
      keys.forEach(checkKey);
      return keys.map((key) => state.get(key));
    },
    async range(options) {
      check();
      const range = fullRange(options);
      return pageOf(state.cursor(range), range);
    },
    async transact(declaration, fn) {
      check();
      checkDeclaration(declaration);
      const run = runOn(state, fn, declaration.note);
      if (!run.ok) throw run.error;
      state.apply(run.writes, declaration.commitId);
      // Not before the caller's own turn is over: as with the other drivers, a listener never runs inside `transact`.
      if (run.writes.values.size > 0) queueMicrotask(() => watchers.notify(run.writes.values.keys()));
      return run.result;
    },
    async outcome(commitId) {
      check();
      return state.committed(commitId) ? 'committed' : 'unknown';
    },
    watch: (prefix, listener) => watchers.add(prefix, listener),
    async backup(path) {
      check();
      await backUpEntries(path, state.entries(), new Map(state.sequences));
    },
    stats: () => ({ keys: state.size, bytes: state.bytes, commits: state.commits }),
    async close() {
      closed = true;
    },
  };
}

class MemoryState implements Base {
  readonly sequences = new Map<Key, bigint>();
  bytes = 0;
  commits = 0;
  readonly #clock: Pick<Clock, 'real'>;
  readonly #tree = new BTree<Uint8Array>();
  /** Commit id → when. The oldest are at the front. */
  readonly #outcomes = new Map<string, number>();

  constructor(clock: Pick<Clock, 'real'>) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#tree.size;
  }

  get(key: Key): Uint8Array | undefined {
    return this.#tree.get(key);
  }

  cursor({ from, to, reverse }: FullRange): Cursor {
    const walk = this.#tree.walk(from, to, reverse);
    return { next: () => walk.next(), close() {} };
  }

  lastSequence(shard: Key): bigint {
    return this.sequences.get(shard) ?? 0n;
  }

  /** A copy of the entries as they are now; the values are shared, and nobody changes them. */
  entries(): readonly (readonly [Key, Uint8Array])[] {
    const walk = this.#tree.walk('', undefined);
    const all: (readonly [Key, Uint8Array])[] = [];
    for (let entry = walk.next(); entry; entry = walk.next()) all.push(entry);
    return all;
  }

  apply(writes: Writes, commitId: string | undefined): void {
    for (const [key, value] of writes.values) {
      const kept = value && ownBytes(value);
      const before = kept ? this.#tree.set(key, kept) : this.#tree.delete(key);
      this.bytes += (kept ? key.length + kept.byteLength : 0) - (before ? key.length + before.byteLength : 0);
    }
    for (const [shard, last] of writes.sequences) this.sequences.set(shard, last);
    if (commitId !== undefined) this.#remember(commitId);
    this.commits++;
    if (writes.note === undefined) return;
    for (const [key, value] of noteRows([writes.note], this.#clock.real(), String(this.commits))) {
      this.#tree.set(key, value);
      this.bytes += key.length + value.byteLength;
    }
  }

  committed(commitId: string): boolean {
    const atMs = this.#outcomes.get(commitId);
    return atMs !== undefined && atMs >= this.#clock.real() - OUTCOME_KEPT_MS;
  }

  #remember(commitId: string): void {
    const nowMs = this.#clock.real();
    this.#outcomes.delete(commitId);
    this.#outcomes.set(commitId, nowMs);
    for (const [id, atMs] of this.#outcomes) {
      if (atMs >= nowMs - OUTCOME_KEPT_MS) break;
      this.#outcomes.delete(id);
    }
  }
}

function ownBytes(value: Uint8Array): Uint8Array {
  return value.buffer.byteLength - value.byteLength > VIEW_WASTE_BYTES_MAX ? value.slice() : value;
}
