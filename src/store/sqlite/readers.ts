import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { bytes, type Key } from '../../kit/key.ts';
import { type FullRange, READERS_MAX, STEP_BYTES, STEP_ROWS } from '../limits.ts';
import { type Cursor, PageBuilder } from '../run.ts';
import type { Page } from '../store.ts';
import { PageThreads } from './pages.ts';
import { openForReading } from './schema.ts';

/** Page cache of the connection that transactions and single reads use, and of each reader of pages. Filled on use only. */
const MAIN_CACHE_BYTES = 16 * 1024 * 1024;
const READER_CACHE_BYTES = 2 * 1024 * 1024;
/**
 * Small values that were read lately (generations, counters: what every write of a table reads), up to this size each, and this many
 * bytes in all. Larger ones were tried: their buffers cost the garbage collector more than the reads that they saved.
 */
const HOT_VALUE_BYTES_MAX = 64;
const HOT_BYTES_MAX = 1024 * 1024;
/** So many keys are read at one go; more give the event loop back in between. */
const KEYS_AT_ONCE = 128;

export interface Reader {
  readonly db: DatabaseSync;
  readonly value: StatementSync;
  readonly up: StatementSync;
  readonly down: StatementSync;
}

interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The main thread's connections for committed state. The write-ahead log lets them read while the writer commits. */
export class Readers {
  readonly #file: string;
  readonly #main: Reader;
  readonly #sequence: StatementSync;
  readonly #outcome: StatementSync;
  readonly #idle: Reader[] = [];
  readonly #waiting: ((reader: Reader) => void)[] = [];
  #made = 0;
  readonly #pages: PageThreads;
  #holding = false;
  /** This process alone writes the file, so what was read stays true until a batch that writes it is durable. */
  readonly #hot = new Map<Key, Uint8Array>();
  #hotBytes = 0;
  readonly #letGo = () => this.letGo();

  constructor(file: string) {
    this.#file = file;
    this.#pages = new PageThreads(file);
    this.#main = openReader(file, MAIN_CACHE_BYTES);
    this.#sequence = this.#main.db.prepare('SELECT last FROM sequences WHERE shard = ?');
    this.#sequence.setReadBigInts(true);
    this.#outcome = this.#main.db.prepare('SELECT at_ms FROM outcomes WHERE commit_id = ?');
  }

  get(key: Key): Uint8Array | undefined {
    const hot = this.#hot.get(key);
    if (hot) return hot;
    this.#hold();
    const value = getWith(this.#main, key);
    if (value && value.byteLength <= HOT_VALUE_BYTES_MAX) this.#keepHot(key, value);
    return value;
  }

  /** When it is full it begins anew: what is hot is back at once. */
  #keepHot(key: Key, value: Uint8Array): void {
    this.#hotBytes += key.length + value.byteLength;
    if (this.#hotBytes > HOT_BYTES_MAX) {
      this.#hot.clear();
      this.#hotBytes = key.length + value.byteLength;
    }
    this.#hot.set(key, value);
  }

  /** A batch that wrote `keys` is durable: from here on it is what is read. */
  changed(keys: Iterable<Key>): void {
    this.letGo();
    for (const key of keys) {
      const hot = this.#hot.get(key);
      if (!hot) continue;
      this.#hotBytes -= key.length + hot.byteLength;
      this.#hot.delete(key);
    }
  }

