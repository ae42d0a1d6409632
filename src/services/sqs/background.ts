import type { Attempt, Outcome } from '../../bus/bus.ts';
import { decodeJson, encodeJson } from '../../kit/json.ts';
import type { Key } from '../../kit/key.ts';
import type { Store } from '../../store/store.ts';
import type { Platform } from '../service.ts';
import { DELIVER_CONCURRENCY, DELIVER_TARGET, deliver } from './deliver.ts';
import { type Address, addressOfArn } from './domain/address.ts';
import { headsOf } from './heads.ts';
import { DELETED_QUEUE_MS, SWEEP_COMMITS_PER_DELIVERY, SWEEP_INTERVAL_MS, SWEEP_MESSAGES_PER_COMMIT } from './limits.ts';
import { isExpired, messageAt, type OpenQueue, opened, openQueue, removeMessage } from './messages.ts';
import { moveMessages } from './move.ts';
import { contentKeys, decodeMessage, findQueue, keys, type MoveTaskRow, rangeOf } from './store.ts';

/** Removes what a deleted or purged queue left, in bounded commits. */
export const PURGE_TARGET = 'sqs:purge';
/** Removes messages past their retention, and comes back. */
export const SWEEP_TARGET = 'sqs:sweep';
/** Carries on a message move task. */
export const MOVE_TARGET = 'sqs:move';

export interface PurgePayload {
  readonly queueId: string;
  readonly contents: string;
  /** The queue is gone too: its name is free again after a minute. */
  readonly deletedName?: string;
}

export interface SweepPayload {
  readonly name: string;
  readonly id: string;
  /** Beside the sweep that comes back by itself: the retention was changed. */
  readonly once?: boolean;
}

export interface MovePayload {
  readonly name: string;
  readonly queueId: string;
  readonly startedMs: number;
  readonly taskId: string;
}

export function registerBackground(platform: Platform): void {
  platform.bus.register(PURGE_TARGET, { concurrency: 2 }, (attempt) => purge(platform, attempt));
  platform.bus.register(SWEEP_TARGET, { concurrency: 2 }, (attempt) => sweep(platform, attempt));
  platform.bus.register(MOVE_TARGET, { concurrency: 8 }, (attempt) => move(platform, attempt));
  platform.bus.register(DELIVER_TARGET, { concurrency: DELIVER_CONCURRENCY }, (attempt) => deliver(platform, attempt));
}

async function purge({ store, clock }: Platform, attempt: Attempt): Promise<Outcome> {
  const { queueId, contents, deletedName } = attempt.payload as PurgePayload;
  const prefixes = [contentKeys(attempt, queueId, contents).all, ...(deletedName === undefined ? [] : [keys.moveTasks(attempt, queueId)])];
  for (let commits = 0; commits < SWEEP_COMMITS_PER_DELIVERY; commits++) {
    if (await deleteSome(store, prefixes)) continue;
    return deletedName === undefined ? { done: true } : freeName({ store, clock }, attempt, deletedName, queueId);
  }
  return { retry: { atMs: clock.virtual() } };
}

/** Nothing can be added meanwhile: a writer reads the queue's row, which is gone or names other contents. */
async function deleteSome(store: Store, prefixes: readonly Key[]): Promise<boolean> {
  for (const prefix of prefixes) {
    const page = await store.range({ ...rangeOf(prefix), limit: SWEEP_MESSAGES_PER_COMMIT * 4 });
    if (page.entries.length === 0) continue;
    const found = page.entries.map(([key]) => key);
    await store.transact({ keys: found }, (tx) => {
      for (const key of found) tx.delete(key);
    });
    return true;
  }
  return false;
}

async function freeName({ store, clock }: Pick<Platform, 'store' | 'clock'>, attempt: Attempt, name: string, queueId: string): Promise<Outcome> {
  const key = keys.deleted(attempt, name);
  const nowMs = clock.virtual();
  const value = await store.get(key);
  const freeMs = value ? decodeJson<number>(value) + DELETED_QUEUE_MS : nowMs;
  if (freeMs > nowMs) return { retry: { atMs: freeMs } };
  await store.transact({ keys: [key, keys.sequence(attempt, queueId)] }, (tx) => {
    const deleted = tx.get(key);
    if (deleted && decodeJson<number>(deleted) + DELETED_QUEUE_MS <= nowMs) tx.delete(key);
  });
  return { done: true };
}

