import { parseArn } from '../../../kit/arn.ts';
import type { Access, Ctx, Operation, OperationEntry, Platform, Service } from '../../service.ts';
import { streamLog, tableArn } from '../domain/table.ts';
import { partsOfStreamArn } from './iterator.ts';
import { describeStream } from './operations/describe-stream.ts';
import { getRecords } from './operations/get-records.ts';
import { getShardIterator } from './operations/get-shard-iterator.ts';
import { listStreams } from './operations/list-streams.ts';
import { findStream, streamKey } from './store.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const onStream: Access = { resource: (_ctx, input) => text(input['StreamArn']) };
const onIterator: Access = { resource: (_ctx, input) => text(input['ShardIterator']).split('|')[0] ?? '' };
const onAll: Access = { resource: (ctx: Ctx) => `${tableArn(ctx.account, ctx.region, '*')}/stream/*` };

/** Amazon DynamoDB Streams: the reading side of what `store.ts` of the tables appends; see the README of dynamodb. */
export function createDynamoDbStreamsRoom(): Service {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  const entry = (run: Operation<any, any>, access: Access): OperationEntry => ({ run, access });
  return {
    name: 'dynamodbstreams',
    operations: {
      ListStreams: entry(listStreams, onAll),
      DescribeStream: entry(describeStream, onStream),
      GetShardIterator: entry(getShardIterator, onStream),
      GetRecords: entry(getRecords, onIterator),
    },
    wording: { validationCode: 'ValidationException' },
    usage: { StreamReadRequestUnits: 'units' },
    watch: watchStream,
  };
}

/** Records come under the stream's log; its own row changes when it is disabled, which closes its shard. */
async function watchStream({ store }: Platform, arn: string, listener: () => void): Promise<() => void> {
  const { account, region } = parseArn(arn) ?? {};
  const parts = partsOfStreamArn(arn);
  const stream = parts && account !== undefined && region !== undefined ? await findStream(store, account, region, parts.tableName, parts.label) : undefined;
  if (!stream) return () => undefined;
  const ends = [
    store.watch(streamLog(stream).prefix, listener),
    store.watch(streamKey(stream.account, stream.region, stream.tableName, stream.label), listener),
  ];
  return () => {
    for (const end of ends) end();
  };
}
