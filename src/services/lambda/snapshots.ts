import type { Attempt, Bus, Outcome } from '../../bus/bus.ts';
import type { Compute } from '../../compute/compute.ts';
import { CapacityError, RuntimeMissingError } from '../../compute/failures.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { settled } from './domain/configuration.ts';
import { throttled } from './errors.ts';
import { functionKey, type Settled } from './functions.ts';
import { RETRY_AFTER_SECONDS, SNAPSHOT_CONCURRENCY, SNAPSHOTS_MAX } from './limits.ts';
import type { FunctionRunner } from './runner.ts';
import { getFunctionRow, getVersionRow, keys, read, type VersionRow, write } from './store.ts';

/** A version with SnapStart is initialised before it is Active. */
const SNAPSHOT = 'lambda:snapshot';

interface SnapshotPayload {
  readonly name: string;
  readonly version: string;
}

/**
 * Initialises published versions of functions with SnapStart. Croft takes no snapshot: it finds out whether the init works, and
 * leaves the environment warm.
 */
export interface Snapshots {
  /** Throws TooManyRequestsException where too many versions are being initialised already. */
  check(): void;
  register(platform: Platform, settled: Settled): void;
}

export function enqueueSnapshot(bus: Bus, cause: Pick<Ctx, 'account' | 'region' | 'trace'>, tx: Tx, payload: SnapshotPayload): void {
  const { account, region, trace } = cause;
  bus.enqueue(tx, { target: SNAPSHOT, account, region, trace, payload });
}

export function createSnapshots(compute: Compute, specOf: FunctionRunner['specOf']): Snapshots {
  let underWay = 0;

  /** False where the function's own init failed; a machine without room, or without the runtime, says nothing of it. */
  const initialises = async (platform: Platform, attempt: Attempt, { name, version }: SnapshotPayload): Promise<boolean> => {
    const [fn, row] = await Promise.all([getFunctionRow(platform.store, attempt, name), getVersionRow(platform.store, attempt, name, version)]);
    if (!fn || !row) return true;
    try {
      return await compute.warm(specOf(platform, attempt, fn, row));
    } catch (error) {
      if (error instanceof CapacityError || error instanceof RuntimeMissingError) return true;
      throw error;
    }
  };

  const initialise = async (platform: Platform, news: Settled, attempt: Attempt): Promise<Outcome> => {
    const payload = attempt.payload as SnapshotPayload;
    underWay++;
    try {
      const ready = await initialises(platform, attempt, payload);
      const key = keys.version(attempt, payload.name, payload.version);
      const revisionId = platform.ids.uuid();
      await platform.store.transact({ keys: [key] }, (tx) => {
        const row = read<VersionRow>(tx, key);
        if (row?.state === 'Pending') write(tx, key, ready ? settled(row, revisionId) : failed(row, revisionId));
      });
      news.tell(functionKey(attempt, payload.name));
      return { done: true };
    } finally {
      underWay--;
    }
  };

  return {
    check() {
      if (underWay >= SNAPSHOTS_MAX) throw throttled('ConcurrentSnapshotCreateLimitExceeded', RETRY_AFTER_SECONDS);
    },
    register: (platform, news) => platform.bus.register(SNAPSHOT, { concurrency: SNAPSHOT_CONCURRENCY }, (attempt) => initialise(platform, news, attempt)),
  };
}

function failed(row: VersionRow, revisionId: string): VersionRow {
  return {
    ...row,
    revisionId,
    state: 'Failed',
    stateReason: 'The function could not be initialised: see its log.',
    stateReasonCode: 'FunctionError',
    lastUpdateStatus: 'Failed',
  };
}