  /**
   * Reads of one turn of the event loop share a snapshot: taking SQLite's locks anew costs about as much as the read. It must be let go
   * when a batch has become durable, because what the overlay drops then is to be found here, and at the end of the turn, because a
   * snapshot held for long keeps the log from beginning anew.
   */
  #hold(): void {
    if (this.#holding) return;
    this.#holding = true;
    this.#main.db.exec('BEGIN');
    setImmediate(this.#letGo);
  }

  /** The next read sees all that is committed. */
  letGo(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#main.db.exec('COMMIT');
  }

  lastSequence(shard: Key): bigint {
    this.#hold();
    const last = this.#sequence.get(Buffer.from(shard, 'latin1'))?.['last'];
    return typeof last === 'bigint' ? last : 0n;
  }

  /** When a commit was made durable. */
  outcomeAtMs(commitId: string): number | undefined {
    const atMs = this.#outcome.get(Buffer.from(commitId, 'utf8'))?.['at_ms'];
    return typeof atMs === 'number' ? atMs : undefined;
  }

  /** For use inside one synchronous run, where one cursor of a direction is open at a time. */
  cursor(range: FullRange): Cursor {
    this.#hold();
    return cursorOf(this.#main, range);
  }

  async getMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    return this.#withReader(async (reader) => {
      const values: (Uint8Array | undefined)[] = [];
      // One transaction, one snapshot.
      reader.db.exec('BEGIN');
      try {
        let bytesRead = 0;
        for (const key of keys) {
          const value = getWith(reader, key);
          values.push(value);
          bytesRead += value?.byteLength ?? 0;
          if (values.length % KEYS_AT_ONCE === 0 || bytesRead >= STEP_BYTES) {
            bytesRead = 0;
            if (values.length < keys.length) await nextTurn();
          }
        }
      } finally {
        reader.db.exec('COMMIT');
      }
      return values;
    });
  }

  /** One page from one snapshot. A short one is read here; where it turns out long, a reader thread reads all of it. */
  async page(range: FullRange): Promise<Page> {
    return this.#shortPage(range) ?? this.#pages.read(range);
  }

  /** Not across an await: an open statement would hold its snapshot, and transactions on this connection would see the past. */
  #shortPage(range: FullRange): Page | undefined {
    this.#hold();
    const page = new PageBuilder(range);
    const cursor = cursorOf(this.#main, range);
    try {
      for (let change = cursor.next(); change?.[1] !== undefined; change = cursor.next()) {
        if (!page.add(change[0], change[1])) break;
        if (page.entries.length > STEP_ROWS || page.bytes > STEP_BYTES) return undefined;
      }
    } finally {
      cursor.close();
    }
    return { entries: page.entries, more: page.more };
  }

  /** Waits for pages that are being read. No new ones may begin. */
  async close(): Promise<void> {
    this.letGo();
    this.#main.db.close();
    await this.#pages.close();
    while (this.#idle.length < this.#made) await nextTurn();
    for (const reader of this.#idle) reader.db.close();
  }

  async #withReader<T>(use: (reader: Reader) => Promise<T>): Promise<T> {
    const reader = await this.#take();
    try {
      return await use(reader);
    } finally {
      this.#give(reader);
    }
  }

  #take(): Reader | Promise<Reader> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#made < READERS_MAX) {
      const reader = openReader(this.#file, READER_CACHE_BYTES);
      this.#made++;
      return reader;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #give(reader: Reader): void {
    const next = this.#waiting.shift();
    if (next) next(reader);
    else this.#idle.push(reader);
  }
}

export function openReader(file: string, cacheBytes: number): Reader {
  const db = openForReading(file, cacheBytes);
  return {
    db,
    value: db.prepare('SELECT value FROM kv WHERE key = ?'),
    up: db.prepare('SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key'),
    down: db.prepare('SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key DESC'),
  };
}

function getWith(reader: Reader, key: Key): Uint8Array | undefined {
  return reader.value.get(Buffer.from(key, 'latin1'))?.['value'] as Uint8Array | undefined;
}

export function cursorOf(reader: Reader, { from, to, reverse }: FullRange): Cursor {
  const rows = (reverse ? reader.down : reader.up).iterate(Buffer.from(from, 'latin1'), Buffer.from(to, 'latin1')) as IterableIterator<unknown>;
  let open = true;
  return {
    next() {
      const { done, value } = rows.next();
      if (done) {
        open = false;
        return undefined;
      }
      const row = value as Row;
      return [bytes(row.key), row.value];
    },
    close() {
      // Resets the statement, which lets its snapshot go.
      if (open) rows.return?.();
      open = false;
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
