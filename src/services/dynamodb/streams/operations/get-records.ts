import { hash } from 'node:crypto';
import type { _Record, GetRecordsInput, GetRecordsOutput } from '@aws-sdk/client-dynamodb-streams';
import type { Operation } from '../../../service.ts';
import { Breath, turn } from '../../breath.ts';
import { changeSizeBytes, decodeChange } from '../../domain/stream-record.ts';
import { streamLog } from '../../domain/table.ts';
import { trimmedData } from '../../errors.ts';
import { STREAM_PAGE_BYTES_MAX, STREAM_RECORDS_MAX, STREAM_RETENTION_MS } from '../../limits.ts';
import { formatIterator, openStream, parseIterator, streamArn } from '../iterator.ts';
import { horizonOf, readChanges, type StoredChange, type StreamRecord, sequenceNumber } from '../store.ts';

/** "GetRecords": up to 1,000 records or 1 MB after an iterator's place; none yet is no end. */
export const getRecords: Operation<GetRecordsInput, GetRecordsOutput> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  const nowMs = clock.virtual();
  const { arn, after, horizon } = parseIterator(input.ShardIterator ?? '', nowMs);
  const stream = await openStream(store, ctx, arn);
  const log = streamLog(stream);
  const trimmed = await horizonOf(store, log);
  if (!horizon && after < trimmed) throw trimmedData();
  const { changes, more } = await readChanges(store, log, after, input.Limit ?? STREAM_RECORDS_MAX, STREAM_PAGE_BYTES_MAX);
  const Records: _Record[] = [];
  const breath = new Breath();
  let last = after;
  if (last < trimmed) last = trimmed;
  let bytes = 0;
  for (const change of changes) {
    const size = changeSizeBytes(change.record);
    if (Records.length > 0 && bytes + size > STREAM_PAGE_BYTES_MAX) break;
    bytes += size;
    if (breath.takes(change.record.length)) await turn();
    const record = describeRecord(stream, change, nowMs - STREAM_RETENTION_MS);
    if (record) Records.push(record);
    last = change.sequence;
  }
  ctx.meter('StreamReadRequestUnits', 1);
  const atEnd = stream.ending !== undefined && !more && last === (changes.at(-1)?.sequence ?? last);
  return {
    Records,
    ...(atEnd ? {} : { NextShardIterator: formatIterator(streamArn(stream), { after: last, horizon: horizon && Records.length === 0 }, nowMs) }),
  };
};

/** Undefined for a record that is a day old and waits to be trimmed. */
function describeRecord(stream: StreamRecord, { sequence, record }: StoredChange, oldestMs: number): _Record | undefined {
  const change = decodeChange(record);
  if (change.createdMs < oldestMs) return undefined;
  const number = sequenceNumber(sequence);
  return {
    eventID: hash('md5', `${stream.id}:${number}`, 'hex'),
    eventName: change.event,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: stream.region,
    dynamodb: {
      ApproximateCreationDateTime: new Date(Math.floor(change.createdMs / 1000) * 1000),
      Keys: change.keys as never,
      ...(change.newImage ? { NewImage: change.newImage as never } : {}),
      ...(change.oldImage ? { OldImage: change.oldImage as never } : {}),
      SequenceNumber: number,
      SizeBytes: change.sizeBytes,
      StreamViewType: stream.viewType,
    },
    ...(change.expired ? { userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' } } : {}),
  };
}
