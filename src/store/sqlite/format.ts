import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StoreOpenError } from '../errors.ts';
import { APPLICATION_ID, DATABASE_FILE, numberOf, openForWriting, SCHEMA } from './schema.ts';

export const FORMAT_FILE = 'FORMAT';

/** The format this Croft writes. Raise it together with a step in {@link MIGRATIONS}. */
export const FORMAT_VERSION = 1;

/** A step from format `from` to `from + 1`. It runs inside one transaction. */
export interface Migration {
  readonly from: number;
  run(db: DatabaseSync): void;
}

/** Every release reads the data of the one before: steps are added at the end and never taken out. */
export const MIGRATIONS: readonly Migration[] = [];

export interface Format {
  readonly version: number;
  readonly migrations: readonly Migration[];
}

export const CURRENT_FORMAT: Format = { version: FORMAT_VERSION, migrations: MIGRATIONS };

/**
 * Makes the data directory, or brings it to this Croft's format. The database's own version is what counts (it changes in the
 * migration's transaction); the file `FORMAT` is for people, and lets a newer format be refused before the database is touched.
 *
 * @throws StoreOpenError for a newer format, or a database that is not Croft's.
 */
export function prepareDirectory(dataDir: string, format: Format = CURRENT_FORMAT): void {
  mkdirSync(dataDir, { recursive: true });
  const stated = statedVersion(dataDir);
  if (stated !== undefined) refuseNewer(dataDir, stated, format.version);
  const db = openForWriting(join(dataDir, DATABASE_FILE));
  try {
    bringTo(db, dataDir, format);
  } finally {
    db.close();
  }
  if (stated !== format.version) writeFormatFile(dataDir, format.version);
  syncDirectory(dataDir);
}

/** Brings an open database to `format`: makes the tables of an empty one, migrates an older one. */
function bringTo(db: DatabaseSync, dataDir: string, format: Format): void {
  const version = numberOf(db, 'PRAGMA user_version');
  const tables = numberOf(db, 'SELECT count(*) FROM sqlite_schema');
  if (tables === 0 && version === 0) {
    inTransaction(db, () => db.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${format.version};`));
    return;
  }
  if (numberOf(db, 'PRAGMA application_id') !== APPLICATION_ID) throw new StoreOpenError(`${join(dataDir, DATABASE_FILE)} is not a Croft database.`);
  refuseNewer(dataDir, version, format.version);
  for (let from = version; from < format.version; from++) {
    const step = format.migrations.find((migration) => migration.from === from);
    if (!step) throw new StoreOpenError(`The data in ${dataDir} has format ${version}, which this Croft can no longer read.`);
    inTransaction(db, () => {
      step.run(db);
      db.exec(`PRAGMA user_version = ${from + 1}`);
    });
  }
}

function inTransaction(db: DatabaseSync, run: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    run();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function statedVersion(dataDir: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(dataDir, FORMAT_FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const match = /^croft-data (\d{1,9})\s*$/.exec(text);
  if (!match) throw new StoreOpenError(`${join(dataDir, FORMAT_FILE)} is not Croft's: choose another data directory.`);
  return Number(match[1]);
}

function refuseNewer(dataDir: string, version: number, supported: number): void {
  if (version <= supported) return;
  throw new StoreOpenError(`The data in ${dataDir} has format ${version}; this Croft reads up to ${supported}. Start the newer Croft that wrote it.`);
}

function writeFormatFile(dataDir: string, version: number): void {
  const path = join(dataDir, FORMAT_FILE);
  writeFileSync(`${path}.new`, `croft-data ${version}\n`, { flush: true });
  renameSync(`${path}.new`, path);
}

/** Makes names in a directory durable: a file's own sync does not. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
