import type { BatchResultErrorEntry, DeleteMessageBatchCommandInput, DeleteMessageCommandInput } from '@aws-sdk/client-sqs';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { batchResult, checkBatch, failedEntry } from '../domain/batch.ts';
import { decodeHandle, type Receipt } from '../domain/handles.ts';
import { expiredReceiptHandle, missingParameter } from '../errors.ts';
import { deleteReceived, type OpenQueue } from '../messages.ts';
import { meterRequest, onQueue, readQueue } from '../queues.ts';

/** Deletes by receipt; what is gone already, or purged, is a success. A FIFO queue refuses a receipt whose time is over. */
function remove(tx: Tx, queue: OpenQueue, receipt: Receipt, handle: string, nowMs: number): boolean {
  if (receipt.contents !== queue.row.contents) return false;
  const outcome = deleteReceived(tx, queue, receipt, nowMs);
  if (outcome === 'lapsed') throw expiredReceiptHandle(handle);
  return outcome === 'deleted';
}

/** "DeleteMessage". */
export async function deleteMessage(ctx: Ctx, input: DeleteMessageCommandInput): Promise<Record<string, never>> {
  if (!input.ReceiptHandle) throw missingParameter('ReceiptHandle');
  const handle = input.ReceiptHandle;
  const queue = await readQueue(ctx, input.QueueUrl);
  const receipt = decodeHandle(handle);
  const nowMs = ctx.platform.clock.virtual();
  await onQueue(ctx, queue.address, (tx, open) => {
    if (remove(tx, open, receipt, handle, nowMs)) ctx.meter('MessagesDeleted', 1);
  });
  meterRequest(ctx, queue.fifo);
  return {};
}

/** "DeleteMessageBatch". */
export async function deleteMessageBatch(ctx: Ctx, input: DeleteMessageBatchCommandInput) {
  const entries = input.Entries ?? [];
  checkBatch(input.Entries, 'DeleteMessageBatchRequestEntry');
  const queue = await readQueue(ctx, input.QueueUrl);
  const nowMs = ctx.platform.clock.virtual();
  const failed = await onQueue(ctx, queue.address, (tx, open) => {
    const errors: BatchResultErrorEntry[] = [];
    for (const { Id = '', ReceiptHandle: handle } of entries) {
      try {
        if (!handle) throw missingParameter('ReceiptHandle');
        if (remove(tx, open, decodeHandle(handle), handle, nowMs)) ctx.meter('MessagesDeleted', 1);
      } catch (error) {
        errors.push(failedEntry(Id, error));
      }
    }
    return errors;
  });
  meterRequest(ctx, queue.fifo);
  const wrong = new Set(failed.map(({ Id }) => Id));
  return batchResult(
    entries.filter(({ Id }) => !wrong.has(Id)).map(({ Id }) => ({ Id })),
    failed,
  );
}
