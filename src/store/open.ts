import type { Clock } from '../kit/clock.ts';
import { systemClock } from '../kit/clock.ts';
import { createIds, type Ids } from '../kit/ids.ts';
import { StoreOpenError } from './errors.ts';
import { createMemoryStore } from './memory/memory.ts';
import { openPostgresStore } from './postgres/postgres.ts';
import { openSqliteStore } from './sqlite/sqlite.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** `memory`, `sqlite` (needs `dataDir`) or a `postgres://user:password@host:port/database` URL. */
  readonly store: 'memory' | 'sqlite' | (string & {});
  /** SQLite's folder; made where it does not exist. */
  readonly dataDir?: string;
  readonly clock?: Pick<Clock, 'real' | 'mono'>;
  readonly ids?: Pick<Ids, 'uuid'>;
}

/**
 * Opens the store that `options` name.
 *
 * @throws StoreOpenError with a sentence for the person who started Croft: locked by another process, a newer format,
 * a database that would lose acknowledged commits.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const clock = options.clock ?? systemClock();
  if (options.store === 'memory') return createMemoryStore(clock);
  if (options.store === 'sqlite') {
    if (options.dataDir === undefined) throw new StoreOpenError('The SQLite store needs a data directory.');
    return openSqliteStore({ dataDir: options.dataDir, clock });
  }
  if (/^postgres(ql)?:\/\//.test(options.store)) return openPostgresStore({ url: options.store, clock, ids: options.ids ?? createIds() });
  throw new StoreOpenError(`There is no store "${options.store}": name memory, sqlite or a postgres:// URL.`);
}
