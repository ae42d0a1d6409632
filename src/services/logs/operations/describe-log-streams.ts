import type { DescribeLogStreamsCommandInput, DescribeLogStreamsCommandOutput, LogStream } from '@aws-sdk/client-cloudwatch-logs';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import { groupNameOf, logStreamArn } from '../domain/names.ts';
import { invalidParameter, invalidToken } from '../errors.ts';
import { DESCRIBE_LIMIT } from '../limits.ts';
import { type GroupRow, getGroup, keys, namePrefixRange, type StreamRow } from '../store.ts';

type Output = Pick<DescribeLogStreamsCommandOutput, 'logStreams' | 'nextToken'>;

/** The last stream shown. */
interface Mark {
  readonly name: string;
  readonly lastEventMs: number;
}

/** "DescribeLogStreams": by name, or by the time of the last event, where streams without events stand lowest. */
export const describeLogStreams: Operation<DescribeLogStreamsCommandInput, Output> = async (ctx, input) => {
  const byTime = input.orderBy === 'LastEventTime';
  if (byTime && input.logStreamNamePrefix !== undefined) throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
  const after = input.nextToken === undefined ? undefined : parseMark(input.nextToken);
  const group = await getGroup(ctx.platform.store, ctx, groupNameOf(input));
  const limit = input.limit ?? DESCRIBE_LIMIT;
  const descending = input.descending ?? false;
  const rows = byTime
    ? await streamsByTime(ctx, group, after, limit + 1, descending)
    : await streamsByName(ctx, group, input.logStreamNamePrefix ?? '', after, limit + 1, descending);
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    logStreams: shown.map((row) => describe(ctx, group, row)),
    ...(last ? { nextToken: encodeJson(markOf(last)).toString('base64url') } : {}),
  };
};

const markOf = (row: StreamRow): Mark => ({ name: row.name, lastEventMs: row.lastEventMs ?? 0 });

function parseMark(token: string): Mark {
  try {
    const mark = decodeJson<Partial<Mark>>(Buffer.from(token, 'base64url'));
    if (typeof mark.name === 'string' && typeof mark.lastEventMs === 'number') return { name: mark.name, lastEventMs: mark.lastEventMs };
  } catch {
    // Not JSON: not one of ours, said below.
  }
  throw invalidToken();
}

async function streamsByName(ctx: Ctx, group: GroupRow, prefix: string, after: Mark | undefined, limit: number, descending: boolean): Promise<StreamRow[]> {
  let { from, to } = namePrefixRange(keys.streams(ctx, group.id), prefix);
  if (after) {
    const key = keys.stream(ctx, group.id, after.name);
    if (descending && key < to) to = key;
    if (!descending && key >= from) from = `${key}\x00`;
  }
  if (from >= to) return [];
  const page = await ctx.platform.store.range({ from, to, limit, reverse: descending });
  return page.entries.map(([, value]) => decodeJson<StreamRow>(value));
}

/** Keeps the best `limit` of all streams: an index by last event would cost every PutLogEvents two more rows. */
async function streamsByTime(ctx: Ctx, group: GroupRow, after: Mark | undefined, limit: number, descending: boolean): Promise<StreamRow[]> {
  const sign = descending ? -1 : 1;
  const compare = (a: Mark, b: Mark) => sign * (a.lastEventMs - b.lastEventMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  let { from, to } = namePrefixRange(keys.streams(ctx, group.id), '');
  let best: StreamRow[] = [];
  while (from < to) {
    const page = await ctx.platform.store.range({ from, to, limit: 500 });
    for (const [, value] of page.entries) {
      const row = decodeJson<StreamRow>(value);
      if (after === undefined || compare(markOf(row), after) > 0) best.push(row);
    }
    best = best.sort((a, b) => compare(markOf(a), markOf(b))).slice(0, limit);
    if (!page.more) break;
    from = `${page.entries.at(-1)?.[0] ?? to}\x00`;
  }
  return best;
}

function describe(ctx: Ctx, group: GroupRow, row: StreamRow): LogStream {
  return {
    logStreamName: row.name,
    creationTime: row.createdMs,
    ...(row.firstEventMs === undefined ? {} : { firstEventTimestamp: row.firstEventMs }),
    ...(row.lastEventMs === undefined ? {} : { lastEventTimestamp: row.lastEventMs }),
    ...(row.lastIngestionMs === undefined ? {} : { lastIngestionTime: row.lastIngestionMs }),
    ...(row.sequenceToken === undefined ? {} : { uploadSequenceToken: row.sequenceToken }),
    arn: logStreamArn(ctx, group.name, row.name),
    // AWS reports zero for every stream since 2019.
    storedBytes: 0,
  };
}
