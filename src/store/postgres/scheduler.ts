import type { Ids } from '../../kit/ids.ts';
import { StoreError, storeBusy, storeClosed } from '../errors.ts';
import { BATCH_TRANSACTIONS_MAX, WAITING_TRANSACTIONS_MAX } from '../limits.ts';
import type { RunResult } from '../run.ts';
import type { Declaration, Tx } from '../store.ts';
import { type Job, runBatch } from './batch.ts';
import type { Connections } from './connections.ts';
import { BATCH_ATTEMPTS_MAX, BATCH_LOCKS_MAX, BATCH_SCAN_MAX, WRITERS_MAX } from './limits.ts';
import { addLocks, type LockSet, locksOf } from './locks.ts';
import { wasCommitted } from './sql.ts';

interface Waiting extends Job {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SchedulerOptions {
  readonly connections: Connections;
  readonly ids: Pick<Ids, 'uuid'>;
  readonly realMs: () => number;
  readonly committedKeys: (keys: Iterable<string>) => void;
}

/**
 * Gathers this process's transactions into batches, a few in flight at once. A transaction that shares a lock with a batch in
 * flight waits for it here, together with all others that do, and not on a connection: so many clients of one counter share one commit.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #queue: Waiting[] = [];
  /** Locks of the batches in flight. */
  readonly #inFlight = new Set<LockSet>();
  #scheduled = false;
  #closed = false;
  #idleWaiters: (() => void)[] = [];
  readonly stats = { batches: 0, batchesFailed: 0, batchesAgain: 0, commits: 0 };

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get waitingTransactions(): number {
    return this.#queue.length;
  }

  get batchesInFlight(): number {
    return this.#inFlight.size;
  }

  transact<T>(declaration: Declaration, fn: (tx: Tx) => T): Promise<T> {
    if (this.#closed) throw storeClosed();
    if (this.#queue.length >= WAITING_TRANSACTIONS_MAX) throw storeBusy();
    const { keys = [], reads = [], commitId, note } = declaration;
    const job = { fn, commitId, note, keys: [...keys, ...reads], locks: locksOf(declaration) };
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...job, resolve: resolve as (result: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Refuses what comes, and resolves once nothing is waiting or in flight. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#queue.length > 0 || this.#inFlight.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idleWaiters.push(resolve);
      });
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // At the end of this turn of the event loop: whatever else arrived in it shares the batch.
    setImmediate(() => {
      this.#scheduled = false;
      this.#startBatches();
    });
  }

  #startBatches(): void {
    while (this.#inFlight.size < WRITERS_MAX) {
      const jobs = this.#nextBatch();
      if (jobs.length === 0) break;
      const locks: LockSet = new Map();
      for (const job of jobs) addLocks(locks, job.locks);
      this.#inFlight.add(locks);
      void this.#run(jobs, locks);
    }
    if (this.#queue.length === 0 && this.#inFlight.size === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Takes, in their order, the waiting transactions that conflict neither with a batch in flight nor with one that must wait. */
  #nextBatch(): Waiting[] {
    const blocked: LockSet = new Map();
    for (const locks of this.#inFlight) addLocks(blocked, locks);
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    let locks = 0;
    let seen = 0;
    for (const job of this.#queue) {
      const full = seen++ >= BATCH_SCAN_MAX || batch.length >= BATCH_TRANSACTIONS_MAX || (batch.length > 0 && locks + job.locks.size > BATCH_LOCKS_MAX);
      if (full) {
        left.push(job);
      } else if (conflict(blocked, job.locks)) {
        // Those behind it must not overtake it on what it waits for.
        addLocks(blocked, job.locks);
        left.push(job);
      } else {
        batch.push(job);
        locks += job.locks.size;
      }
    }
    this.#queue = left;
    return batch;
  }

  /** Never rejects: every job is answered. */
  async #run(jobs: readonly Waiting[], locks: LockSet): Promise<void> {
    try {
      const { results, keys } = await this.#commit(jobs, locks);
      this.stats.batches++;
      this.stats.commits += jobs.length;
      for (const [n, job] of jobs.entries()) {
        const result = results[n];
        if (result?.ok) job.resolve(result.result);
        else job.reject(result?.error);
      }
      this.#options.committedKeys(keys);
    } catch (error) {
      this.stats.batchesFailed++;
      const reason =
        error instanceof StoreError
          ? error
          : new StoreError(`Writing to PostgreSQL failed, and nothing of this request was written: ${messageOf(error)}`, error);
      for (const job of jobs) job.reject(reason);
    } finally {
      this.#inFlight.delete(locks);
      this.#startBatches();
    }
  }

  /** Runs and commits a batch, beginning again where other processes or a lost connection were in the way. */
  async #commit(jobs: readonly Job[], inFlight: LockSet): Promise<{ results: readonly RunResult<unknown>[]; keys: readonly string[] }> {
    const { connections, realMs } = this.#options;
    const batchId = `batch ${this.#options.ids.uuid()}`;
    for (let attempt = 1; ; attempt++) {
      let committing: { results: readonly RunResult<unknown>[]; keys: string[] } | undefined;
      try {
        const done = await connections.withWriter(async (client) => {
          const step = await runBatch(client, jobs, inFlight, batchId, realMs());
          if (step.kind === 'again') {
            await client.query('ROLLBACK');
            addLocks(inFlight, step.locks);
            return undefined;
          }
          const outcome = { results: step.results, keys: step.writes.values.map(([key]) => key) };
          if (step.writesAnything) committing = outcome;
          await client.query('COMMIT');
          return outcome;
        });
        if (done) return done;
      } catch (error) {
        if (!connections.mayRetry(error) || attempt >= BATCH_ATTEMPTS_MAX) throw error;
        // The connection went away during COMMIT: only the server knows. Where it was committed, running again would apply it twice.
        if (committing && (await connections.withWriter((client) => wasCommitted(client, batchId)))) return committing;
      }
      this.stats.batchesAgain++;
      if (attempt >= BATCH_ATTEMPTS_MAX) throw new StoreError(`This was begun ${attempt} times, and other processes were in the way each time. Try again.`);
    }
  }
}

function conflict(held: LockSet, wanted: LockSet): boolean {
  for (const [id, exclusive] of wanted) {
    const has = held.get(id);
    if (has !== undefined && (exclusive || has)) return true;
  }
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
