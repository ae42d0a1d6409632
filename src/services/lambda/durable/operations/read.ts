import type {
  GetDurableExecutionHistoryRequest,
  GetDurableExecutionHistoryResponse,
  GetDurableExecutionRequest,
  GetDurableExecutionResponse,
  GetDurableExecutionStateRequest,
  GetDurableExecutionStateResponse,
} from '@aws-sdk/client-lambda';
import { decodeJson } from '../../../../kit/json.ts';
import { prefixEnd, uint64 } from '../../../../kit/key.ts';
import type { Operation } from '../../../service.ts';
import { functionArn } from '../../domain/names.ts';
import { invalidMarker } from '../errors.ts';
import { checkToken, idOf, pageSize, requireExecution } from '../find.ts';
import { eventOf } from '../history.ts';
import { EXECUTION_SECONDS_MAX, PAGE_BYTES_MAX, PAGE_ITEMS_DEFAULT } from '../limits.ts';
import { durableKeys, type EventRow, type ExecutionRow, getExecutionRow, readError, readText } from '../store.ts';
import { operationsPage } from '../wire.ts';

/** "GetDurableExecution". */
export const getDurableExecution: Operation<GetDurableExecutionRequest, GetDurableExecutionResponse> = async (ctx, input) => {
  const { store } = ctx.platform;
  const row = await requireExecution(ctx, input.DurableExecutionArn ?? '');
  const include = input.IncludeExecutionData ?? true;
  const failure = include && row.error ? await readError(store, ctx, row.id, row.error) : undefined;
  return {
    DurableExecutionArn: row.arn,
    DurableExecutionName: row.name,
    FunctionArn: functionArn(ctx, row.functionName, row.version),
    ...(include && row.input ? { InputPayload: await readText(store, ctx, row.id, row.input) } : {}),
    ...(include && row.result ? { Result: await readText(store, ctx, row.id, row.result) } : {}),
    ...(failure ? { Error: { ...failure, ...(failure.StackTrace ? { StackTrace: [...failure.StackTrace] } : {}) } } : {}),
    StartTimestamp: new Date(row.startedMs),
    Status: row.status as NonNullable<GetDurableExecutionResponse['Status']>,
    ...(row.endedMs === undefined ? {} : { EndTimestamp: new Date(row.endedMs) }),
    Version: row.version,
    TraceHeader: { XAmznTraceId: row.traceHeader },
    ...newer(row, include),
  } as GetDurableExecutionResponse;
};

/** Members that the installed client's types do not have yet. */
function newer(row: ExecutionRow, include: boolean): Record<string, unknown> {
  const { pause } = row;
  const timeoutMs = pause?.timeoutPaused ? row.startedMs + EXECUTION_SECONDS_MAX * 1000 : row.timeoutMs;
  return {
    ExecutionDataIncluded: include,
    DurableConfig: {
      ExecutionTimeout: row.timeoutSeconds,
      RetentionPeriodInDays: row.retentionDays,
      ...(row.kmsKeyArn === undefined ? {} : { KMSKeyArn: row.kmsKeyArn }),
    },
    ...(pause
      ? {
          PauseDetails: {
            PauseRequestTimestamp: new Date(pause.requestedMs),
            ...(include && pause.reason !== undefined ? { Reason: pause.reason } : {}),
            ExecutionTimeoutPaused: pause.timeoutPaused,
          },
        }
      : {}),
    ...(row.endedMs === undefined ? { ExpectedExecutionTimeoutTimestamp: new Date(timeoutMs) } : {}),
  };
}

/** "GetDurableExecutionHistory". */
export const getDurableExecutionHistory: Operation<GetDurableExecutionHistoryRequest, GetDurableExecutionHistoryResponse> = async (ctx, input) => {
  const { store } = ctx.platform;
  const row = await requireExecution(ctx, input.DurableExecutionArn ?? '');
  const limit = pageSize(input.MaxItems, PAGE_ITEMS_DEFAULT);
  const after = readMarker(input.Marker);
  const prefix = durableKeys.events(ctx, row.id);
  const reverse = input.ReverseOrder ?? false;
  const from = !reverse && after !== undefined ? prefix + uint64(after + 1) : prefix;
  const to = reverse && after !== undefined ? prefix + uint64(after) : prefixEnd(prefix);
  const rows: EventRow[] = [];
  for (let next: { from: string; to: string } | undefined = { from, to }; next && rows.length <= limit; ) {
    const page = await store.range({ ...next, reverse, limit: limit + 1 - rows.length });
    for (const [, value] of page.entries) rows.push(decodeJson<EventRow>(value));
    const last = page.entries.at(-1);
    if (!page.more || !last) next = undefined;
    else next = reverse ? { from, to: last[0] } : { from: `${last[0]}\x00`, to };
  }
  const shown = rows.slice(0, limit);
  const include = input.IncludeExecutionData ?? true;
  const Events = await Promise.all(shown.map((event) => eventOf(store, ctx, row.id, event, include)));
  const last = shown.at(-1);
  return { Events, ...(rows.length > limit && last ? { NextMarker: formatMarker(last.eventId) } : {}) };
};

/** "GetDurableExecutionState": what the function needs to replay, while one of its invocations runs. */
export const getDurableExecutionState: Operation<GetDurableExecutionStateRequest, GetDurableExecutionStateResponse> = async (ctx, input) => {
  const { store } = ctx.platform;
  const arn = input.DurableExecutionArn ?? '';
  const id = idOf(ctx, arn);
  const row = id === undefined ? undefined : await getExecutionRow(store, ctx, id);
  checkToken(row, arn, input.CheckpointToken ?? '');
  const marker = input.Marker ? input.Marker : undefined;
  if (marker !== undefined && !/^\d{1,9}$/.test(marker)) throw invalidMarker();
  const items = pageSize(input.MaxItems, PAGE_ITEMS_DEFAULT);
  const page = await operationsPage(store, ctx, row, { from: Number(marker ?? 0), items, bytes: PAGE_BYTES_MAX });
  return { Operations: [...page.operations], ...(page.next === undefined ? {} : { NextMarker: String(page.next) }) };
};

export const formatMarker = (value: number | string): string => Buffer.from(String(value)).toString('base64');

function readMarker(marker: string | undefined): number | undefined {
  if (!marker) return undefined;
  const text = Buffer.from(marker, 'base64').toString('utf8');
  if (!/^\d{1,15}$/.test(text) || formatMarker(text) !== marker) throw invalidMarker();
  return Number(text);
}
