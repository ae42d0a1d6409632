import type { Clock } from './clock.ts';

/** `setTimeout` fires at once beyond 2^31 - 1 ms (24.8 days): longer waits are re-armed. */
const OS_TIMER_MS_MAX = 2 ** 31 - 1;

/** One re-armed OS timer over the virtual clock. The earliest `arm` wins; it keeps no process alive. */
export interface VirtualTimer {
  /** Fires at virtual time `dueMs`, unless an earlier one is armed already. */
  arm(dueMs: number): void;
  stop(): void;
}

export function virtualTimer(clock: Clock, fire: () => void): VirtualTimer {
  let dueMs: number | undefined;
  let handle: NodeJS.Timeout | undefined;
  const schedule = () => {
    clearTimeout(handle);
    if (dueMs === undefined) return;
    const waitMs = clock.waitFor(dueMs);
    if (waitMs === Number.POSITIVE_INFINITY) return;
    handle = setTimeout(
      () => {
        if (dueMs !== undefined && clock.virtual() >= dueMs) {
          dueMs = undefined;
          fire();
        } else schedule();
      },
      Math.min(Math.ceil(waitMs), OS_TIMER_MS_MAX),
    );
    handle.unref();
  };
  const unsubscribe = clock.onJump(schedule);
  return {
    arm(next) {
      if (dueMs !== undefined && dueMs <= next) return;
      dueMs = next;
      schedule();
    },
    stop() {
      unsubscribe();
      clearTimeout(handle);
      dueMs = undefined;
    },
  };
}
