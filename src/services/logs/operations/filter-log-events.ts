import type { FilterLogEventsCommandInput, FilterLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import { compileFilterPattern } from '../domain/filter-pattern.ts';
import { mergeEvents } from '../domain/merge.ts';
import { groupNameOf } from '../domain/names.ts';
import { comparePositions, eventIdOf, formatFilterToken, type Position, parseFilterToken } from '../domain/position.ts';
import { retainedRange } from '../domain/retention.ts';
import { invalidParameter, streamNotFound } from '../errors.ts';
import { EVENTS_LIMIT, FILTER_SCAN_BYTES_MAX, MERGED_STREAMS_MAX, PAGE_BYTES_MAX } from '../limits.ts';
import { type GroupRow, getGroup, keys, type StoredEvent, type StreamRow, scanEvents, streamNamesOf, type TimeRange } from '../store.ts';

type Output = Pick<FilterLogEventsCommandOutput, 'events' | 'searchedLogStreams' | 'nextToken'>;

/** "FilterLogEvents": a group's events interleaved in order of time; a page may be short or empty and still have a token. */
export const filterLogEvents: Operation<FilterLogEventsCommandInput, Output> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined) {
    throw invalidParameter('logStreamNamePrefix and logStreamNames are mutually exclusive parameters.');
  }
  const matches = compileFilterPattern(input.filterPattern);
  const after = input.nextToken === undefined ? undefined : parseFilterToken(input.nextToken);
  const group = await getGroup(store, ctx, groupNameOf(input));
  const range = retainedRange(group.retentionInDays, clock.virtual(), input.startTime, input.endTime);
  const bounded = after ? { ...range, fromMs: Math.max(range.fromMs, after.time) } : range;
  const streams = input.logStreamNames === undefined ? undefined : await streamIds(ctx, group, input.logStreamNames);
  const limit = input.limit ?? EVENTS_LIMIT;
  const names = new Map<string, string | undefined>();
  const found: StoredEvent[] = [];
  let last: Position | undefined;
  let scanned = 0;
  let bytes = 0;
  let more = false;
  scan: for await (const batch of candidates(ctx, group, streams, bounded)) {
    await learnNames(ctx, group, batch, names);
    for (const event of batch) {
      if (after && comparePositions(event, after) <= 0) continue;
      if (scanned > FILTER_SCAN_BYTES_MAX) {
        more = true;
        break scan;
      }
      const size = Buffer.byteLength(event.message);
      scanned += size;
      const name = names.get(event.streamId);
      const wanted = name !== undefined && (streams ? streams.has(event.streamId) : name.startsWith(input.logStreamNamePrefix ?? ''));
      if (wanted && matches(event.message)) {
        if (found.length >= limit || (bytes + size > PAGE_BYTES_MAX && found.length > 0)) {
          more = true;
          break scan;
        }
        bytes += size;
        found.push(event);
      }
      last = event;
    }
  }
  ctx.meter('ScannedBytes', scanned);
  return {
    events: found.map((event) => ({
      logStreamName: names.get(event.streamId) ?? '',
      timestamp: event.time,
      message: event.message,
      ingestionTime: event.ingestionMs,
      eventId: eventIdOf(event),
    })),
    // AWS has answered an empty list since 2020.
    searchedLogStreams: [],
    ...(more && last ? { nextToken: formatFilterToken(last) } : {}),
  };
};

async function streamIds(ctx: Ctx, group: GroupRow, names: readonly string[]): Promise<Set<string>> {
  const values = await ctx.platform.store.getMany(names.map((name) => keys.stream(ctx, group.id, name)));
  return new Set(
    values.map((value) => {
      if (!value) throw streamNotFound();
      return decodeJson<StreamRow>(value).id;
    }),
  );
}

/** A few streams are read by their own index and merged; otherwise the group is read in order of time. */
function candidates(ctx: Ctx, group: GroupRow, streams: ReadonlySet<string> | undefined, range: TimeRange): AsyncGenerator<StoredEvent[]> {
  const { store } = ctx.platform;
  if (streams === undefined || streams.size > MERGED_STREAMS_MAX) return scanEvents(store, ctx, { groupId: group.id }, range);
  return mergeEvents([...streams].map((streamId) => scanEvents(store, ctx, { groupId: group.id, streamId }, range)));
}

/** Names of the streams in `batch`, undefined for the deleted. */
async function learnNames(ctx: Ctx, group: GroupRow, batch: readonly StoredEvent[], names: Map<string, string | undefined>): Promise<void> {
  const unknown = [...new Set(batch.map((event) => event.streamId))].filter((id) => !names.has(id));
  if (unknown.length === 0) return;
  const found = await streamNamesOf(ctx.platform.store, ctx, group.id, unknown);
  for (const id of unknown) names.set(id, found.get(id));
}
