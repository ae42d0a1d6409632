import { virtualTimer } from '../../../kit/timer.ts';
import type { Tx } from '../../../store/store.ts';
import { enqueueDispatch, packed } from '../destinations.ts';
import { lambdaContext } from '../principal.ts';
import { mappedFunctionArn } from './describe.ts';
import { type Engine, pause, runOnce, throttleMs } from './engine.ts';
import { RETRY_MS_MAX, RETRY_MS_MIN } from './limits.ts';
import { readFailures } from './partial-failures.ts';
import type { MappingRow, WindowRow } from './rows.ts';
import type { StreamItem } from './stream-event.ts';

/** A tumbling window's part of an invocation. */
export interface WindowCall {
  readonly startMs: number;
  readonly endMs: number;
  readonly state: unknown;
  readonly final: boolean;
}

/** What processing needs of its lane. */
export interface LaneParts {
  readonly engine: Engine;
  readonly row: MappingRow;
  readonly shardId: string;
  readonly signal: AbortSignal;
  /** Commits that items are done; the window's new state with them. */
  readonly done: (items: readonly StreamItem[], window: { readonly row: WindowRow | undefined } | undefined, also?: (tx: Tx) => void) => Promise<void>;
  readonly tell: (result: string) => Promise<void>;
}

/** How often, and how, the items at hand have been tried. */
interface Tries {
  /** That count against `MaximumRetryAttempts`. */
  failed: number;
  invoked: number;
  throttled: number;
  requestId: string;
  version: string;
  functionError: string | null;
}

const fresh = (): Tries => ({ failed: 0, invoked: 0, throttled: 0, requestId: '', version: '', functionError: null });

type Condition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

/**
 * Hands a batch to the function until it is done, or given up: retries in order, split in halves where the mapping says so, from the first
 * failed item on where the function names one. "Using Lambda with Amazon DynamoDB", "Configuring partial batch response".
 */
export async function processBatch(lane: LaneParts, items: readonly StreamItem[], window: WindowCall | undefined): Promise<void> {
  const work: (readonly StreamItem[])[] = [items];
  let state = window?.state;
  for (let part = work.shift(); part && !lane.signal.aborted; part = work.shift()) {
    const call = window ? { ...window, state } : undefined;
    const outcome = await processPart(lane, part, call);
    if (outcome.split) work.unshift(...outcome.split);
    if (outcome.state) state = outcome.state.value;
  }
}

interface PartOutcome {
  readonly split?: readonly (readonly StreamItem[])[];
  readonly state?: { readonly value: unknown };
}

async function processPart(lane: LaneParts, items: readonly StreamItem[], window: WindowCall | undefined): Promise<PartOutcome> {
  const { settings } = lane.row;
  let left = items;
  let tries = fresh();
  while (!lane.signal.aborted) {
    left = await withoutOld(lane, left, tries, window);
    if (left.length === 0 && !window?.final) return {};
    const answer = await attempt(lane, left, window, tries);
    if (answer === 'unavailable') {
      await pause(throttleMs(tries.throttled++), lane.signal);
      continue;
    }
    if (answer.failed === undefined) {
      await lane.tell('OK');
      await lane.done(left, windowAfter(window, answer.state));
      return { state: { value: answer.state } };
    }
    await lane.tell('PROBLEM: Function call failed');
    if (answer.failed > 0) {
      await lane.done(left.slice(0, answer.failed), undefined);
      left = left.slice(answer.failed);
      tries = fresh();
    } else if (settings.bisect && left.length > 1 && !answer.partial) {
      const middle = Math.ceil(left.length / 2);
      return { split: [left.slice(0, middle), left.slice(middle)] };
    } else if (++tries.failed > (settings.retriesMax ?? -1) && settings.retriesMax !== undefined && settings.retriesMax >= 0) {
      await discard(lane, left, 'RetryAttemptsExhausted', tries, window);
      return {};
    }
    await virtualPause(lane, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(tries.failed, 10)));
  }
  return {};
}

/** One invocation. `failed`: the index of the first item that is to come again; undefined where all went well. */
async function attempt(
  lane: LaneParts,
  items: readonly StreamItem[],
  window: WindowCall | undefined,
  tries: Tries,
): Promise<'unavailable' | { readonly failed?: number; readonly partial?: boolean; readonly state: unknown }> {
  const ran = await runOnce(lane.engine, lane.row, eventOf(lane, items, window), undefined);
  if (ran.kind !== 'ran') return 'unavailable';
  tries.invoked++;
  tries.requestId = ran.requestId;
  tries.version = ran.version;
  tries.functionError = ran.result.functionError ?? null;
  if (ran.result.functionError) return { failed: 0, state: undefined };
  const state = window ? stateOf(ran.result.payload) : undefined;
  if (!lane.row.settings.partialFailures) return { state };
  const failures = readFailures(ran.result.payload, new Set(items.map(({ sequence }) => sequence)));
  if (failures === 'all') return { failed: 0, state };
  if (failures.length === 0) return { state };
  return { failed: items.findIndex(({ sequence }) => failures.includes(sequence)), partial: true, state };
}

