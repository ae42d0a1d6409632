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
  const croft = await startProcess({ ...options, args: ['--store', server.url, ...(options.args ?? [])] });
  return {
    ...croft,
    async dispose() {
      await croft.dispose();
      await server.stop();
    },
  };
}
