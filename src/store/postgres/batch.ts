import type pg from 'pg';
import { noteRows } from '../notes.ts';
import { compareKeys, type RunResult, runOn } from '../run.ts';
import type { Tx } from '../store.ts';
import { Known } from './known.ts';
import { addLocks, type LockSet, lockForSequence, lockForWrite, locksMissing } from './locks.ts';
import { lockAll, selectRows, selectSequences, selectValues, tryLockAll, writeOutcomes, writeSequences, writeValues } from './sql.ts';

/** One transaction that waits for its commit. */
export interface Job {
  readonly fn: (tx: Tx) => unknown;
  readonly commitId: string | undefined;
  readonly note: (() => string) | undefined;
  /** Declared keys and reads: fetched before the first run. */
  readonly keys: readonly string[];
  readonly locks: LockSet;
}

export type Step =
  /** All ran, and what they wrote is in the open database transaction. */
  | { readonly kind: 'ready'; readonly results: readonly RunResult<unknown>[]; readonly writes: Known['writes']; readonly writesAnything: boolean }
  /** A lock that was found to be needed is held elsewhere: begin again with these locks. */
  | { readonly kind: 'again'; readonly locks: LockSet };

/**
 * Runs jobs one after another inside one database transaction, on the state that `locks` protect, up to but without the COMMIT.
 *
 * A function that reads what was not declared is stopped, the thing is locked and fetched, and the batch runs again. A further lock is
 * only tried, never waited for (waiting out of order could be in a circle): where it is not free, the caller begins again with all of them.
 */
export async function runBatch(client: pg.ClientBase, jobs: readonly Job[], locks: LockSet, batchId: string, nowMs: number): Promise<Step> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  await lockAll(client, locks);
  const held: LockSet = new Map(locks);
  const known = new Known();
  const declared = [...new Set(jobs.flatMap((job) => job.keys))];
  if (declared.length > 0) known.addPoints(declared, await selectValues(client, declared));
  for (;;) {
    const results = runAll(jobs, known);
    const { writes } = known;
    const needed: LockSet = new Map(known.locks);
    for (const [key] of writes.values) lockForWrite(needed, key);
    for (const shard of writes.sequences.keys()) lockForSequence(needed, shard);
    const extra = locksMissing(held, needed);
    if (extra.size > 0) {
      addLocks(held, extra);
      if (!(await tryLockAll(client, extra))) return { kind: 'again', locks: held };
    }
    // With nothing missing the run stands: locks taken just now only cover keys that were written unread.
    if (known.complete) {
      const writesAnything = await flush(client, jobs, results, writes, batchId, nowMs);
      return { kind: 'ready', results, writes, writesAnything };
    }
    await fetchMissing(client, known);
  }
}

function runAll(jobs: readonly Job[], known: Known): RunResult<unknown>[] {
  known.beginRound();
  return jobs.map((job) => {
    const missing = known.missing;
    const run = runOn(known, job.fn, job.note);
    // A run that was cut short may have caught the reason and returned something: only the count tells.
    if (run.ok && known.missing === missing) known.write(run.writes);
    return run;
  });
}

async function fetchMissing(client: pg.ClientBase, known: Known): Promise<void> {
  const keys = [...known.missingKeys];
  const shards = [...known.missingShards];
  if (keys.length > 0) known.addPoints(keys, await selectValues(client, keys));
  if (shards.length > 0) known.addSequences(shards, await selectSequences(client, shards));
  for (const range of known.missingRanges) {
    const { rows, complete } = await selectRows(client, range);
    const last = rows.at(-1)?.[0] ?? '';
    if (complete) known.addRows(rows, range);
    else known.addRows(rows, range.reverse ? { from: last, to: range.to } : { from: range.from, to: `${last}\x00` });
  }
}

/** Sends what was written. False where there was nothing. */
async function flush(
  client: pg.ClientBase,
  jobs: readonly Job[],
  results: readonly RunResult<unknown>[],
  { values, sequences }: Known['writes'],
  batchId: string,
  nowMs: number,
): Promise<boolean> {
  const commitIds = jobs.flatMap((job, n) => (results[n]?.ok && job.commitId !== undefined ? [job.commitId] : []));
  const notes = results.flatMap((run) => (run.ok && run.writes.note !== undefined ? [run.writes.note] : []));
  if (values.length === 0 && sequences.size === 0 && commitIds.length === 0) return false;
  // One order for all: rows that two batches write at once cannot be waited for in a circle.
  await writeValues(
    client,
    [...values, ...noteRows(notes, nowMs, batchId)].sort(([a], [b]) => compareKeys(a, b)),
  );
  await writeSequences(client, sequences);
  await writeOutcomes(client, [batchId, ...commitIds].sort(), nowMs);
  return true;
}