/** Reads from the oldest message on, until a page has nothing expired, and returns when the next one expires. */
async function sweep({ store, clock }: Platform, attempt: Attempt): Promise<Outcome> {
  const { name, id, once } = attempt.payload as SweepPayload;
  const address: Address = { account: attempt.account, region: attempt.region, name };
  const nowMs = clock.virtual();
  for (let commits = 0; commits < SWEEP_COMMITS_PER_DELIVERY; commits++) {
    const row = await findQueue(store, address);
    if (row?.id !== id) return { done: true };
    const queue = opened(address, row, headsOf(store));
    const page = await store.range({ ...rangeOf(queue.at.messages), limit: SWEEP_MESSAGES_PER_COMMIT });
    const messages = page.entries.map(([, value]) => decodeMessage(value));
    const expired = messages.filter((message) => isExpired(queue, message, nowMs));
    if (expired.length > 0)
      await removeExpired(
        store,
        queue,
        expired.map(({ seq }) => seq),
        nowMs,
      );
    if (expired.length > 0 && page.more) continue;
    if (once) return { done: true };
    const { retentionMs } = queue.settings;
    const oldestMs = Math.min(nowMs, ...messages.filter((message) => !expired.includes(message)).map(({ sentMs }) => sentMs));
    return { retry: { atMs: Math.max(nowMs + SWEEP_INTERVAL_MS, oldestMs + retentionMs) } };
  }
  return { retry: { atMs: nowMs } };
}

async function removeExpired(store: Store, { address }: OpenQueue, seqs: readonly number[], nowMs: number): Promise<void> {
  await store.transact({ reads: [keys.queue(address, address.name)] }, (tx) => {
    const queue = openQueue(tx, address, headsOf(store));
    if (!queue) return;
    for (const seq of seqs) {
      const message = messageAt(tx, queue, seq);
      if (message && isExpired(queue, message, nowMs)) removeMessage(tx, queue, message);
    }
  });
}

/** One step of a task: as many messages as its rate allows, in one commit with its count. */
async function move({ store, clock, ids }: Platform, attempt: Attempt): Promise<Outcome> {
  const { name, queueId, startedMs, taskId } = attempt.payload as MovePayload;
  const address: Address = { account: attempt.account, region: attempt.region, name };
  const key = keys.moveTask(address, queueId, startedMs, taskId);
  const nowMs = clock.virtual();
  const newIds = Array.from({ length: SWEEP_MESSAGES_PER_COMMIT }, () => ids.uuid());
  return store.transact({ keys: [key], reads: [keys.queue(address, name)] }, (tx): Outcome => {
    const value = tx.get(key);
    const task = value && decodeJson<MoveTaskRow>(value);
    const queue = openQueue(tx, address, headsOf(store));
    if (task?.status !== 'RUNNING' || queue?.row.id !== queueId) return { done: true };
    // At least a message at a time, at most a tenth of a second's worth.
    const batch = task.perSecond === undefined ? newIds.length : Math.min(newIds.length, Math.max(1, Math.floor(task.perSecond / 10)));
    const destination = task.destinationArn === undefined ? undefined : addressOfArn(task.destinationArn);
    const step = moveMessages(tx, queue, destination, newIds.slice(0, batch), nowMs);
    if ('failure' in step) {
      tx.put(key, encodeJson({ ...task, status: 'FAILED', failureReason: step.failure }));
      return { done: true };
    }
    const moved = task.moved + step.moved;
    const done = step.done || (step.moved > 0 && moved >= task.toMove);
    tx.put(key, encodeJson({ ...task, moved, ...(done ? { status: 'COMPLETED' } : {}) }));
    if (done) return { done: true };
    return { retry: { atMs: task.perSecond === undefined ? nowMs : nowMs + Math.ceil((batch * 1000) / task.perSecond) } };
  });
}
