import pg from 'pg';
import type { Clock } from '../../kit/clock.ts';
import type { Ids } from '../../kit/ids.ts';
import { bytes, type Key } from '../../kit/key.ts';
import { StoreOpenError, storeClosed } from '../errors.ts';
import { checkDeclaration, checkKey, type FullRange, fullRange, OUTCOME_KEPT_MS, STEP_BYTES, STEP_ROWS } from '../limits.ts';
import { PageBuilder } from '../run.ts';
import { backUpEntries } from '../sqlite/backup.ts';
import type { Entry, Page, Store } from '../store.ts';
import { createWatchers } from '../watch.ts';
import { Connections } from './connections.ts';
import { createGets } from './gets.ts';
import { CONNECT_TIMEOUT_MS, PRUNE_EVERY_MS } from './limits.ts';
import { Scheduler } from './scheduler.ts';
import { prepareTables, refuseUnsafe } from './schema.ts';
import { pruneOutcomes, selectOutcomeAtMs, selectRows, selectValues } from './sql.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  readonly clock: Pick<Clock, 'real'>;
  readonly ids: Pick<Ids, 'uuid'>;
}

/**
 * The cluster's driver: several processes on one PostgreSQL database.
 *
 * @throws StoreOpenError where the server cannot be reached, may lose acknowledged commits (`synchronous_commit = off`), or holds a newer format.
 */
export async function openPostgresStore({ url, clock, ids }: PostgresOptions): Promise<Store> {
  await prepare(url);
  const connections = new Connections(url);
  const watchers = createWatchers();
  const scheduler = new Scheduler({ connections, ids, realMs: () => clock.real(), committedKeys: (keys) => watchers.notify(keys) });
  const gets = createGets((keys) => connections.withReader((client) => selectValues(client, keys)));
  // Every process prunes: it is one indexed DELETE, and finds nothing where another was first. A failure is tried again a minute later.
  const prune = () => connections.withWriter((client) => pruneOutcomes(client, clock.real() - OUTCOME_KEPT_MS)).catch(() => undefined);
  const pruning = setInterval(() => void prune(), PRUNE_EVERY_MS).unref();
  let closing: Promise<void> | undefined;
  const check = () => {
    if (closing) throw storeClosed();
  };
  const close = async () => {
    clearInterval(pruning);
    await scheduler.close();
    await connections.close();
  };
  return {
    driver: 'postgres',
    async get(key) {
      check();
      checkKey(key);
      return gets.get(key);
    },
    async getMany(keys) {
      check();
      keys.forEach(checkKey);
      if (keys.length === 0) return [];
      const values = await connections.withReader((client) => selectValues(client, [...new Set(keys)]));
      return keys.map((key) => values.get(key));
    },
    async range(options) {
      check();
      const range = fullRange(options);
      return range.from < range.to ? readPage(connections, range) : { entries: [], more: false };
    },
    async transact(declaration, fn) {
      check();
      checkDeclaration(declaration);
      return scheduler.transact(declaration, fn);
    },
    async outcome(commitId) {
      check();
      const atMs = await connections.withReader((client) => selectOutcomeAtMs(client, commitId));
      return atMs !== undefined && atMs >= clock.real() - OUTCOME_KEPT_MS ? 'committed' : 'unknown';
    },
    watch: (prefix, listener) => watchers.add(prefix, listener),
    async backup(path) {
      check();
      await connections.withReader((client) => backUp(client, path));
    },
    stats: () => ({ ...scheduler.stats, waitingTransactions: scheduler.waitingTransactions, batchesInFlight: scheduler.batchesInFlight }),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function prepare(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    await client.connect();
  } catch (error) {
    throw new StoreOpenError(`PostgreSQL cannot be reached: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  try {
    await refuseUnsafe(client);
    await prepareTables(client);
  } finally {
    await client.end();
  }
}

/** One statement, one snapshot. */
async function readPage(connections: Connections, range: FullRange): Promise<Page> {
  const { rows } = await connections.withReader((client) => selectRows(client, range));
  const page = new PageBuilder(range);
  for (const [key, value] of rows) if (!page.add(key, value)) break;
  return { entries: page.entries, more: page.more };
}

/** All entries and sequences from one snapshot. */
async function backUp(client: pg.PoolClient, path: string): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const { rows } = await client.query<[Buffer, string]>({ text: 'SELECT shard, last FROM croft_sequences', rowMode: 'array' });
    await backUpEntries(path, allEntries(client), new Map<Key, bigint>(rows.map(([shard, last]) => [bytes(shard), BigInt(last)])));
  } finally {
    await client.query('ROLLBACK');
  }
}

async function* allEntries(client: pg.PoolClient): AsyncGenerator<Entry> {
  const read = (from: Key) => selectRows(client, { from, to: END, reverse: false, limit: STEP_ROWS, maxBytes: STEP_BYTES });
  for (let from = ''; ; ) {
    const { rows, complete } = await read(from);
    yield* rows;
    if (complete) return;
    from = `${rows.at(-1)?.[0] ?? ''}\x00`;
  }
}

/** After every key: keys have at most 2,000 bytes. */
const END: Key = '\xff'.repeat(2001);
