import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { copyFile, mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreOpenError } from './errors.ts';
import { prepareDirectory } from './sqlite/format.ts';
import { LOCK_FILE, lockDirectory } from './sqlite/lock.ts';
import { APPLICATION_ID, DATABASE_FILE, numberOf } from './sqlite/schema.ts';

/**
 * Makes a data directory from a backup that `Store.backup` wrote (of any driver).
 *
 * @throws StoreOpenError where `from` is no backup, is damaged or of a newer format, where a process runs on `dataDir`, or where
 * `dataDir` holds anything already: a restore never replaces data.
 */
export async function restoreBackup(from: string, dataDir: string): Promise<void> {
  checkBackup(from);
  await mkdir(dataDir, { recursive: true });
  const lock = lockDirectory(dataDir);
  try {
    const held = readdirSync(dataDir).filter((name) => name !== LOCK_FILE && !name.startsWith(`${LOCK_FILE}-`));
    if (held.length > 0) throw new StoreOpenError(`${dataDir} is not empty (it holds ${held[0]}): restore into a new directory.`);
    const unfinished = join(dataDir, `${DATABASE_FILE}.unfinished`);
    try {
      await copyFile(from, unfinished);
      const file = await open(unfinished, 'r+');
      await file.sync();
      await file.close();
      renameSync(unfinished, join(dataDir, DATABASE_FILE));
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
    prepareDirectory(dataDir);
  } finally {
    lock.release();
  }
}

/** Throws StoreOpenError where `path` is not a whole backup. Its format is checked when it is opened. */
function checkBackup(path: string): void {
  if (!existsSync(path)) throw new StoreOpenError(`There is no backup at ${resolve(path)}.`);
  let application: number;
  let verdict: unknown;
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      application = numberOf(db, 'PRAGMA application_id');
      verdict = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    } finally {
      db.close();
    }
  } catch (error) {
    throw new StoreOpenError(`${path} is not a Croft backup: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  if (application !== APPLICATION_ID) throw new StoreOpenError(`${path} is not a Croft backup.`);
  if (verdict !== 'ok') throw new StoreOpenError(`The backup ${path} is damaged: ${String(verdict)}`);
}
