import type { GetShardIteratorInput, GetShardIteratorOutput } from '@aws-sdk/client-dynamodb-streams';
import type { Store } from '../../../../store/store.ts';
import type { Operation } from '../../../service.ts';
import { type StreamLog, streamLog } from '../../domain/table.ts';
import { shardNotFound, trimmedData, validation } from '../../errors.ts';
import { formatIterator, openStream, type Position, shardId, streamArn } from '../iterator.ts';
import { horizonOf, lastSequence, sequenceOf } from '../store.ts';

/** "GetShardIterator": a place in a shard, good for 15 minutes. */
export const getShardIterator: Operation<GetShardIteratorInput, GetShardIteratorOutput> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  const stream = await openStream(store, ctx, input.StreamArn ?? '');
  if (input.ShardId !== shardId(stream)) throw shardNotFound(streamArn(stream), input.ShardId ?? '');
  const position = await positionOf(store, streamLog(stream), input);
  return { ShardIterator: formatIterator(streamArn(stream), position, clock.virtual()) };
};

async function positionOf(store: Store, log: StreamLog, input: GetShardIteratorInput): Promise<Position> {
  switch (input.ShardIteratorType) {
    case 'TRIM_HORIZON':
      return { after: 0n, horizon: true };
    case 'LATEST':
      return { after: await lastSequence(store, log), horizon: false };
    default: {
      if (input.SequenceNumber === undefined) {
        throw validation(`Must specify SequenceNumber for ShardIteratorType ${input.ShardIteratorType}`);
      }
      const sequence = sequenceOf(input.SequenceNumber);
      if (sequence === undefined) throw validation(`Invalid SequenceNumber: ${input.SequenceNumber}`);
      const after = input.ShardIteratorType === 'AT_SEQUENCE_NUMBER' && sequence > 0n ? sequence - 1n : sequence;
      if (after < (await horizonOf(store, log))) throw trimmedData();
      return { after, horizon: false };
    }
  }
}
