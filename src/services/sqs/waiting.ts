import type { Clock } from '../../kit/clock.ts';
import type { Key } from '../../kit/key.ts';
import { virtualTimer } from '../../kit/timer.ts';
import type { Store } from '../../store/store.ts';
import { WAITERS_AT_ONCE } from './limits.ts';

/** One try at receiving: what it got, or when to try again. */
export interface Tried<T> {
  readonly got?: T;
  readonly nextMs?: number;
}

interface Waiter {
  readonly run: () => Promise<boolean>;
}

interface Line {
  readonly waiters: Set<Waiter>;
  wake(): void;
  close(): void;
}

/** Long polls: each waits in its queue's line until something changes in the queue, or something in it falls due. */
export interface Waiting {
  /**
   * Tries until a try gets something, `waitMs` (monotonic) are over or `signal` aborts; then resolves undefined.
   * `prefix` is where changes of the queue's contents show.
   */
  receive<T>(prefix: Key, waitMs: number, signal: AbortSignal, attempt: () => Promise<Tried<T>>): Promise<T | undefined>;
  stop(): void;
}

export function createWaiting(store: Store, clock: Clock): Waiting {
  const lines = new Map<Key, Line>();
  const ends = new Set<() => void>();

  /** A line's waiters try in turn, a few at once, for as long as all of those get something. */
  function openLine(prefix: Key): Line {
    const waiters = new Set<Waiter>();
    let running = false;
    let again = false;
    const pump = async (): Promise<void> => {
      if (running) {
        again = true;
        return;
      }
      running = true;
      do {
        again = false;
        for (;;) {
          const some = [...waiters].slice(0, WAITERS_AT_ONCE);
          if (some.length === 0) break;
          const got = await Promise.all(some.map((waiter) => waiter.run()));
          if (got.includes(false)) break;
        }
      } while (again);
      running = false;
    };
    const wake = () => void pump();
    const unwatch = store.watch(prefix, wake);
    return { waiters, wake, close: unwatch };
  }

  return {
    receive(prefix, waitMs, signal, attempt) {
      return new Promise((resolve, reject) => {
        const line = lines.get(prefix) ?? openLine(prefix);
        lines.set(prefix, line);
        const timer = virtualTimer(clock, () => line.wake());
        let trying = false;
        let ended = false;
        const waiter: Waiter = {
          run: async () => {
            if (ended) return true;
            trying = true;
            try {
              const { got, nextMs } = await attempt();
              trying = false;
              if (got !== undefined) {
                leave();
                resolve(got);
                return true;
              }
              if (ended) end();
              else if (nextMs !== undefined) timer.arm(nextMs);
              return false;
            } catch (error) {
              leave();
              reject(error);
              return true;
            }
          },
        };
        const leave = () => {
          clearTimeout(over);
          timer.stop();
          signal.removeEventListener('abort', end);
          ends.delete(end);
          line.waiters.delete(waiter);
          if (line.waiters.size === 0 && lines.get(prefix) === line) {
            lines.delete(prefix);
            line.close();
          }
        };
        const end = () => {
          ended = true;
          // What a try under way takes is taken: it must be answered, or it would be hidden for nobody.
          if (trying) return;
          leave();
          resolve(undefined);
        };
        const over = setTimeout(end, waitMs);
        line.waiters.add(waiter);
        signal.addEventListener('abort', end);
        ends.add(end);
        if (signal.aborted) end();
        // What came between the caller's own try and now.
        else line.wake();
      });
    },
    stop() {
      for (const end of [...ends]) end();
    },
  };
}