function eventOf(lane: LaneParts, items: readonly StreamItem[], window: WindowCall | undefined): Buffer {
  const records = `{"Records":[${items.map(({ json }) => json).join(',')}]`;
  if (!window) return Buffer.from(`${records}}`);
  const second = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
  const members = {
    window: { start: second(window.startMs), end: second(window.endMs) },
    state: window.state ?? {},
    shardId: lane.shardId,
    eventSourceARN: lane.row.sourceArn,
    isFinalInvokeForWindow: window.final,
    isWindowTerminatedEarly: false,
  };
  return Buffer.from(`${records},${JSON.stringify(members).slice(1)}`);
}

/** `TimeWindowEventResponse`: what the next invocation of the window is given. */
function stateOf(answer: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(answer.toString('utf8'));
    return typeof value === 'object' && value !== null ? ((value as { state?: unknown }).state ?? {}) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function windowAfter(window: WindowCall | undefined, state: unknown): { readonly row: WindowRow | undefined } | undefined {
  if (!window) return undefined;
  return { row: window.final ? undefined : { startMs: window.startMs, state } };
}

/** Gives up what has become too old; the rest. */
async function withoutOld(lane: LaneParts, items: readonly StreamItem[], tries: Tries, window: WindowCall | undefined): Promise<readonly StreamItem[]> {
  const ageSeconds = lane.row.settings.ageSecondsMax ?? -1;
  if (ageSeconds < 0) return items;
  const oldestMs = lane.engine.platform.clock.virtual() - ageSeconds * 1000;
  const old = items.filter(({ createdMs }) => createdMs < oldestMs);
  if (old.length === 0) return items;
  await discard(lane, old, 'RecordAgeExceeded', tries, window);
  return items.filter((item) => !old.includes(item));
}

/** Gives items up: the record of it goes to the destination in the commit that moves on. */
async function discard(lane: LaneParts, items: readonly StreamItem[], condition: Condition, tries: Tries, window: WindowCall | undefined): Promise<void> {
  const { engine, row } = lane;
  const { platform } = engine;
  const ended = window?.final ? { row: undefined } : undefined;
  platform.log.warn(
    { mapping: row.uuid, function: row.functionName, shard: lane.shardId, records: items.length, condition },
    'records of a stream were discarded',
  );
  const destination = row.settings.onFailure;
  if (destination === undefined || items.length === 0) return lane.done(items, ended);
  const nowMs = platform.clock.virtual();
  const record = failureRecord(lane, items, condition, tries, nowMs);
  const s3 = destination.includes(':s3:');
  const dispatch = await packed(platform, {
    arn: destination,
    body: JSON.stringify(s3 ? { ...record, payload: { Records: items.map((item) => item.record) } } : record),
    functionArn: mappedFunctionArn(row),
    ...(s3 ? { objectKey: objectKey(lane, nowMs) } : {}),
  });
  const ctx = lambdaContext(platform, row);
  await lane.done(items, ended, (tx) => enqueueDispatch(ctx, tx, dispatch));
}

/** "Example: invocation record" of DynamoDB streams. */
function failureRecord(lane: LaneParts, items: readonly StreamItem[], condition: Condition, tries: Tries, nowMs: number): Record<string, unknown> {
  const [first, last] = [items[0], items.at(-1)];
  const seconds = (item: StreamItem | undefined) => new Date(Math.floor((item?.createdMs ?? 0) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return {
    requestContext: {
      requestId: tries.requestId === '' ? lane.engine.platform.ids.uuid() : tries.requestId,
      functionArn: mappedFunctionArn(lane.row),
      condition,
      approximateInvokeCount: tries.invoked,
    },
    ...(tries.invoked === 0 ? {} : { responseContext: { statusCode: 200, executedVersion: tries.version, functionError: tries.functionError } }),
    version: '1.0',
    timestamp: new Date(nowMs).toISOString(),
    DDBStreamBatchInfo: {
      shardId: lane.shardId,
      startSequenceNumber: first?.sequence,
      endSequenceNumber: last?.sequence,
      approximateArrivalOfFirstRecord: seconds(first),
      approximateArrivalOfLastRecord: seconds(last),
      batchSize: items.length,
      streamArn: lane.row.sourceArn,
    },
  };
}

/** `aws/lambda/<ESM-UUID>/<shardID>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<Random UUID>`. */
function objectKey(lane: LaneParts, nowMs: number): string {
  const iso = new Date(nowMs).toISOString();
  const [day = '', time = ''] = iso.slice(0, 19).split('T');
  return `aws/lambda/${lane.row.uuid}/${lane.shardId}/${day.replaceAll('-', '/')}/${day}T${time.replaceAll(':', '.')}-${lane.engine.platform.ids.uuid()}`;
}

/** Waits on the virtual clock, or until the lane stops. */
function virtualPause({ engine, signal }: LaneParts, waitMs: number): Promise<void> {
  const { clock } = engine.platform;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      timer.stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = virtualTimer(clock, done);
    signal.addEventListener('abort', done);
    timer.arm(clock.virtual() + waitMs);
  });
}
