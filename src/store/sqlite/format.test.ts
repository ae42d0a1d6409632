import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoreBackup } from '../backup.ts';
import { openStore } from '../open.ts';
import { CURRENT_FORMAT, FORMAT_VERSION, type Format, MIGRATIONS, prepareDirectory } from './format.ts';
import { numberOf } from './schema.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'croft-format-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = () => openStore({ store: 'sqlite', dataDir: dir });
/** The format after this one, as a later release would have it: every value becomes upper case. */
const next: Format = {
  version: FORMAT_VERSION + 1,
  migrations: [...MIGRATIONS, { from: FORMAT_VERSION, run: (db) => db.exec('UPDATE kv SET value = CAST(upper(CAST(value AS TEXT)) AS BLOB)') }],
};

describe('format of the data directory', () => {
  it('is stated in FORMAT', async () => {
    await (await open()).close();
    expect(readFileSync(join(dir, 'FORMAT'), 'utf8')).toBe(`croft-data ${FORMAT_VERSION}\n`);
  });

  it('is migrated step by step, and then refused by the older Croft', async () => {
    const store = await open();
    await store.transact({}, (tx) => tx.put('k', Buffer.from('value')));
    await store.close();
    prepareDirectory(dir, next);
    prepareDirectory(dir, next);
    const db = new DatabaseSync(join(dir, 'croft.db'));
    expect(Buffer.from(db.prepare('SELECT value FROM kv').get()?.['value'] as Uint8Array).toString()).toBe('VALUE');
    expect(numberOf(db, 'PRAGMA user_version')).toBe(next.version);
    db.close();
    expect(readFileSync(join(dir, 'FORMAT'), 'utf8')).toBe(`croft-data ${next.version}\n`);
    await expect(open()).rejects.toThrow(
      `The data in ${dir} has format ${next.version}; this Croft reads up to ${FORMAT_VERSION}. Start the newer Croft that wrote it.`,
    );
  });

  it('changes as a whole or not at all', async () => {
    await (await open()).close();
    const broken: Format = {
      version: next.version,
      migrations: [
        {
          from: FORMAT_VERSION,
          run(db) {
            db.exec('DROP TABLE kv');
            throw new Error('no luck');
          },
        },
      ],
    };
    expect(() => prepareDirectory(dir, broken)).toThrow('no luck');
    await (await open()).close();
  });

  it('refuses data that it has no way from', async () => {
    await (await open()).close();
    expect(() => prepareDirectory(dir, { ...CURRENT_FORMAT, version: FORMAT_VERSION + 1, migrations: [] })).toThrow('can no longer read');
  });

  it("refuses what is not Croft's, and leaves it as it is", async () => {
    const db = new DatabaseSync(join(dir, 'croft.db'));
    db.exec('CREATE TABLE mine (x)');
    db.close();
    await expect(open()).rejects.toThrow('is not a Croft database');
    rmSync(join(dir, 'croft.db'));
    writeFileSync(join(dir, 'FORMAT'), 'something else');
    await expect(open()).rejects.toThrow("is not Croft's");
    expect(readFileSync(join(dir, 'FORMAT'), 'utf8')).toBe('something else');
  });
});

describe('restore', () => {
  it('refuses a running, a filled, a missing and a damaged one, each in a sentence', async () => {
    const store = await open();
    await store.transact({}, (tx) => tx.put('k', Buffer.alloc(100_000, 7)));
    const backup = join(dir, 'backup');
    await store.backup(backup);
    await expect(restoreBackup(backup, dir)).rejects.toThrow(`in use by process ${process.pid}`);
    await store.close();
    await expect(restoreBackup(backup, dir)).rejects.toThrow('is not empty');
    await expect(restoreBackup(join(dir, 'absent'), join(dir, 'new'))).rejects.toThrow('There is no backup at');
    const damaged = readFileSync(backup);
    writeFileSync(join(dir, 'damaged'), damaged.fill(0xee, 8192, 16_384));
    await expect(restoreBackup(join(dir, 'damaged'), join(dir, 'new'))).rejects.toThrow(/damaged|not a Croft backup/);
    writeFileSync(join(dir, 'text'), 'no database');
    await expect(restoreBackup(join(dir, 'text'), join(dir, 'new'))).rejects.toThrow('is not a Croft backup');
    mkdirSync(join(dir, 'empty'));
    await restoreBackup(backup, join(dir, 'empty'));
    const restored = await openStore({ store: 'sqlite', dataDir: join(dir, 'empty') });
    expect((await restored.get('k'))?.byteLength).toBe(100_000);
    await restored.close();
  });
});
