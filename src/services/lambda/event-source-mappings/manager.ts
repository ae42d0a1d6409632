import type { Platform } from '../../service.ts';
import type { LambdaRoom } from '../functions.ts';
import type { Poller } from './engine.ts';
import { REPLACE_MS_MAX, STOP_MS_MAX } from './limits.ts';
import { allMappings, type MappingRow } from './rows.ts';
import { createSqsPoller } from './sqs-poller.ts';
import { createStreamPoller } from './stream-poller.ts';

/** The mappings that are at work in this process. */
export interface Mappings {
  /** Starts what was enabled when the process ended. */
  start(platform: Platform, room: LambdaRoom): Promise<void>;
  /** Starts, replaces or stops a mapping's poller, as its row says now. */
  sync(row: MappingRow): Promise<void>;
  stop(): Promise<void>;
}

export function createMappings(): Mappings {
  const pollers = new Map<string, { readonly revision: string; readonly poller: Poller }>();
  let make: ((row: MappingRow) => Poller) | undefined;
  let stopped = false;

  const works = (row: MappingRow) => row.state === 'Enabled' || row.state === 'Updating';

  const end = async (uuid: string, waitMs: number): Promise<void> => {
    const held = pollers.get(uuid);
    pollers.delete(uuid);
    await held?.poller.stop(waitMs);
  };

  const mappings: Mappings = {
    async start(platform, room) {
      const engine = { platform, room };
      make = (row) => (row.kind === 'sqs' ? createSqsPoller(engine, row) : createStreamPoller(engine, row));
      for await (const row of allMappings(platform.store)) await mappings.sync(row);
    },
    async sync(row) {
      const held = pollers.get(row.uuid);
      if (held && works(row) && held.revision === row.revision) return;
      // A stream's order would break if the next batch began beside one that is under way; queues keep theirs themselves.
      await end(row.uuid, row.kind === 'dynamodb' && row.state !== 'Deleting' ? REPLACE_MS_MAX : STOP_MS_MAX);
      if (make && !stopped && works(row)) pollers.set(row.uuid, { revision: row.revision, poller: make(row) });
    },
    async stop() {
      stopped = true;
      await Promise.all([...pollers.keys()].map((uuid) => end(uuid, STOP_MS_MAX)));
    },
  };
  return mappings;
}
