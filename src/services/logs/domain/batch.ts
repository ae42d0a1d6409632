import { invalidParameter } from '../errors.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_SPAN_MS_MAX,
  CHUNK_BYTES_MAX,
  CHUNK_EVENTS_MAX,
  CHUNK_SPAN_MS,
  EVENT_AGE_MS_MAX,
  EVENT_FUTURE_MS_MAX,
  EVENT_OVERHEAD_BYTES,
} from '../limits.ts';

export interface BatchEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface RejectedInfo {
  tooOldLogEventEndIndex?: number;
  tooNewLogEventStartIndex?: number;
  expiredLogEventEndIndex?: number;
}

/** Events as they are stored: one stream's, close together in time. */
export interface ChunkEvents {
  readonly firstMs: number;
  readonly events: readonly BatchEvent[];
}

/** What AWS counts: UTF-8 bytes and 26 an event. */
export function batchBytes(events: readonly BatchEvent[]): number {
  let total = 0;
  for (const event of events) total += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
  return total;
}

/** The rules that fail a whole batch whatever the log group: size and order. Returns its bytes. */
export function checkBatch(events: readonly BatchEvent[]): number {
  const size = batchBytes(events);
  if (size > BATCH_BYTES_MAX) throw invalidParameter(`Upload too large: ${size} bytes exceeds limit of ${BATCH_BYTES_MAX}`);
  for (let i = 1; i < events.length; i++) {
    if ((events[i]?.timestamp ?? 0) < (events[i - 1]?.timestamp ?? 0)) {
      throw invalidParameter('Log events in a single PutLogEvents request must be in chronological order.');
    }
  }
  return size;
}

/**
 * Splits a batch in chronological order into what is accepted and what is not; `nowMs` is virtual time. Too-old and expired events are
 * a head of the batch (end index exclusive), too-new ones its tail (start index inclusive). Throws where the rest spans more than 24 hours.
 */
export function acceptBatch(events: readonly BatchEvent[], nowMs: number, retentionInDays: number | undefined) {
  const tooOldMs = nowMs - EVENT_AGE_MS_MAX;
  const expiredMs = retentionInDays === undefined ? Number.NEGATIVE_INFINITY : nowMs - retentionInDays * 86_400_000;
  const tooNewMs = nowMs + EVENT_FUTURE_MS_MAX;
  const rejected: RejectedInfo = {};
  let start = 0;
  let end = events.length;
  events.forEach(({ timestamp }, index) => {
    if (timestamp < tooOldMs) rejected.tooOldLogEventEndIndex = index + 1;
    else if (timestamp < expiredMs) rejected.expiredLogEventEndIndex = index + 1;
    else if (timestamp > tooNewMs) rejected.tooNewLogEventStartIndex ??= index;
  });
  start = Math.max(rejected.tooOldLogEventEndIndex ?? 0, rejected.expiredLogEventEndIndex ?? 0);
  end = rejected.tooNewLogEventStartIndex ?? events.length;
  const accepted = events.slice(start, Math.max(start, end));
  if ((accepted.at(-1)?.timestamp ?? 0) - (accepted[0]?.timestamp ?? 0) > BATCH_SPAN_MS_MAX) {
    throw invalidParameter('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  }
  return { accepted, rejected: Object.keys(rejected).length > 0 ? rejected : undefined };
}

/** Cuts accepted events into chunks within the chunk limits; order is kept. */
export function chunksOf(events: readonly BatchEvent[]): ChunkEvents[] {
  const chunks: { firstMs: number; events: BatchEvent[] }[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(event.message);
    const open = chunks.at(-1);
    const fits =
      open !== undefined && event.timestamp - open.firstMs < CHUNK_SPAN_MS && open.events.length < CHUNK_EVENTS_MAX && bytes + size <= CHUNK_BYTES_MAX;
    if (fits) {
      open.events.push(event);
      bytes += size;
    } else {
      chunks.push({ firstMs: event.timestamp, events: [event] });
      bytes = size;
    }
  }
  return chunks;
}
