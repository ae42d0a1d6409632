import type { DeleteQueueCommandInput, PurgeQueueCommandInput } from '@aws-sdk/client-sqs';
import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { PURGE_TARGET, type PurgePayload } from '../background.ts';
import { addressOfUrl } from '../domain/address.ts';
import { purgeInProgress } from '../errors.ts';
import { PURGE_INTERVAL_MS } from '../limits.ts';
import { changeQueue } from '../queues.ts';
import { keys, putQueue } from '../store.ts';
import { forgetSource } from './create-queue.ts';

/** "DeleteQueue": gone at once; what it held is removed in the background. */
export async function deleteQueue(ctx: Ctx, input: DeleteQueueCommandInput): Promise<Record<string, never>> {
  const address = addressOfUrl(ctx, input.QueueUrl);
  const { bus, clock } = ctx.platform;
  const nowMs = clock.virtual();
  const { account, region, name } = address;
  await changeQueue(ctx, address, (tx, row) => {
    tx.delete(keys.queue(address, name));
    tx.put(keys.deleted(address, name), encodeJson(nowMs));
    forgetSource(tx, address, row.attributes);
    const payload: PurgePayload = { queueId: row.id, contents: row.contents, deletedName: name };
    bus.enqueue(tx, { target: PURGE_TARGET, account, region, payload, trace: ctx.trace });
  });
  return {};
}

/** "PurgeQueue": the queue goes on with new, empty contents; the old are removed in the background. */
export async function purgeQueue(ctx: Ctx, input: PurgeQueueCommandInput): Promise<Record<string, never>> {
  const address = addressOfUrl(ctx, input.QueueUrl);
  const { bus, clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const contents = ids.text(16);
  const { account, region } = address;
  await changeQueue(ctx, address, (tx, row) => {
    if (row.purgedMs !== undefined && row.purgedMs + PURGE_INTERVAL_MS > nowMs) throw purgeInProgress(row.name);
    putQueue(tx, address, { ...row, contents, purgedMs: nowMs });
    const payload: PurgePayload = { queueId: row.id, contents: row.contents };
    bus.enqueue(tx, { target: PURGE_TARGET, account, region, payload, trace: ctx.trace });
  });
  return {};
}
