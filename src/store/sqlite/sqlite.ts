import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { storeClosed } from '../errors.ts';
import { checkDeclaration, checkKey, fullRange, OUTCOME_KEPT_MS } from '../limits.ts';
import type { Store } from '../store.ts';
import { createWatchers } from '../watch.ts';
import { backUpFile } from './backup.ts';
import { Coordinator } from './coordinator.ts';
import { prepareDirectory } from './format.ts';
import { lockDirectory } from './lock.ts';
import { Readers } from './readers.ts';
import { DATABASE_FILE } from './schema.ts';
import { startWriter, type Writer } from './threads.ts';

export interface SqliteOptions {
  /** Made where it does not exist. */
  readonly dataDir: string;
  readonly clock: Pick<Clock, 'real'>;
}

/**
 * The default driver: one SQLite file in `dataDir`, held by this process alone.
 *
 * @throws StoreOpenError where another process holds the directory, or its format is newer.
 */
export async function openSqliteStore({ dataDir, clock }: SqliteOptions): Promise<Store> {
  mkdirSync(dataDir, { recursive: true });
  const lock = lockDirectory(dataDir);
  try {
    prepareDirectory(dataDir);
    const file = join(dataDir, DATABASE_FILE);
    const watchers = createWatchers();
    const readers = new Readers(file);
    let writer: Writer | undefined;
    const coordinator: Coordinator = new Coordinator({
      clock,
      committed: readers,
      send: (batch, epoch) => writer?.send(batch, epoch),
      durable: (keys) => readers.changed(keys),
      committedKeys: (keys) => watchers.notify(keys),
    });
    writer = await startWriter({ file, dataDir, clock, coordinator });
    return sqliteStore({ file, clock, lock, watchers, readers, coordinator, writer });
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Parts {
  readonly file: string;
  readonly clock: Pick<Clock, 'real'>;
  readonly lock: ReturnType<typeof lockDirectory>;
  readonly watchers: ReturnType<typeof createWatchers>;
  readonly readers: Readers;
  readonly coordinator: Coordinator;
  readonly writer: Writer;
}

function sqliteStore({ file, clock, lock, watchers, readers, coordinator, writer }: Parts): Store {
  let closing: Promise<void> | undefined;
  const check = () => {
    if (closing) throw storeClosed();
  };
  return {
    driver: 'sqlite',
    async get(key) {
      check();
      checkKey(key);
      return readers.get(key);
    },
    async getMany(keys) {
      check();
      keys.forEach(checkKey);
      return readers.getMany(keys);
    },
    async range(options) {
      check();
      const range = fullRange(options);
      return range.from < range.to ? readers.page(range) : { entries: [], more: false };
    },
    async transact(declaration, fn) {
      check();
      checkDeclaration(declaration);
      return coordinator.transact(declaration, fn);
    },
    async outcome(commitId) {
      check();
      const atMs = readers.outcomeAtMs(commitId);
      return atMs !== undefined && atMs >= clock.real() - OUTCOME_KEPT_MS ? 'committed' : 'unknown';
    },
    watch: (prefix, listener) => watchers.add(prefix, listener),
    async backup(path) {
      check();
      await backUpFile(file, path);
    },
    stats: () => ({
      pendingBytes: coordinator.pendingBytes,
      waitingTransactions: coordinator.waitingTransactions,
      ...writer.stats(),
    }),
    close() {
      closing ??= close();
      return closing;
    },
  };

  async function close(): Promise<void> {
    await coordinator.idle();
    coordinator.stop();
    await readers.close();
    // The last connection to close copies the log into the database and takes it away.
    await writer.close();
    lock.release();
  }
}
