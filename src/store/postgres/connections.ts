import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StoreError } from '../errors.ts';
import { CONNECT_ATTEMPTS_MAX, CONNECT_RETRY_MS, CONNECT_TIMEOUT_MS, PG_READERS_MAX, WRITERS_MAX } from './limits.ts';

/** SQLSTATE of conflicts that running again resolves: serialization failure, deadlock. */
const CONFLICTS = new Set(['40001', '40P01']);
/** SQLSTATE classes and codes that mean the connection, not the statement: connection exceptions, shutdown, starting up. */
const LOST = /^(08...|57P0[1-3])$/;

/** The connections to one database: for batches, and for reads, so that neither waits for the other. */
export class Connections {
  readonly #writers: pg.Pool;
  readonly #readers: pg.Pool;

  constructor(url: string) {
    this.#writers = pool(url, WRITERS_MAX, 'croft commits');
    this.#readers = pool(url, PG_READERS_MAX, 'croft reads');
  }

  /** A connection in no transaction. When `use` throws, it is thrown away, and the server rolls back what was open. */
  withWriter<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return withClient(this.#writers, use);
  }

  /** For reads: tried again on another connection when one is lost. */
  async withReader<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await withClient(this.#readers, use);
      } catch (error) {
        if (isLost(error) && attempt < CONNECT_ATTEMPTS_MAX) continue;
        if (error instanceof StoreError || error instanceof RangeError) throw error;
        throw new StoreError(`Reading from PostgreSQL failed: ${error instanceof Error ? error.message : String(error)}`, error);
      }
    }
  }

  /** Whether the same work may succeed on another connection, or after another process's commit. */
  mayRetry(error: unknown): boolean {
    return isLost(error) || CONFLICTS.has(codeOf(error));
  }

  async close(): Promise<void> {
    await Promise.all([this.#writers.end(), this.#readers.end()]);
  }
}

function pool(connectionString: string, max: number, application_name: string): pg.Pool {
  const made = new pg.Pool({ connectionString, max, application_name, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true });
  // An idle connection that is lost leaves the pool by itself; the next use makes another.
  made.on('error', () => undefined);
  return made;
}

async function withClient<T>(from: pg.Pool, use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(from);
  let failed = true;
  // A connection lost between two statements is reported here; the next statement fails with it.
  const noticed = () => undefined;
  client.on('error', noticed);
  try {
    const result = await use(client);
    failed = false;
    return result;
  } finally {
    client.off('error', noticed);
    client.release(failed);
  }
}

/** Waits out a restart of the server. */
async function connect(from: pg.Pool): Promise<pg.PoolClient> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await from.connect();
    } catch (error) {
      if (!isLost(error) || attempt >= CONNECT_ATTEMPTS_MAX) {
        throw new StoreError(`PostgreSQL cannot be reached: ${error instanceof Error ? error.message : String(error)}`, error);
      }
      await sleep(CONNECT_RETRY_MS * attempt);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (LOST.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT'].includes(code)) return true;
  return error instanceof Error && /Connection terminated|connection timeout|Client has encountered a connection error|not queryable/i.test(error.message);
}
