import { AwsError } from '../../kit/errors.ts';
import type { Key } from '../../kit/key.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx } from '../service.ts';
import { type Address, addressOfUrl } from './domain/address.ts';
import { queueDoesNotExist } from './errors.ts';
import { headsOf } from './heads.ts';
import { type OpenQueue, opened, openQueue } from './messages.ts';
import { findQueue, keys, type QueueRow } from './store.ts';
import { requestsOf } from './usage.ts';

/** The queue at a URL as it is committed; throws QueueDoesNotExist. */
export async function readQueue(ctx: Ctx, url: unknown): Promise<OpenQueue> {
  const address = addressOfUrl(ctx, url);
  const row = await findQueue(ctx.platform.store, address);
  if (!row) throw queueDoesNotExist(ctx);
  return opened(address, row, headsOf(ctx.platform.store));
}

/** Runs `fn` on the queue at `address` in one commit; throws QueueDoesNotExist. The queue itself is only read. */
export async function onQueue<T>(ctx: Ctx, address: Address, fn: (tx: Tx, queue: OpenQueue) => T, written: readonly Key[] = []): Promise<T> {
  const { store } = ctx.platform;
  const heads = headsOf(store);
  try {
    return await store.transact({ reads: [keys.queue(address, address.name)], keys: written }, (tx) => {
      const queue = openQueue(tx, address, heads);
      if (!queue) throw queueDoesNotExist(ctx);
      return fn(tx, queue);
    });
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) heads.reset();
    throw error;
  }
}

/** Reads, changes and writes back the queue's own row; throws QueueDoesNotExist. */
export function changeQueue<T>(ctx: Ctx, address: Address, change: (tx: Tx, row: QueueRow) => T): Promise<T> {
  return ctx.platform.store.transact({ keys: [keys.queue(address, address.name)] }, (tx) => {
    const queue = openQueue(tx, address, headsOf(ctx.platform.store));
    if (!queue) throw queueDoesNotExist(ctx);
    return change(tx, queue.row);
  });
}

/** Counts a call by its payload. */
export function meterRequest(ctx: Ctx, fifo: boolean, bytes = 0): void {
  ctx.meter(fifo ? 'FifoRequests' : 'StandardRequests', requestsOf(bytes));
}
