import { startPostgres } from '../postgres.ts';
import { type CroftProcess, type ProcessOptions, startProcess } from '../process.ts';

/** The stores that the whole end-to-end suite runs on. */
export const STORES = ['sqlite', 'postgres'] as const;
export type StoreName = (typeof STORES)[number];

/** A Croft on that store; undefined (with the reason printed) where PostgreSQL is not to be had. */
export async function startOn(store: StoreName, options: ProcessOptions = {}): Promise<CroftProcess | undefined> {
  if (store === 'sqlite') return startProcess(options);
  const server = await startPostgres();
  if (!server) return undefined;
  return withDatabase(await startProcess({ ...options, args: ['--store', server.url, ...(options.args ?? [])] }), server);
}

/** The database lives as long as the last of the processes that use it. */
function withDatabase(croft: CroftProcess, server: { stop(): Promise<void> }): CroftProcess {
  return {
    ...croft,
    restart: async () => withDatabase(await croft.restart(), server),
    async dispose() {
      await croft.dispose();
      await server.stop();
    },
  };
}
