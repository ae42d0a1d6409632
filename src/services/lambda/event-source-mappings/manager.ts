import { connect } from 'node:net';
import type { Platform } from '../../service.ts';
import type { LambdaRoom } from '../functions.ts';
import { type Poller, pause } from './engine.ts';
import { LISTENING_LOOK_MS, LISTENING_MS_MAX, REPLACE_MS_MAX, STOP_MS_MAX } from './limits.ts';
import { allMappings, getMapping, type MappingRow } from './rows.ts';
import { createSqsPoller } from './sqs-poller.ts';
import { createStreamPoller } from './stream-poller.ts';

/** The mappings that are at work in this process. */
export interface Mappings {
  /** Starts what was enabled when the process ended, once the port is open: its functions may call this very process. */
  start(platform: Platform, room: LambdaRoom): Promise<void>;
  /** Starts, replaces or stops a mapping's poller, as its row says now. */
  sync(row: MappingRow): Promise<void>;
  stop(): Promise<void>;
}

export function createMappings(): Mappings {
  const pollers = new Map<string, { readonly revision: string; readonly poller: Poller }>();
  const turns = new Map<string, Promise<void>>();
  let make: ((row: MappingRow) => Poller) | undefined;
  let stopped = false;
  const stopping = new AbortController();

  const works = (row: MappingRow) => row.state === 'Enabled' || row.state === 'Updating';

  const end = async (uuid: string, waitMs: number): Promise<void> => {
    const held = pollers.get(uuid);
    pollers.delete(uuid);
    await held?.poller.stop(waitMs);
  };

  async function anyWorks(platform: Platform): Promise<boolean> {
    for await (const row of allMappings(platform.store)) if (works(row)) return true;
    return false;
  }

  async function resume(platform: Platform): Promise<void> {
    await untilListening(platform, stopping.signal);
    for await (const { uuid, account, region } of allMappings(platform.store)) {
      // What it is now: it may have been changed since.
      if (!stopped) await inTurn(uuid, async () => apply(await getMapping(platform.store, { account, region }, uuid)));
    }
  }

  /** One after the other for each mapping: a poller is never made twice. */
  function inTurn(uuid: string, work: () => Promise<void>): Promise<void> {
    const before = turns.get(uuid) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    turns.set(uuid, settled);
    void settled.then(() => {
      if (turns.get(uuid) === settled) turns.delete(uuid);
    });
    return turn;
  }

  async function apply(row: MappingRow | undefined): Promise<void> {
    if (!row) return;
    const held = pollers.get(row.uuid);
    if (held && works(row) && held.revision === row.revision) return;
    // A stream's order would break if the next batch began beside one that is under way; queues keep theirs themselves.
    await end(row.uuid, row.kind === 'dynamodb' && row.state !== 'Deleting' ? REPLACE_MS_MAX : STOP_MS_MAX);
    if (make && !stopped && works(row)) pollers.set(row.uuid, { revision: row.revision, poller: make(row) });
  }

  return {
    async start(platform, room) {
      const engine = { platform, room };
      make = (row) => (row.kind === 'sqs' ? createSqsPoller(engine, row) : createStreamPoller(engine, row));
      if (!(await anyWorks(platform))) return;
      // Not awaited: the port opens when all rooms have started.
      void resume(platform).catch((error: unknown) => platform.log.error({ err: error }, 'event source mappings could not be resumed'));
    },
    sync: (row) => inTurn(row.uuid, () => apply(row)),
    async stop() {
      stopped = true;
      stopping.abort();
      await Promise.all([...pollers.keys()].map((uuid) => end(uuid, STOP_MS_MAX)));
    },
  };
}

/** Resolves when this process takes connections, or after a while in any case. */
async function untilListening({ address, clock }: Platform, signal: AbortSignal): Promise<void> {
  const untilMs = clock.mono() + LISTENING_MS_MAX;
  while (!signal.aborted && clock.mono() < untilMs) {
    const { port } = address();
    if (port > 0 && (await accepts(port))) return;
    await pause(LISTENING_LOOK_MS, signal);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
