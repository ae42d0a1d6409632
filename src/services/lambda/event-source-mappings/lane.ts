import { virtualTimer } from '../../../kit/timer.ts';
import { BATCH_BYTES_MAX, BATCH_OVERHEAD_BYTES } from './limits.ts';
import type { WindowRow } from './rows.ts';
import { type LaneParts, processBatch, type WindowCall } from './stream-batch.ts';
import type { StreamItem } from './stream-event.ts';

/** Records of a shard that are processed one batch after the other: all of it, or with a parallelization factor those of some keys. */
export interface Lane {
  push(item: StreamItem): void;
  /** No more comes: what is there is processed without waiting for more. */
  end(): void;
  /** Resolves when the lane has ended and is empty, or was stopped. */
  readonly finished: Promise<void>;
}

interface Next {
  readonly items: readonly StreamItem[];
  readonly window?: WindowCall;
}

/** `open`: the tumbling window that was open when the process ended. */
export function createLane(parts: LaneParts, open: WindowRow | undefined): Lane {
  const { settings } = parts.row;
  const { clock } = parts.engine.platform;
  const windowMs = (settings.tumblingSeconds ?? 0) * 1000;
  let queue: StreamItem[] = [];
  let firstMs = 0;
  let ended = false;
  let window = open;
  let wake: () => void = () => undefined;
  const timer = virtualTimer(clock, () => wake());
  const inner: LaneParts = {
    ...parts,
    async done(items, change, also) {
      if (change) window = change.row;
      await parts.done(items, change, also);
    },
  };

  /** How many items at the front make a batch: by number, size, and of one tumbling window. */
  const ready = (): number => {
    let bytes = BATCH_OVERHEAD_BYTES;
    let count = 0;
    const startMs = windowStart(queue[0]);
    for (const item of queue) {
      bytes += Buffer.byteLength(item.json) + 1;
      if (count >= settings.batchSize || (count > 0 && bytes > BATCH_BYTES_MAX)) break;
      if (windowMs > 0 && windowStart(item) !== startMs) break;
      count++;
    }
    return count;
  };

  const windowStart = (item: StreamItem | undefined): number => (windowMs > 0 && item ? Math.floor(item.createdMs / windowMs) * windowMs : 0);
  const callOf = (startMs: number, state: unknown, final: boolean): WindowCall => ({ startMs, endMs: startMs + windowMs, state, final });

  /** The open window's last invocation: its time is over, or a record of a later one has come. */
  const closing = (): Next | undefined => {
    if (windowMs === 0 || !window) return undefined;
    const over = queue[0] ? windowStart(queue[0]) > window.startMs : clock.virtual() >= window.startMs + windowMs || ended;
    return over ? { items: [], window: callOf(window.startMs, window.state, true) } : undefined;
  };

  const next = (): Next | undefined => {
    const last = closing();
    if (last) return last;
    const count = ready();
    if (count === 0) return undefined;
    const full = count < queue.length || count >= settings.batchSize;
    if (!full && !ended && settings.windowSeconds > 0 && clock.virtual() < firstMs + settings.windowSeconds * 1000) return undefined;
    const items = queue.slice(0, count);
    if (windowMs === 0) return { items };
    const startMs = windowStart(items[0]);
    return { items, window: callOf(startMs, window?.startMs === startMs ? window.state : {}, false) };
  };

  const waitForMore = (): Promise<void> =>
    new Promise((resolve) => {
      const woken = () => {
        parts.signal.removeEventListener('abort', woken);
        wake = () => undefined;
        resolve();
      };
      wake = woken;
      parts.signal.addEventListener('abort', woken);
      if (parts.signal.aborted) woken();
      if (queue.length > 0 && settings.windowSeconds > 0) timer.arm(firstMs + settings.windowSeconds * 1000);
      if (window && windowMs > 0) timer.arm(window.startMs + windowMs);
    });

  async function loop(): Promise<void> {
    while (!parts.signal.aborted) {
      const batch = next();
      if (!batch) {
        if (ended && queue.length === 0) return;
        await waitForMore();
        continue;
      }
      await processBatch(inner, batch.items, batch.window);
      if (parts.signal.aborted) return;
      queue = queue.slice(batch.items.length);
      firstMs = clock.virtual();
      if (batch.window?.final) window = undefined;
    }
  }

  return {
    push(item) {
      if (queue.length === 0) firstMs = clock.virtual();
      queue.push(item);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    finished: loop().finally(() => timer.stop()),
  };
}
