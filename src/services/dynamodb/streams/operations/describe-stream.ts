import type { DescribeStreamInput, DescribeStreamOutput, Shard } from '@aws-sdk/client-dynamodb-streams';
import type { Operation } from '../../../service.ts';
import { openStream, shardId, streamArn } from '../iterator.ts';
import { type StreamRecord, sequenceNumber } from '../store.ts';

/** "DescribeStream": the stream and its shard. */
export const describeStream: Operation<DescribeStreamInput, DescribeStreamOutput> = async (ctx, input) => {
  const stream = await openStream(ctx.platform.store, ctx, input.StreamArn ?? '');
  const shard = shardOf(stream);
  // The one shard has no children, and nothing comes after it.
  const wanted =
    input.ShardFilter?.Type !== 'CHILD_SHARDS' && (input.ExclusiveStartShardId === undefined || input.ExclusiveStartShardId < (shard.ShardId ?? ''));
  return {
    StreamDescription: {
      StreamArn: streamArn(stream),
      StreamLabel: stream.label,
      StreamStatus: stream.disabledMs === undefined ? 'ENABLED' : 'DISABLED',
      StreamViewType: stream.viewType,
      CreationRequestDateTime: new Date(stream.createdMs),
      TableName: stream.tableName,
      KeySchema: [
        { AttributeName: stream.hash.name, KeyType: 'HASH' },
        ...(stream.range ? [{ AttributeName: stream.range.name, KeyType: 'RANGE' as const }] : []),
      ],
      Shards: wanted ? [shard] : [],
    },
  };
};

function shardOf(stream: StreamRecord): Shard {
  return {
    ShardId: shardId(stream),
    SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(0n), ...(stream.ending === undefined ? {} : { EndingSequenceNumber: stream.ending }) },
  };
}
