import type { Attempt, Outcome } from '../../bus/bus.ts';
import { decodeJson } from '../../kit/json.ts';
import type { Key } from '../../kit/key.ts';
import { uint64 } from '../../kit/key.ts';
import type { KeyRange, Store } from '../../store/store.ts';
import type { Platform } from '../service.ts';
import type { Scope } from './domain/names.ts';
import { CHUNK_SPAN_MS, EVENT_OVERHEAD_BYTES, PURGE_CHUNKS_PER_COMMIT, PURGE_COMMITS_PER_DELIVERY, SWEEP_INTERVAL_MS } from './limits.ts';
import { decodeChunk, type GroupRow, keys, rangeOf } from './store.ts';

/** Removes what a deleted group or stream left, in bounded commits. */
export const PURGE_TARGET = 'logs:purge';
/** Removes what a group's retention policy has expired, and comes back. */
export const SWEEP_TARGET = 'logs:sweep';

export interface PurgePayload {
  readonly groupId: string;
  /** Absent: the whole group. */
  readonly streamId?: string;
}

export interface SweepPayload {
  readonly groupName: string;
  readonly groupId: string;
  readonly sweepToken: string;
}

/** Registers both deliveries with the bus. */
export function registerPurge(platform: Platform): void {
  platform.bus.register(PURGE_TARGET, { concurrency: 2 }, (attempt) => purge(platform, attempt));
  platform.bus.register(SWEEP_TARGET, { concurrency: 2 }, (attempt) => sweep(platform, attempt));
}

async function purge(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { store, clock } = platform;
  const { groupId, streamId } = attempt.payload as PurgePayload;
  for (let commits = 0; commits < PURGE_COMMITS_PER_DELIVERY; commits++) {
    const done = streamId === undefined ? await purgeGroupStep(store, attempt, groupId) : await purgeStreamStep(store, attempt, groupId, streamId);
    if (done) return { done: true };
  }
  return { retry: { atMs: clock.virtual() } };
}

/** Nothing can be added meanwhile: a writer reads the group's row, which is gone. */
async function purgeGroupStep(store: Store, scope: Scope, groupId: string): Promise<boolean> {
  for (const prefix of [keys.chunks, keys.allPointers, keys.streams, keys.streamNames]) {
    const page = await store.range({ ...rangeOf(prefix(scope, groupId)), limit: PURGE_CHUNKS_PER_COMMIT });
    if (page.entries.length === 0) continue;
    await deleteKeys(
      store,
      page.entries.map(([key]) => key),
    );
    return false;
  }
  await deleteKeys(store, [keys.bytes(scope, groupId)]);
  return true;
}

async function purgeStreamStep(store: Store, scope: Scope, groupId: string, streamId: string): Promise<boolean> {
  const pointers = await store.range({ ...rangeOf(keys.pointers(scope, groupId, streamId)), limit: PURGE_CHUNKS_PER_COMMIT });
  if (pointers.entries.length === 0) return true;
  const parent = keys.chunks(scope, groupId);
  await removeChunks(
    store,
    scope,
    groupId,
    pointers.entries.map(([key]) => parent + key.slice(-16)),
  );
  return !pointers.more;
}

/** Stops where the group is gone or has another policy; else removes a share and returns when the next events expire. */
async function sweep(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { store, clock } = platform;
  const { groupName, groupId, sweepToken } = attempt.payload as SweepPayload;
  const value = await store.get(keys.group(attempt, groupName));
  const group = value ? decodeJson<GroupRow>(value) : undefined;
  if (group?.id !== groupId || group.sweepToken !== sweepToken || group.retentionInDays === undefined) return { done: true };
  const retentionMs = group.retentionInDays * 86_400_000;
  const nowMs = clock.virtual();
  const parent = keys.chunks(attempt, groupId);
  const expired: KeyRange = { from: parent, to: parent + uint64(Math.max(0, nowMs - retentionMs - CHUNK_SPAN_MS)) };
  for (let commits = 0; commits < PURGE_COMMITS_PER_DELIVERY; commits++) {
    const page = await store.range({ ...expired, limit: PURGE_CHUNKS_PER_COMMIT });
    if (page.entries.length > 0)
      await removeChunks(
        store,
        attempt,
        groupId,
        page.entries.map(([key]) => key),
      );
    if (!page.more) {
      const next = await store.range({ ...rangeOf(parent), limit: 1 });
      const first = next.entries[0];
      const oldestMs = first ? decodeChunk(...first).firstMs : nowMs;
      return { retry: { atMs: Math.max(nowMs + SWEEP_INTERVAL_MS, oldestMs + retentionMs + 2 * CHUNK_SPAN_MS) } };
    }
  }
  return { retry: { atMs: nowMs } };
}

/** Removes chunks with their pointers and takes them off the group's stored bytes. */
async function removeChunks(store: Store, scope: Scope, groupId: string, chunkKeys: readonly Key[]): Promise<void> {
  await store.transact({ keys: chunkKeys }, (tx) => {
    let bytes = 0;
    for (const key of chunkKeys) {
      const value = tx.get(key);
      if (!value) continue;
      const chunk = decodeChunk(key, value);
      const streamId = chunk.events[0]?.streamId;
      bytes += chunk.bytes + chunk.events.length * EVENT_OVERHEAD_BYTES;
      tx.delete(key);
      if (streamId !== undefined) tx.delete(keys.pointers(scope, groupId, streamId) + key.slice(-16));
    }
    if (bytes > 0) tx.add(keys.bytes(scope, groupId), BigInt(-bytes));
  });
}

async function deleteKeys(store: Store, toDelete: readonly Key[]): Promise<void> {
  await store.transact({ keys: toDelete }, (tx) => {
    for (const key of toDelete) tx.delete(key);
  });
}
