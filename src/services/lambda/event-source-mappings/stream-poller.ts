import type { _Record, Shard } from '@aws-sdk/client-dynamodb-streams';
import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { lambdaPrincipal } from '../principal.ts';
import { type Engine, type Poller, pause, settledWithin } from './engine.ts';
import { recordFilter } from './filters.ts';
import { createLane, type Lane } from './lane.ts';
import { ITERATOR_MS_MAX, STREAM_AHEAD_BYTES_MAX, STREAM_AHEAD_MAX, STREAM_READ_MAX, STREAM_RETRY_MS, THROTTLE_MS_MAX } from './limits.ts';
import { openProgress, type Progress } from './progress.ts';
import { type MappingRow, mappingKeys } from './rows.ts';
import { type StreamItem, streamItem } from './stream-event.ts';

const SERVICE = 'dynamodbstreams';

/** A context for reading the stream as Lambda. */
export function readerContext({ platform }: Pick<Engine, 'platform'>, row: Pick<MappingRow, 'account' | 'region' | 'sourceArn'>, signal?: AbortSignal): Ctx {
  return platform.contextFor({
    account: row.account,
    region: parseArn(row.sourceArn)?.region || row.region,
    principal: lambdaPrincipal(row.account),
    service: 'lambda',
    ...(signal ? { signal } : {}),
  });
}

export async function shardsOf(ctx: Ctx, arn: string): Promise<readonly string[]> {
  const answer = await ctx.call(SERVICE, 'DescribeStream', { StreamArn: arn });
  const { Shards = [] } = (answer['StreamDescription'] ?? {}) as { Shards?: Shard[] };
  return Shards.map(({ ShardId = '' }) => ShardId);
}

export async function latestIterator(ctx: Ctx, arn: string, shardId: string): Promise<string> {
  const answer = await ctx.call(SERVICE, 'GetShardIterator', { StreamArn: arn, ShardId: shardId, ShardIteratorType: 'LATEST' });
  return String(answer['ShardIterator'] ?? '');
}

/**
 * Reads a table's stream shard by shard and hands its records to the function, in order of each key. Reads when a commit has added
 * something, and sleeps until then. What is done is kept in the store with each batch. "Using Lambda with Amazon DynamoDB".
 */
export function createStreamPoller(engine: Engine, row: MappingRow): Poller {
  const { platform } = engine;
  const abort = new AbortController();
  let result: string | undefined;
  const tell = async (text: string): Promise<void> => {
    if (text === result) return;
    result = text;
    const key = mappingKeys.result(row.uuid);
    await platform.store.transact({ keys: [key] }, (tx) => tx.put(key, encodeJson({ result: text })));
  };

  /** Tries again after errors, for as long as the stream is there. */
  async function persist(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    for (let failures = 0; !abort.signal.aborted; failures++) {
      const own = new AbortController();
      try {
        return await work(AbortSignal.any([abort.signal, own.signal]));
      } catch (error) {
        if (abort.signal.aborted) return;
        const gone = error instanceof AwsError && error.code === 'ResourceNotFoundException';
        platform.log[gone ? 'debug' : 'error']({ err: error, mapping: row.uuid, stream: row.sourceArn }, 'a stream could not be read for a function');
        if (gone) return tell('PROBLEM: Stream not found');
      } finally {
        own.abort();
      }
      await pause(Math.min(THROTTLE_MS_MAX, STREAM_RETRY_MS * 2 ** Math.min(failures, 10)), abort.signal);
    }
  }

  const run = () =>
    persist(async (signal) => {
      const shards = await shardsOf(readerContext(engine, row, signal), row.sourceArn);
      await Promise.all(shards.map((shardId) => persist((own) => readShard({ engine, row, shardId, signal: own, tell }))));
    });

  const running = run();
  return {
    async stop(waitMs) {
      abort.abort();
      await settledWithin([running], waitMs);
    },
  };
}

interface ShardParts {
  readonly engine: Engine;
  readonly row: MappingRow;
  readonly shardId: string;
  readonly signal: AbortSignal;
  readonly tell: (result: string) => Promise<void>;
}

/** Reads one shard to its end, which comes when the stream is disabled. */
async function readShard(given: ShardParts): Promise<void> {
  const { engine, row, shardId } = given;
  const { platform } = engine;
  const own = new AbortController();
  const signal = AbortSignal.any([given.signal, own.signal]);
  const parts: ShardParts = { ...given, signal };
  const progress = await openProgress(platform.store, row, shardId);
  const lanes = openLanes(parts, progress);
  // A lane that cannot go on ends the reading too: all of it begins again at the checkpoint.
  lanes.finished.catch(() => own.abort());
  const news = await openNews(engine, row, signal);
  const wanted = recordFilter(row.settings.filters);
  let last = progress.row.after;
  try {
    const start = await firstIterator(parts, progress);
    let iterator: string | undefined = start.iterator;
    let skipBeforeMs = start.skipBeforeMs;
    while (iterator !== undefined && !signal.aborted) {
      if (progress.waiting >= STREAM_AHEAD_MAX || lanes.waitingBytes() >= STREAM_AHEAD_BYTES_MAX) {
        await lanes.some();
        continue;
      }
      news.clear();
      const page = await readPage(parts, iterator, last);
      if (page.lost && last === undefined) skipBeforeMs = progress.row.sinceMs;
      for (const record of page.records) {
        const item = streamItem(row.sourceArn, record);
        last = item.sequence;
        // Times in a stream are whole seconds.
        const early = skipBeforeMs !== undefined && item.createdMs < Math.floor(skipBeforeMs / 1000) * 1000;
        lanes.take(item, early || !wanted(item.record));
      }
      await progress.flush();
      iterator = page.next;
      if (page.records.length === 0 && iterator !== undefined && !page.lost) await news.wait();
    }
    lanes.end();
    await lanes.finished;
  } finally {
    own.abort();
    news.close();
    // Nothing else begins before what is under way has ended.
    await lanes.finished.catch(() => undefined);
  }
}

