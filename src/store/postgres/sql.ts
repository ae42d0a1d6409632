import type pg from 'pg';
import { bytes, type Key } from '../../kit/key.ts';
import type { FullRange } from '../limits.ts';
import type { Entry } from '../store.ts';
import { STATEMENT_BYTES_MAX, STATEMENT_ROWS_MAX } from './limits.ts';
import { type LockSet, lockArrays } from './locks.ts';

/** Every statement of the driver. */

const keyBytes = (key: Key) => Buffer.from(key, 'latin1');

export async function selectValues(client: pg.ClientBase, keys: readonly Key[]): Promise<Map<Key, Uint8Array>> {
  const { rows } = await client.query<[Buffer, Buffer]>({
    name: 'croft-values',
    text: 'SELECT key, value FROM croft_kv WHERE key = ANY($1::bytea[])',
    values: [keys.map(keyBytes)],
    rowMode: 'array',
  });
  return new Map(rows.map(([key, value]) => [bytes(key), value]));
}

export async function selectSequences(client: pg.ClientBase, shards: readonly Key[]): Promise<Map<Key, bigint>> {
  const { rows } = await client.query<[Buffer, string]>({
    text: 'SELECT shard, last FROM croft_sequences WHERE shard = ANY($1::bytea[])',
    values: [shards.map(keyBytes)],
    rowMode: 'array',
  });
  return new Map(rows.map(([shard, last]) => [bytes(shard), BigInt(last)]));
}

/**
 * The first rows of a range: those of a page, and one more where there is one, so that the page knows of it.
 * The sizes are known without the values, and values past the page are not sent.
 */
export async function selectRows(client: pg.ClientBase, range: FullRange): Promise<{ rows: Entry[]; complete: boolean }> {
  const order = range.reverse ? 'DESC' : 'ASC';
  const limit = Math.min(range.limit + 1, 2 ** 31 - 1);
  const { rows } = await client.query<[Buffer, Buffer, string]>({
    name: `croft-rows-${order}`,
    text: `
      WITH page AS (
        SELECT key, value, octet_length(key) + octet_length(value) AS size FROM croft_kv WHERE key >= $1 AND key < $2 ORDER BY key ${order} LIMIT $3
      ), sized AS (
        SELECT key, value, sum(size) OVER up_to_here - size - lag(size, 1, 0) OVER up_to_here AS before_last FROM page
        WINDOW up_to_here AS (ORDER BY key ${order} ROWS UNBOUNDED PRECEDING)
      )
      SELECT key, value, (SELECT count(*) FROM page) FROM sized WHERE before_last < $4 ORDER BY key ${order}`,
    values: [keyBytes(range.from), keyBytes(range.to), limit, Math.min(range.maxBytes, Number.MAX_SAFE_INTEGER)],
    rowMode: 'array',
  });
  const inPage = Number(rows[0]?.[2] ?? 0);
  return { rows: rows.map(([key, value]) => [bytes(key), value] as const), complete: rows.length === inPage && inPage < limit };
}

const LOCK = 'CASE WHEN exclusive THEN pg_advisory_xact_lock(id) ELSE pg_advisory_xact_lock_shared(id) END';
const TRY_LOCK = 'CASE WHEN exclusive THEN pg_try_advisory_xact_lock(id) ELSE pg_try_advisory_xact_lock_shared(id) END';
const LOCKS = 'unnest($1::bigint[], $2::boolean[]) AS wanted (id, exclusive)';

/** Waits for all of them, in their order. Held to the end of the transaction. */
export async function lockAll(client: pg.ClientBase, locks: LockSet): Promise<void> {
  if (locks.size === 0) return;
  await client.query({ name: 'croft-lock', text: `SELECT count(*) FROM (SELECT ${LOCK} FROM ${LOCKS} OFFSET 0) AS taken`, values: lockArrays(locks) });
}

/** Takes what is free without waiting; false where one was not. */
export async function tryLockAll(client: pg.ClientBase, locks: LockSet): Promise<boolean> {
  if (locks.size === 0) return true;
  const { rows } = await client.query({ name: 'croft-try-lock', text: `SELECT 1 FROM ${LOCKS} WHERE NOT ${TRY_LOCK} LIMIT 1`, values: lockArrays(locks) });
  return rows.length === 0;
}

export async function writeValues(client: pg.ClientBase, values: readonly (readonly [Key, Uint8Array | undefined])[]): Promise<void> {
  const deleted = values.filter(([, value]) => value === undefined).map(([key]) => keyBytes(key));
  if (deleted.length > 0) await client.query('DELETE FROM croft_kv WHERE key = ANY($1::bytea[])', [deleted]);
  let row: Uint8Array[] = [];
  let rowBytes = 0;
  const flush = async () => {
    if (row.length === 0) return;
    const tuples = Array.from({ length: row.length / 2 }, (_, n) => `($${2 * n + 1}::bytea,$${2 * n + 2}::bytea)`).join(',');
    await client.query(`INSERT INTO croft_kv (key, value) VALUES ${tuples} ON CONFLICT (key) DO UPDATE SET value = excluded.value`, row);
    row = [];
    rowBytes = 0;
  };
  for (const [key, value] of values) {
    if (value === undefined) continue;
    row.push(keyBytes(key), value);
    rowBytes += value.byteLength;
    if (row.length >= 2 * STATEMENT_ROWS_MAX || rowBytes >= STATEMENT_BYTES_MAX) await flush();
  }
  await flush();
}

export async function writeSequences(client: pg.ClientBase, sequences: ReadonlyMap<Key, bigint>): Promise<void> {
  if (sequences.size === 0) return;
  await client.query(
    `INSERT INTO croft_sequences (shard, last) SELECT * FROM unnest($1::bytea[], $2::bigint[])
     ON CONFLICT (shard) DO UPDATE SET last = greatest(croft_sequences.last, excluded.last)`,
    [[...sequences.keys()].map(keyBytes), [...sequences.values()].map(String)],
  );
}

export async function writeOutcomes(client: pg.ClientBase, commitIds: readonly string[], nowMs: number): Promise<void> {
  await client.query(
    `INSERT INTO croft_outcomes (commit_id, at_ms) SELECT DISTINCT id, $2::bigint FROM unnest($1::bytea[]) AS ids (id)
     ON CONFLICT (commit_id) DO UPDATE SET at_ms = excluded.at_ms`,
    [commitIds.map((id) => Buffer.from(id, 'utf8')), nowMs],
  );
}

export async function selectOutcomeAtMs(client: pg.ClientBase, commitId: string): Promise<number | undefined> {
  const { rows } = await client.query('SELECT at_ms FROM croft_outcomes WHERE commit_id = $1', [Buffer.from(commitId, 'utf8')]);
  return rows[0] === undefined ? undefined : Number(rows[0]['at_ms']);
}

/**
 * Whether the transaction that inserted `commitId` was committed. Inserting it again waits while that transaction is still
 * running on the server, so the answer is final; when it was not committed, this is rolled back.
 */
export async function wasCommitted(client: pg.ClientBase, commitId: string): Promise<boolean> {
  await client.query('BEGIN');
  const { rowCount } = await client.query('INSERT INTO croft_outcomes (commit_id, at_ms) VALUES ($1, 0) ON CONFLICT (commit_id) DO NOTHING', [
    Buffer.from(commitId, 'utf8'),
  ]);
  await client.query('ROLLBACK');
  return rowCount === 0;
}

export async function pruneOutcomes(client: pg.ClientBase, beforeMs: number): Promise<void> {
  await client.query('DELETE FROM croft_outcomes WHERE at_ms < $1', [beforeMs]);
}
