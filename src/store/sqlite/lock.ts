import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreOpenError } from '../errors.ts';

export const LOCK_FILE = 'LOCK';

const SQLITE_BUSY = 5;

/**
 * Holds the data directory for this process. The lock is the operating system's (SQLite's reserved lock on `LOCK`), so it goes
 * with the process, `kill -9` included; the file also tells who holds it.
 *
 * @throws StoreOpenError naming the holder's pid and the path.
 */
export function lockDirectory(dataDir: string): { release(): void } {
  const db = new DatabaseSync(join(dataDir, LOCK_FILE), { timeout: 0 });
  try {
    // Others must be able to read who holds the lock: a rollback journal's reserved lock lets them, until its commit.
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;');
    db.exec('BEGIN IMMEDIATE');
    db.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL)');
    db.exec('DELETE FROM holder');
    db.prepare('INSERT INTO holder (pid) VALUES (?)').run(process.pid);
    db.exec('COMMIT');
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const pid = isBusy(error) ? holderOf(db) : undefined;
    db.close();
    if (!isBusy(error)) throw new StoreOpenError(`The data directory ${dataDir} cannot be locked: ${String(error)}`, error);
    throw new StoreOpenError(
      `The data directory ${dataDir} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}. Stop it, or choose another with --data-dir.`,
    );
  }
  return { release: () => db.close() };
}

function holderOf(db: DatabaseSync): number | undefined {
  try {
    const pid = db.prepare('SELECT pid FROM holder').get()?.['pid'];
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    // The holder is just writing it: the message does without.
    return undefined;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;
}
