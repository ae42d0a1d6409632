import type { Execution, ListDurableExecutionsByFunctionRequest, ListDurableExecutionsByFunctionResponse } from '@aws-sdk/client-lambda';
import { decodeJson } from '../../../../kit/json.ts';
import { type Key, prefixEnd, uint64 } from '../../../../kit/key.ts';
import type { Operation } from '../../../service.ts';
import { functionArn, readReference } from '../../domain/names.ts';
import { invalidParameter } from '../../errors.ts';
import { find } from '../../functions.ts';
import { invalidMarker } from '../errors.ts';
import { pageSize } from '../find.ts';
import { PAGE_ITEMS_DEFAULT } from '../limits.ts';
import { durableKeys, type ExecutionRow } from '../store.ts';

const SCAN_ROWS = 200;

/** "ListDurableExecutionsByFunction": newest first, unless `ReverseOrder` is set. */
export const listDurableExecutionsByFunction: Operation<ListDurableExecutionsByFunctionRequest, ListDurableExecutionsByFunctionResponse> = async (
  ctx,
  input,
) => {
  const { store } = ctx.platform;
  const statuses = input.Statuses ?? [];
  if (statuses.length > 1) throw invalidParameter('Cannot filter by more than one status');
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const { fn, row: version } = await find(ctx.platform, ctx, reference);
  const prefix = durableKeys.list(ctx, fn.name);
  const oldestFirst = input.ReverseOrder ?? false;
  const marker = readMarker(prefix, input.Marker);
  let from = input.StartedAfter ? prefix + uint64(Math.max(0, input.StartedAfter.getTime() + 1)) : prefix;
  let to = input.StartedBefore ? prefix + uint64(Math.max(0, input.StartedBefore.getTime())) : prefixEnd(prefix);
  if (marker !== undefined && oldestFirst && marker >= from) from = `${marker}\x00`;
  if (marker !== undefined && !oldestFirst && marker < to) to = marker;
  const wanted = (row: ExecutionRow): boolean =>
    (reference.qualifier === undefined || row.version === version.version) &&
    (input.DurableExecutionName === undefined || row.name === input.DurableExecutionName) &&
    (statuses[0] === undefined || row.status === statuses[0]);
  const limit = pageSize(input.MaxItems, PAGE_ITEMS_DEFAULT);
  const found: { readonly key: Key; readonly row: ExecutionRow }[] = [];
  for (let more = from < to; more && found.length <= limit; ) {
    const page = await store.range({ from, to, reverse: !oldestFirst, limit: SCAN_ROWS });
    const ids = page.entries.map(([, value]) => decodeJson<{ id: string }>(value).id);
    const rows = await store.getMany(ids.map((id) => durableKeys.execution(ctx, id)));
    rows.forEach((value, i) => {
      const row = value && decodeJson<ExecutionRow>(value);
      if (row && wanted(row)) found.push({ key: page.entries[i]?.[0] ?? '', row });
    });
    const last = page.entries.at(-1);
    more = page.more && last !== undefined;
    if (last && oldestFirst) from = `${last[0]}\x00`;
    else if (last) to = last[0];
  }
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const DurableExecutions = shown.map(
    ({ row }): Execution => ({
      DurableExecutionArn: row.arn,
      DurableExecutionName: row.name,
      FunctionArn: functionArn(ctx, row.functionName, row.version),
      Status: row.status as NonNullable<Execution['Status']>,
      StartTimestamp: new Date(row.startedMs),
      ...(row.endedMs === undefined ? {} : { EndTimestamp: new Date(row.endedMs) }),
    }),
  );
  return {
    DurableExecutions,
    ...(found.length > limit && last ? { NextMarker: Buffer.from(last.key.slice(prefix.length), 'latin1').toString('base64') } : {}),
  };
};

function readMarker(prefix: Key, marker: string | undefined): Key | undefined {
  if (!marker) return undefined;
  const rest = Buffer.from(marker, 'base64');
  if (rest.length < 9 || rest.length > 200 || rest.toString('base64') !== marker) throw invalidMarker();
  return prefix + rest.toString('latin1');
}
