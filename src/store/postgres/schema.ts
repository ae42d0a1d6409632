import type pg from 'pg';
import { StoreOpenError } from '../errors.ts';
import { LOCK_TIMEOUT_MS } from './limits.ts';

/** The format of the tables. Raise it together with a step in {@link MIGRATIONS}. */
export const FORMAT_VERSION = 1;

/** A step from format `from` to `from + 1`: SQL that runs inside one transaction. */
export interface Migration {
  readonly from: number;
  readonly sql: string;
}

/** Every release reads the data of the one before: steps are added at the end and never taken out. */
export const MIGRATIONS: readonly Migration[] = [];

/** bytea compares byte by byte, whatever the database's collation. */
const SCHEMA = `
  CREATE TABLE croft_kv (key bytea PRIMARY KEY, value bytea NOT NULL);
  CREATE TABLE croft_sequences (shard bytea PRIMARY KEY, last bigint NOT NULL);
  CREATE TABLE croft_outcomes (commit_id bytea PRIMARY KEY, at_ms bigint NOT NULL);
  CREATE INDEX croft_outcomes_by_time ON croft_outcomes (at_ms);
  CREATE TABLE croft_format (version integer NOT NULL);
`;

/** One process at a time makes or migrates the tables: "Croft" as a number. */
const SCHEMA_LOCK = 0x43726f6674;

/** Throws StoreOpenError where the server may lose a commit that it has acknowledged. */
export async function refuseUnsafe(client: pg.ClientBase): Promise<void> {
  for (const setting of ['synchronous_commit', 'fsync', 'full_page_writes']) {
    const { rows } = await client.query(`SHOW ${setting}`);
    if (rows[0]?.[setting] === 'off') {
      throw new StoreOpenError(`PostgreSQL runs with ${setting} = off and may lose what it has acknowledged. Set ${setting} = on for this database.`);
    }
  }
}

/** Makes the tables, or brings them to this Croft's format. */
export async function prepareTables(
  client: pg.ClientBase,
  format: { version: number; migrations: readonly Migration[] } = { version: FORMAT_VERSION, migrations: MIGRATIONS },
): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    const { rows } = await client.query("SELECT to_regclass('croft_format') IS NOT NULL AS made");
    if (rows[0]?.['made'] !== true) {
      await client.query(SCHEMA);
      await client.query('INSERT INTO croft_format (version) VALUES ($1)', [format.version]);
    } else await migrate(client, format);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function migrate(client: pg.ClientBase, { version, migrations }: { version: number; migrations: readonly Migration[] }): Promise<void> {
  const { rows } = await client.query('SELECT version FROM croft_format');
  const found = Number(rows[0]?.['version']);
  if (found > version)
    throw new StoreOpenError(`The data in this database has format ${found}; this Croft reads up to ${version}. Start the newer Croft that wrote it.`);
  for (let from = found; from < version; from++) {
    const step = migrations.find((migration) => migration.from === from);
    if (!step) throw new StoreOpenError(`The data in this database has format ${found}, which this Croft can no longer read.`);
    await client.query(step.sql);
    await client.query('UPDATE croft_format SET version = $1', [from + 1]);
  }
}
