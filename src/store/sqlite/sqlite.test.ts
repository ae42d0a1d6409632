import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describeStore } from '../conformance.ts';
import { openStore } from '../open.ts';
import { DATABASE_FILE } from './schema.ts';

describeStore('sqlite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'croft-sqlite-'));
  return {
    open: (options = {}) => openStore({ store: 'sqlite', dataDir, ...options }),
    durable: true,
    async sabotage(key) {
      const statement = (sql: string) => {
        const db = new DatabaseSync(join(dataDir, DATABASE_FILE), { timeout: 5000 });
        db.exec(sql);
        db.close();
      };
      statement(
        `CREATE TRIGGER sabotage BEFORE INSERT ON kv WHEN NEW.key = X'${Buffer.from(key, 'latin1').toString('hex')}' BEGIN SELECT RAISE(ABORT, 'sabotage'); END`,
      );
      return async () => statement('DROP TRIGGER sabotage');
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
});
