import type { Message } from '@aws-sdk/client-sqs';
import { parseArn } from '../../../kit/arn.ts';
import { virtualTimer } from '../../../kit/timer.ts';
import { parseTrace, type Trace } from '../../../kit/trace.ts';
import type { Ctx } from '../../service.ts';
import { lambdaPrincipal } from '../principal.ts';
import { deepest } from '../recursion.ts';
import { type Engine, type Poller, pause, runOnce, settledWithin, throttleMs } from './engine.ts';
import { filterable, recordFilter } from './filters.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_OVERHEAD_BYTES,
  POLLER_BATCHES,
  PROVISIONED_BATCHES_PER_SECOND,
  SQS_BATCHES_FIRST,
  SQS_BATCHES_MAX,
  SQS_BATCHES_PER_SECOND,
  SQS_IN_FLIGHT_BYTES_MAX,
  SQS_MESSAGES_MAX,
  SQS_WAIT_SECONDS,
  STREAM_RETRY_MS,
  THROTTLE_MS_MAX,
} from './limits.ts';
import { readFailures } from './partial-failures.ts';
import type { MappingRow } from './rows.ts';
import { type SqsRecord, sqsRecord } from './sqs-event.ts';

/** A message on its way to the function. */
interface Item {
  readonly record: SqsRecord;
  readonly json: string;
  readonly trace?: Trace;
}

const DEFAULT_VISIBILITY_MS = 30_000;

/**
 * Brings a queue's messages to its function: long polls that wake with the send, batches by size and window, several at once, more
 * while there is more to do. Messages are deleted after success only; those of a failed batch come back when their time is over.
 * "Using Lambda with Amazon SQS".
 */
