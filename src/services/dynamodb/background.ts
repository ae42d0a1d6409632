import { assert } from '../../kit/errors.ts';
import type { Key } from '../../kit/key.ts';
import type { KeyRange, Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { turn } from './breath.ts';
import type { TableRecord, TableStream } from './domain/table.ts';
import { backfillExpiry, EXPIRE_TARGET, type ExpirePayload, expireStep } from './expiry.ts';
import { BACKFILL_ROWS_PER_STEP, PURGE_ROWS_PER_STEP, STREAM_RETENTION_MS, TRIM_EVERY_MS } from './limits.ts';
import { backfillRows, purgeRows, type Tables } from './store.ts';
import { disableStream, TRIM_TARGET, type TrimPayload, trimStep } from './streams/store.ts';

/** Work that goes on after the answer, delivered by the bus in bounded steps and resumed after a crash. */
const PURGE = 'dynamodb:purge';
const BACKFILL = 'dynamodb:backfill';

interface BackfillPayload {
  readonly account: string;
  readonly region: string;
  readonly tableName: string;
  readonly tableId: string;
  /** An index's, or the expiry index's. */
  readonly indexNumber: number;
  readonly after?: Key;
}

/** Removes the rows of a key range, which nothing reads any more, after this commit or at `dueMs`. */
export function enqueuePurge(ctx: Ctx, tx: Tx, range: KeyRange, dueMs?: number): void {
  const due = dueMs === undefined ? {} : { dueMs };
  ctx.platform.bus.enqueue(tx, { target: PURGE, account: ctx.account, region: ctx.region, payload: range, ...due, trace: ctx.trace });
}

/** Ends a table's stream in the commit that disables it or deletes its table; a day later nothing of it is left. */
export function endStream(ctx: Ctx, tx: Tx, record: TableRecord, stream: TableStream): void {
  const nowMs = ctx.platform.clock.virtual();
  for (const range of disableStream(tx, record, stream, nowMs)) enqueuePurge(ctx, tx, range, nowMs + STREAM_RETENTION_MS);
}

/** Fills a new index with the items that were there before it, then makes it ACTIVE; or the expiry index. */
export function enqueueBackfill(ctx: Ctx, tx: Tx, tableName: string, tableId: string, indexNumber: number): void {
  const payload: BackfillPayload = { account: ctx.account, region: ctx.region, tableName, tableId, indexNumber };
  ctx.platform.bus.enqueue(tx, { target: BACKFILL, account: ctx.account, region: ctx.region, payload, orderKey: `${BACKFILL}:${tableId}`, trace: ctx.trace });
}

export function registerBackground(platform: Platform, tables: Tables): void {
  registerTrim(platform);
  registerExpiry(platform, tables);
  platform.bus.register(PURGE, { concurrency: 2 }, async ({ payload, signal }) => {
    const range = payload as KeyRange;
    while (await purgeRows(tables.store, range, PURGE_ROWS_PER_STEP)) {
      if (signal.aborted) return { retry: { atMs: platform.clock.virtual() } };
    }
    return { done: true };
  });
  platform.bus.register(BACKFILL, { concurrency: 2 }, async ({ payload, signal }) => {
    const work = payload as BackfillPayload;
    let after = work.after;
    for (;;) {
      const table = await tables.reload(work.account, work.region, work.tableName);
      // The table or the index was deleted meanwhile: there is nothing left to fill.
      if (table?.record.id !== work.tableId) return { done: true };
      const index = table.indexes.find((candidate) => candidate.record.number === work.indexNumber);
      if (index) after = await backfillRows(tables, table, index, after, BACKFILL_ROWS_PER_STEP);
      else if (table.expiry?.number === work.indexNumber) after = await backfillExpiry(tables, table, table.expiry, after, BACKFILL_ROWS_PER_STEP);
      else return { done: true };
      if (after === undefined) break;
      if (signal.aborted) return { retry: { atMs: platform.clock.virtual(), payload: { ...work, after } } };
    }
    await activateIndex(tables, work);
    return { done: true };
  });
}

async function activateIndex(tables: Tables, work: BackfillPayload): Promise<void> {
  await tables.change(work.account, work.region, work.tableName, (record) => {
    if (record?.id !== work.tableId) return { next: record, result: undefined };
    const indexes = record.indexes.map((index) => (index.number === work.indexNumber ? { ...index, status: 'ACTIVE' as const } : index));
    assert(indexes.length === record.indexes.length, 'an index is made active, not added');
    return { next: { ...record, indexes }, result: undefined };
  });
}

/** Removes records a day after they were written, in bounded commits; several that come of age soon after each other go together. */
function registerTrim({ bus, clock, store }: Platform): void {
  bus.register(TRIM_TARGET, { concurrency: 2 }, async ({ payload, signal }) => {
    const { id } = payload as TrimPayload;
    for (;;) {
      const nowMs = clock.virtual();
      const { more, nextMs } = await trimStep(store, id, nowMs - STREAM_RETENTION_MS);
      if (nextMs !== undefined) return { retry: { atMs: Math.max(nextMs + STREAM_RETENTION_MS, nowMs) + TRIM_EVERY_MS } };
      if (!more) return { done: true };
      if (signal.aborted) return { retry: { atMs: nowMs } };
    }
  });
}

/** Removes items whose time to live is over, at the minute after. */
function registerExpiry({ bus, clock }: Platform, tables: Tables): void {
  bus.register(EXPIRE_TARGET, { concurrency: 2 }, async ({ payload, signal }) => {
    while (await expireStep(tables, payload as ExpirePayload)) {
      if (signal.aborted) return { retry: { atMs: clock.virtual() } };
      await turn();
    }
    return { done: true };
  });
}
