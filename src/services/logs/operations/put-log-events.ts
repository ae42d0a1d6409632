import type { PutLogEventsCommandInput, PutLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { acceptBatch, batchBytes, checkBatch, chunksOf } from '../domain/batch.ts';
import { streamNotFound } from '../errors.ts';
import { getGroup, keys, putChunk, type StreamRow, txGroup } from '../store.ts';

type Output = Pick<PutLogEventsCommandOutput, 'nextSequenceToken' | 'rejectedLogEventsInfo'>;

/** "PutLogEvents". The sequence token is accepted and ignored, and one is still given out. */
export const putLogEvents: Operation<PutLogEventsCommandInput, Output> = async (ctx, input) => {
  const { store, clock, ids } = ctx.platform;
  const groupName = input.logGroupName ?? '';
  const streamName = input.logStreamName ?? '';
  const events = (input.logEvents ?? []).map((event) => ({ timestamp: event.timestamp ?? 0, message: event.message ?? '' }));
  const size = checkBatch(events);
  const nowMs = clock.virtual();
  const nextSequenceToken = `49${ids.text(54, '0123456789')}`;
  const declared = keys.stream(ctx, (await getGroup(store, ctx, groupName)).id, streamName);
  const rejected = await store.transact({ keys: [declared], reads: [keys.group(ctx, groupName)] }, (tx) => {
    const group = txGroup(tx, ctx, groupName);
    const key = keys.stream(ctx, group.id, streamName);
    const value = tx.get(key);
    if (!value) throw streamNotFound();
    const stream = decodeJson<StreamRow>(value);
    ctx.meter('IngestedBytes', size);
    const batch = acceptBatch(events, nowMs, group.retentionInDays);
    const first = batch.accepted[0]?.timestamp;
    const last = batch.accepted.at(-1)?.timestamp;
    for (const chunk of chunksOf(batch.accepted)) putChunk(tx, ctx, group.id, stream.id, nowMs, chunk);
    if (first === undefined || last === undefined) return batch.rejected;
    tx.add(keys.bytes(ctx, group.id), BigInt(batchBytes(batch.accepted)));
    const row: StreamRow = {
      ...stream,
      firstEventMs: Math.min(first, stream.firstEventMs ?? first),
      lastEventMs: Math.max(last, stream.lastEventMs ?? last),
      lastIngestionMs: nowMs,
      sequenceToken: nextSequenceToken,
    };
    tx.put(key, encodeJson(row));
    return batch.rejected;
  });
  return { nextSequenceToken, ...(rejected ? { rejectedLogEventsInfo: rejected } : {}) };
};