export function createSqsPoller(engine: Engine, row: MappingRow): Poller {
  const { platform } = engine;
  const { settings } = row;
  const abort = new AbortController();
  const wanted = recordFilter(settings.filters);
  const running = new Set<Promise<void>>();
  const source = parseArn(row.sourceArn);
  const queueUrl = `http://sqs/${source?.account ?? row.account}/${source?.resource ?? ''}`;
  const { pollers } = settings;
  const most = pollers ? pollers.max * POLLER_BATCHES : (settings.concurrencyMax ?? SQS_BATCHES_MAX);
  const first = Math.min(pollers ? pollers.min * POLLER_BATCHES : SQS_BATCHES_FIRST, most);
  const growMs = 1000 / (pollers ? PROVISIONED_BATCHES_PER_SECOND : SQS_BATCHES_PER_SECOND);
  let limit = first;
  let grownMs = 0;
  /** Received and not yet in a batch: what did not fit into the last one. */
  let left: Item[] = [];
  /** Of the batches under way. */
  let bytes = 0;

  const contextFor = (signal?: AbortSignal): Ctx =>
    platform.contextFor({
      account: row.account,
      region: source?.region || row.region,
      principal: lambdaPrincipal(row.account),
      service: 'lambda',
      ...(signal ? { signal } : {}),
    });

  async function receive(max: number, signal: AbortSignal): Promise<Item[]> {
    const answer = await contextFor(signal).call('sqs', 'ReceiveMessage', {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(max, SQS_MESSAGES_MAX),
      WaitTimeSeconds: SQS_WAIT_SECONDS,
      AttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    const items = ((answer['Messages'] ?? []) as Message[]).map((message): Item => {
      const record = sqsRecord(row, message);
      const trace = parseTrace(message.Attributes?.['AWSTraceHeader']);
      return { record, json: JSON.stringify(record), ...(trace ? { trace } : {}) };
    });
    const kept = items.filter(({ record }) => wanted(filterable(record)));
    if (kept.length < items.length) await remove(items.filter((item) => !kept.includes(item)));
    return kept;
  }

  /** The next batch: what one receive brings, or what comes until it is full or its window ends. */
  async function gather(): Promise<Item[]> {
    const items = left.length > 0 ? left : await receive(settings.batchSize, abort.signal);
    left = [];
    if (items.length > 0 && settings.windowSeconds > 0) await gatherMore(items);
    const count = fitting(items, settings.batchSize);
    left = items.slice(count);
    return items.slice(0, count);
  }

  async function gatherMore(items: Item[]): Promise<void> {
    const over = new AbortController();
    const timer = virtualTimer(platform.clock, () => over.abort());
    timer.arm(platform.clock.virtual() + settings.windowSeconds * 1000);
    const either = AbortSignal.any([abort.signal, over.signal]);
    try {
      while (!either.aborted && items.length < settings.batchSize && fitting(items, settings.batchSize) === items.length) {
        items.push(...(await receive(settings.batchSize - items.length, either)));
      }
    } finally {
      timer.stop();
    }
  }

  async function handle(items: readonly Item[]): Promise<void> {
    const event = Buffer.from(`{"Records":[${items.map(({ json }) => json).join(',')}]}`);
    const trace = deepest(items.flatMap((item) => (item.trace ? [item.trace] : [])));
    let untilMs: number | undefined;
    for (let tries = 0; ; tries++) {
      const ran = await runOnce(engine, row, event, trace);
      if (ran.kind === 'ran') {
        if (ran.result.functionError) return;
        const failures = settings.partialFailures ? readFailures(ran.result.payload, new Set(items.map(({ record }) => record.messageId))) : [];
        if (failures === 'all') return;
        return remove(items.filter(({ record }) => !failures.includes(record.messageId)));
      }
      if (ran.kind === 'recursive') return;
      // Throttled: it is tried until the messages are visible again, and received by somebody else.
      limit = Math.max(1, Math.floor(limit / 2));
      untilMs ??= platform.clock.mono() + (await visibilityMs());
      if (abort.signal.aborted || platform.clock.mono() + throttleMs(tries) > untilMs) return;
      await pause(throttleMs(tries), abort.signal);
    }
  }

  async function visibilityMs(): Promise<number> {
    try {
      const answer = await contextFor().call('sqs', 'GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['VisibilityTimeout'] });
      return Number((answer['Attributes'] as Record<string, string> | undefined)?.['VisibilityTimeout'] ?? 30) * 1000;
    } catch (error) {
      platform.log.debug({ err: error, mapping: row.uuid }, 'the visibility timeout of a queue could not be read');
      return DEFAULT_VISIBILITY_MS;
    }
  }

  async function remove(items: readonly Item[]): Promise<void> {
    for (let at = 0; at < items.length; at += SQS_MESSAGES_MAX) {
      const Entries = items.slice(at, at + SQS_MESSAGES_MAX).map(({ record }, i) => ({ Id: String(i), ReceiptHandle: record.receiptHandle }));
      await contextFor().call('sqs', 'DeleteMessageBatch', { QueueUrl: queueUrl, Entries });
    }
  }

  /** Waits until another batch may run; the longer all are busy, the more may. */
  async function slot(): Promise<void> {
    if (running.size === 0) limit = Math.max(limit, first);
    while ((running.size >= limit || bytes >= SQS_IN_FLIGHT_BYTES_MAX) && !abort.signal.aborted) {
      const free = new AbortController();
      void Promise.race(running).finally(() => free.abort());
      await pause(growMs, AbortSignal.any([abort.signal, free.signal]));
      const nowMs = platform.clock.mono();
      if (running.size < limit || bytes >= SQS_IN_FLIGHT_BYTES_MAX || nowMs - grownMs < growMs) continue;
      grownMs = nowMs;
      limit = Math.min(most, limit + 1);
    }
  }

  function begin(items: readonly Item[]): void {
    const size = items.reduce((sum, { json }) => sum + json.length, 0);
    bytes += size;
    const work = handle(items)
      .catch((error: unknown) => platform.log.error({ err: error, mapping: row.uuid }, 'a batch of messages could not be settled; they will come back'))
      .finally(() => {
        running.delete(work);
        bytes -= size;
        if (running.size === 0) limit = first;
      });
    running.add(work);
  }

  async function loop(): Promise<void> {
    for (let failures = 0; !abort.signal.aborted; ) {
      await slot();
      if (abort.signal.aborted) return;
      try {
        const items = await gather();
        failures = 0;
        if (items.length > 0) begin(items);
      } catch (error) {
        if (abort.signal.aborted) return;
        platform.log.debug({ err: error, mapping: row.uuid, queue: row.sourceArn }, 'messages could not be received for a function');
        await pause(Math.min(THROTTLE_MS_MAX, STREAM_RETRY_MS * 2 ** Math.min(failures++, 10)), abort.signal);
      }
    }
  }

  const looping = loop();
  return {
    async stop(waitMs) {
      abort.abort();
      await settledWithin([looping, ...running], waitMs);
    },
  };
}

/** How many of these make a batch that a function can be given. */
function fitting(items: readonly Item[], max: number): number {
  let bytes = BATCH_OVERHEAD_BYTES;
  let count = 0;
  for (const { json } of items) {
    bytes += Buffer.byteLength(json) + 1;
    if (count >= max || (count > 0 && bytes > BATCH_BYTES_MAX)) break;
    count++;
  }
  return count;
}
