import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import { decodeJson, encodeJson } from '../kit/json.ts';
import { type Key, keyOf, part, prefixEnd, readUint64, uint64, utf8 } from '../kit/key.ts';
import type { Log } from '../kit/log.ts';
import type { Entry, Store } from '../store/store.ts';
import {
  LINEAGE_AGE_MS_MAX,
  LINEAGE_BYTES_MAX,
  LINEAGE_PAGE_SPANS,
  LINEAGE_TRIM_SPANS,
  NOTES_TRIM_EVERY_MS,
  SPANS_PENDING_MAX,
  SPANS_PER_COMMIT,
} from './limits.ts';
import { createNotes } from './notes.ts';

/** One thing that happened on behalf of a trace. */
export interface Span {
  /** The trace's root, `1-…`. */
  readonly trace: string;
  /** 16 hex digits; a commit has its parent's and a number. */
  readonly id: string;
  /** The span that caused this one. */
  readonly parent?: string;
  readonly kind: 'request' | 'call' | 'delivery' | 'commit';
  /** `lambda:Invoke`, or a delivery's target, e.g. `sqs:send`. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Virtual time. */
  readonly startMs: number;
  readonly durationMs: number;
  /** HTTP status of a request; 0 for success of anything else. */
  readonly status: number;
  /** The error's code, where it failed. */
  readonly error?: string;
  readonly requestId?: string;
  /** What it was about, e.g. ARNs. */
  readonly resources?: readonly string[];
  /** Of a commit: the billable units that were metered in it. */
  readonly units?: Readonly<Record<string, number>>;
}

/** Lineage (design decision 5): each trace's spans and commits, readable for a day or 64 MiB of each, whichever ends first. */
export interface Lineage {
  /** Takes a span for the next flush. Past the bound it is dropped and counted. Never throws. */
  record(span: Span): void;
  flush(): Promise<void>;
  /** The spans of one trace in order of start. */
  read(trace: string): Promise<Span[]>;
  /** The commits of one request, by its id: they name the trace. */
  commitsOf(requestId: string): Promise<Span[]>;
  /** Deletes what is too old or too much; runs with each flush that wrote, and once a minute. */
  trim(): Promise<void>;
  stats(): { pending: number; dropped: number };
}

const BY_TRACE = keyOf('lineage', 'trace');
const BY_TIME = keyOf('lineage', 'time');
const SIZE = keyOf('lineage', 'size');

export interface Bounds {
  readonly ageMs: number;
  readonly bytes: number;
}

export function createLineage(
  store: Store,
  clock: Clock,
  ids: Ids,
  log: Log,
  bounds: Bounds = { ageMs: LINEAGE_AGE_MS_MAX, bytes: LINEAGE_BYTES_MAX },
): Lineage {
  let pending: Span[] = [];
  let dropped = 0;
  let running: Promise<void> | undefined;

  const write = async (spans: readonly Span[]): Promise<void> => {
    for (let from = 0; from < spans.length; from += SPANS_PER_COMMIT) {
      const rows = spans.slice(from, from + SPANS_PER_COMMIT).map((span) => rowOf(span, ids));
      await store.transact({ keys: rows.flatMap(({ traceKey, timeKey }) => [traceKey, timeKey]) }, (tx) => {
        let bytes = 0;
        for (const { traceKey, timeKey, value } of rows) {
          tx.put(traceKey, value);
          tx.put(timeKey, utf8Bytes(traceKey));
          bytes += value.length;
        }
        tx.add(SIZE, BigInt(bytes));
      });
    }
  };

  const trim = async (): Promise<void> => {
    const range = { from: BY_TIME, to: prefixEnd(BY_TIME) };
    for (;;) {
      const size = readCounter(await store.get(SIZE));
      const oldestMs = clock.virtual() - bounds.ageMs;
      const tooOld = ([key]: Entry) => Number(readUint64(key, BY_TIME.length)) < oldestMs;
      const tooMuch = size > BigInt(bounds.bytes);
      const first = (await store.range({ ...range, limit: 1 })).entries[0];
      if (!first || !(tooMuch || tooOld(first))) return;
      const { entries } = await store.range({ ...range, limit: LINEAGE_TRIM_SPANS });
      await remove(store, tooOld(first) ? entries.filter(tooOld) : entries.slice(0, Math.ceil(entries.length / 2)));
    }
  };

  const notes = createNotes(store, clock, bounds);
  let trimmedMs = Number.NEGATIVE_INFINITY;
  let trimming: Promise<void> | undefined;
  const trimNotes = (): Promise<void> | undefined => {
    if (clock.mono() - trimmedMs < NOTES_TRIM_EVERY_MS) return trimming;
    trimmedMs = clock.mono();
    trimming = notes.trim().catch((error: unknown) => log.error({ err: error }, 'old notes of commits could not be deleted'));
    return trimming;
  };

  const flush = async (): Promise<void> => {
    if (running) await running;
    await trimNotes();
    if (pending.length === 0) return;
    const spans = pending;
    pending = [];
    running = write(spans)
      .then(trim)
      .catch((error: unknown) => {
        dropped += spans.length;
        log.error({ err: error, spans: spans.length }, 'lineage could not be written');
      })
      .finally(() => {
        running = undefined;
      });
    await running;
  };

  return {
    record(span) {
      if (pending.length >= SPANS_PENDING_MAX) dropped++;
      else pending.push(span);
    },
    flush,
    async trim() {
      await trim();
      await notes.trim();
    },
    async read(trace) {
      await flush();
      const prefix = BY_TRACE + part(utf8(trace));
      const page = await store.range({ from: prefix, to: prefixEnd(prefix), limit: LINEAGE_PAGE_SPANS });
      const spans = page.entries.map(([, value]) => decodeJson<Span>(value));
      const commits = await notes.read(trace, LINEAGE_PAGE_SPANS - spans.length);
      return [...spans, ...commits].sort((a, b) => a.startMs - b.startMs);
    },
    commitsOf: (requestId) => notes.read(requestId, LINEAGE_PAGE_SPANS),
    stats: () => ({ pending: pending.length, dropped }),
  };
}

async function remove(store: Store, rows: readonly Entry[]): Promise<void> {
  const keys = rows.map(([timeKey, traceKey]) => ({ timeKey, traceKey: Buffer.from(traceKey).toString('latin1') }));
  await store.transact({ keys: keys.flatMap(({ timeKey, traceKey }) => [timeKey, traceKey]) }, (tx) => {
    let bytes = 0;
    for (const { timeKey, traceKey } of keys) {
      bytes += tx.get(traceKey)?.length ?? 0;
      tx.delete(traceKey);
      tx.delete(timeKey);
    }
    tx.add(SIZE, BigInt(-bytes));
  });
}

function rowOf(span: Span, ids: Ids): { traceKey: Key; timeKey: Key; value: Buffer } {
  const when = uint64(Math.max(0, Math.floor(span.startMs)));
  // Spans may share an id (a retried delivery), so the row has one of its own.
  const row = when + span.id + ids.text(6);
  return { traceKey: BY_TRACE + part(utf8(span.trace)) + row, timeKey: BY_TIME + row, value: encodeJson(span) };
}

function utf8Bytes(key: Key): Buffer {
  return Buffer.from(key, 'latin1');
}

function readCounter(value: Uint8Array | undefined): bigint {
  return value === undefined ? 0n : new DataView(value.buffer, value.byteOffset, value.byteLength).getBigInt64(0);
}
