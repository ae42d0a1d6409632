import type { Access, Ctx, Operation, OperationEntry, Service } from '../../service.ts';
import { tableArn } from '../domain/table.ts';
import { describeStream } from './operations/describe-stream.ts';
import { getRecords } from './operations/get-records.ts';
import { getShardIterator } from './operations/get-shard-iterator.ts';
import { listStreams } from './operations/list-streams.ts';

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
  };
}
