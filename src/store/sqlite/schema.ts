import { DatabaseSync } from 'node:sqlite';

/** Measured (README, "Pages"), as is the rowid table: values are appended, and only the short keys are inserted in order. */
export const PAGE_BYTES = 8192;

/** Marks a file as Croft's (`file` prints it): "Crft". */
export const APPLICATION_ID = 0x43726674;

/** How long a connection waits for another's lock: the writer for a checkpoint's last step, and the other way round. */
export const BUSY_TIMEOUT_MS = 10_000;

export const DATABASE_FILE = 'croft.db';

export const SCHEMA = `
  CREATE TABLE kv (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL);
  CREATE TABLE sequences (shard BLOB NOT NULL PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE outcomes (commit_id BLOB NOT NULL PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX outcomes_by_time ON outcomes (at_ms);
`;

export const UPSERT_VALUE = 'INSERT INTO kv (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
export const UPSERT_SEQUENCE = 'INSERT INTO sequences (shard, last) VALUES (?, ?) ON CONFLICT (shard) DO UPDATE SET last = max(last, excluded.last)';

/** A connection that writes, with every commit on disk before it returns. */
export function openForWriting(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;`);
  return db;
}

export function openForReading(file: string, cacheBytes: number): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  db.exec(`PRAGMA cache_size = ${-Math.ceil(cacheBytes / 1024)}`);
  return db;
}

/** The number that a one-row pragma or query answers. */
export function numberOf(db: DatabaseSync, sql: string): number {
  const row = db.prepare(sql).get();
  const value = row && Object.values(row)[0];
  if (typeof value !== 'number') throw new Error(`${sql} answered no number`);
  return value;
}