interface Lanes {
  take(item: StreamItem, unwanted: boolean): void;
  end(): void;
  /** Resolves after a batch is done. */
  some(): Promise<void>;
  waitingBytes(): number;
  readonly finished: Promise<unknown>;
}

function openLanes({ engine, row, shardId, signal, tell }: ShardParts, progress: Progress): Lanes {
  const count = row.settings.parallelization ?? 1;
  // Named by their number too: with another factor, keys fall to other lanes, and old places mean nothing.
  const name = (index: number) => `${index}/${count}`;
  let moved: () => void = () => undefined;
  let bytes = 0;
  const laneOf = (index: number): Lane =>
    createLane(
      {
        engine,
        row,
        shardId,
        signal,
        tell,
        async done(items, window, also) {
          const change = window ? { lane: name(index), window: window.row } : undefined;
          await progress.finish(
            items.map(({ sequence }) => sequence),
            change,
            also,
          );
          for (const { json } of items) bytes -= json.length;
          moved();
        },
      },
      progress.row.windows?.[name(index)],
    );
  const lanes = Array.from({ length: count }, (_, index) => laneOf(index));
  const finished = allOf(lanes.map((lane) => lane.finished));
  return {
    take(item, unwanted) {
      const index = item.keyHash % count;
      if (progress.add(item.sequence, name(index), unwanted)) return;
      bytes += item.json.length;
      lanes[index]?.push(item);
    },
    end() {
      for (const lane of lanes) lane.end();
    },
    waitingBytes: () => bytes,
    some: () =>
      Promise.race([
        finished.catch(() => undefined),
        new Promise<void>((resolve) => {
          moved = resolve;
        }),
      ]).then(() => undefined),
    finished,
  };
}

/** Resolves or rejects when all have ended. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(work)) if (one.status === 'rejected') throw one.reason;
}

/** Whether something came since it was last asked. */
async function openNews(engine: Engine, row: MappingRow, signal: AbortSignal): Promise<{ clear(): void; wait(): Promise<void>; close(): void }> {
  let some = false;
  let tell: () => void = () => undefined;
  const arrive = () => {
    some = true;
    tell();
  };
  const end = await (engine.platform.watch?.(SERVICE, row.sourceArn, arrive) ?? Promise.resolve(() => undefined));
  signal.addEventListener('abort', arrive, { once: true });
  return {
    clear() {
      some = signal.aborted;
    },
    wait: () =>
      new Promise((resolve) => {
        tell = resolve;
        if (some) resolve();
      }),
    close() {
      end();
      signal.removeEventListener('abort', arrive);
    },
  };
}

interface Start {
  readonly iterator: string;
  /** Records before this time are older than the mapping. */
  readonly skipBeforeMs?: number;
}

async function firstIterator({ engine, row, shardId, signal }: ShardParts, progress: Progress): Promise<Start> {
  const { after, iterator, sinceMs } = progress.row;
  if (after === undefined && sinceMs !== undefined) {
    const fresh = iterator !== undefined && engine.platform.clock.virtual() < sinceMs + ITERATOR_MS_MAX;
    return fresh ? { iterator } : { iterator: await iteratorAfter(engine, row, shardId, signal, undefined), skipBeforeMs: sinceMs };
  }
  return { iterator: await iteratorAfter(engine, row, shardId, signal, after) };
}

/** Behind a record, or at the oldest there is where that is trimmed, or nothing is done yet. */
async function iteratorAfter(engine: Engine, row: MappingRow, shardId: string, signal: AbortSignal, after: string | undefined): Promise<string> {
  const ctx = readerContext(engine, row, signal);
  const input = { StreamArn: row.sourceArn, ShardId: shardId };
  const oldest = { ...input, ShardIteratorType: 'TRIM_HORIZON' };
  const place = after === undefined ? oldest : { ...input, ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after };
  try {
    return String((await ctx.call(SERVICE, 'GetShardIterator', place))['ShardIterator']);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'TrimmedDataAccessException') throw error;
    return String((await ctx.call(SERVICE, 'GetShardIterator', oldest))['ShardIterator']);
  }
}

interface StreamPage {
  readonly records: readonly _Record[];
  readonly next?: string;
  /** The place was lost, and another was found: nothing was read yet. */
  readonly lost?: boolean;
}

async function readPage({ engine, row, shardId, signal }: ShardParts, iterator: string, last: string | undefined): Promise<StreamPage> {
  const ctx = readerContext(engine, row, signal);
  try {
    const answer = await ctx.call(SERVICE, 'GetRecords', { ShardIterator: iterator, Limit: STREAM_READ_MAX });
    const next = answer['NextShardIterator'];
    return { records: (answer['Records'] ?? []) as _Record[], ...(typeof next === 'string' ? { next } : {}) };
  } catch (error) {
    const lost = error instanceof AwsError && (error.code === 'ExpiredIteratorException' || error.code === 'TrimmedDataAccessException');
    if (!lost) throw error;
    return { records: [], next: await iteratorAfter(engine, row, shardId, signal, last), lost };
  }
}
