import type { BatchResultErrorEntry, ChangeMessageVisibilityBatchCommandInput, ChangeMessageVisibilityCommandInput } from '@aws-sdk/client-sqs';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { batchResult, checkBatch, failedEntry } from '../domain/batch.ts';
import { decodeHandle } from '../domain/handles.ts';
import { invalidValue, missingParameter, notAvailableForVisibility } from '../errors.ts';
import { VISIBILITY_SECONDS_MAX } from '../limits.ts';
import { changeVisibility, type OpenQueue } from '../messages.ts';
import { meterRequest, onQueue, readQueue } from '../queues.ts';

interface Change {
  readonly ReceiptHandle?: string | undefined;
  readonly VisibilityTimeout?: number | undefined;
}

function change(tx: Tx, queue: OpenQueue, { ReceiptHandle: handle, VisibilityTimeout: seconds }: Change, nowMs: number): void {
  if (!handle) throw missingParameter('ReceiptHandle');
  if (seconds === undefined) throw missingParameter('VisibilityTimeout');
  if (seconds < 0 || seconds > VISIBILITY_SECONDS_MAX)
    throw invalidValue('VisibilityTimeout', seconds, `VisibilityTimeout must be an integer between 0 and ${VISIBILITY_SECONDS_MAX}.`);
  const receipt = decodeHandle(handle);
  if (receipt.contents !== queue.row.contents) throw notAvailableForVisibility(handle);
  const outcome = changeVisibility(tx, queue, receipt, { nowMs, visibilityMs: seconds * 1000, totalMsMax: VISIBILITY_SECONDS_MAX * 1000 });
  if (outcome === 'unavailable') throw notAvailableForVisibility(handle);
  if (outcome === 'too-long')
    throw invalidValue('VisibilityTimeout', seconds, `Total VisibilityTimeout for the message is beyond the limit [${VISIBILITY_SECONDS_MAX} seconds].`);
}

/** "ChangeMessageVisibility". */
export async function changeMessageVisibility(ctx: Ctx, input: ChangeMessageVisibilityCommandInput): Promise<Record<string, never>> {
  const queue = await readQueue(ctx, input.QueueUrl);
  const nowMs = ctx.platform.clock.virtual();
  await onQueue(ctx, queue.address, (tx, open) => change(tx, open, input, nowMs));
  meterRequest(ctx, queue.fifo);
  return {};
}

/** "ChangeMessageVisibilityBatch". */
export async function changeMessageVisibilityBatch(ctx: Ctx, input: ChangeMessageVisibilityBatchCommandInput) {
  const entries = input.Entries ?? [];
  checkBatch(input.Entries, 'ChangeMessageVisibilityBatchRequestEntry');
  const queue = await readQueue(ctx, input.QueueUrl);
  const nowMs = ctx.platform.clock.virtual();
  const failed = await onQueue(ctx, queue.address, (tx, open) => {
    const errors: BatchResultErrorEntry[] = [];
    for (const entry of entries) {
      try {
        change(tx, open, entry, nowMs);
      } catch (error) {
        errors.push(failedEntry(entry.Id ?? '', error));
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
