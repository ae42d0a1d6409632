import type { GetLogEventsCommandInput, GetLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import type { Operation } from '../../service.ts';
import { groupNameOf } from '../domain/names.ts';
import { comparePositions, formatToken, type Position, parseToken, positionBefore } from '../domain/position.ts';
import { retainedRange } from '../domain/retention.ts';
import { EVENTS_LIMIT, PAGE_BYTES_MAX } from '../limits.ts';
import { getGroup, getStream, type StoredEvent, scanEvents } from '../store.ts';

type Output = Pick<GetLogEventsCommandOutput, 'events' | 'nextForwardToken' | 'nextBackwardToken'>;

/**
 * "GetLogEvents": one stream, always answered in ascending order. A token continues on its side of an event; at the end of the
 * stream the token passed in comes back.
 */
export const getLogEvents: Operation<GetLogEventsCommandInput, Output> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  const token = input.nextToken === undefined ? undefined : parseToken(input.nextToken);
  const group = await getGroup(store, ctx, groupNameOf(input));
  const stream = await getStream(store, ctx, group.id, input.logStreamName ?? '');
  const range = retainedRange(group.retentionInDays, clock.virtual(), input.startTime, input.endTime);
  const forward = token ? token.direction === 'f' : (input.startFromHead ?? false);
  const bounded = !token
    ? range
    : forward
      ? { ...range, fromMs: Math.max(range.fromMs, token.position.time) }
      : { ...range, toMs: Math.min(range.toMs, token.position.time + 1) };
  const beyond = (event: Position) =>
    token === undefined || (forward ? comparePositions(event, token.position) > 0 : comparePositions(event, token.position) < 0);
  const limit = input.limit ?? EVENTS_LIMIT;
  const events: StoredEvent[] = [];
  let bytes = 0;
  scan: for await (const batch of scanEvents(store, ctx, { groupId: group.id, streamId: stream.id }, bounded, !forward)) {
    for (const event of batch) {
      if (!beyond(event)) continue;
      bytes += Buffer.byteLength(event.message);
      if (events.length >= limit || (bytes > PAGE_BYTES_MAX && events.length > 0)) break scan;
      events.push(event);
    }
  }
  if (!forward) events.reverse();
  ctx.meter('ReturnedBytes', bytes);
  const edge = token?.position ?? positionBefore(input.startTime ?? 0);
  return {
    events: events.map((event) => ({ timestamp: event.time, message: event.message, ingestionTime: event.ingestionMs })),
    nextForwardToken: formatToken('f', events.at(-1) ?? edge),
    nextBackwardToken: formatToken('b', events[0] ?? edge),
  };
};
