import type { ListStreamsInput, ListStreamsOutput } from '@aws-sdk/client-dynamodb-streams';
import type { Operation } from '../../../service.ts';
import { Constraints, nameInArn } from '../../domain/constraints.ts';
import { validation } from '../../errors.ts';
import { STREAMS_LISTED_MAX, TABLE_NAME_CHARS_MIN } from '../../limits.ts';
import { isGone, partsOfStreamArn, streamArn } from '../iterator.ts';
import { listStreams as readStreams, streamKey, streamsPrefix } from '../store.ts';

/** "ListStreams": streams of the region or of one table, those disabled less than a day ago included. */
export const listStreams: Operation<ListStreamsInput, ListStreamsOutput> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  const tableName = input.TableName === undefined ? undefined : nameInArn(input.TableName);
  const constraints = new Constraints();
  constraints.name('tableName', tableName, TABLE_NAME_CHARS_MIN);
  constraints.check();
  const start = input.ExclusiveStartStreamArn === undefined ? undefined : partsOfStreamArn(input.ExclusiveStartStreamArn);
  if (input.ExclusiveStartStreamArn !== undefined && !start) throw validation('Invalid ExclusiveStartStreamArn');
  const after = start && streamKey(ctx.account, ctx.region, start.tableName, start.label);
  const limit = Math.min(input.Limit ?? STREAMS_LISTED_MAX, STREAMS_LISTED_MAX);
  const { streams, more } = await readStreams(store, streamsPrefix(ctx.account, ctx.region, tableName), after, limit);
  const last = streams.at(-1);
  return {
    Streams: streams
      .filter((stream) => !isGone(stream, clock.virtual()))
      .map((stream) => ({ StreamArn: streamArn(stream), TableName: stream.tableName, StreamLabel: stream.label })),
    ...(more && last ? { LastEvaluatedStreamArn: streamArn(last) } : {}),
  };
};
