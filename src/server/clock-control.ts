import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../kit/clock.ts';

/** How long an advance waits for what it set off, at each step. */
const QUIET_MS_MAX = 10_000;
/** Steps of one advance: a schedule every second over a year must not hold the caller for ever. */
const STEPS_MAX = 100_000;

/**
 * Moves virtual time forward the way time passes: to the next due delivery, waits until that and all that follows from it is
 * quiet, then on to the next, until `byMs` is used up.
 */
export async function advanceClock(clock: Clock, bus: Bus, byMs: number): Promise<{ steps: number; quiet: boolean }> {
  const wasFrozen = clock.frozen;
  if (!wasFrozen) clock.freeze();
  const targetMs = clock.virtual() + byMs;
  let steps = 0;
  let quiet = await bus.quiet(QUIET_MS_MAX);
  for (; steps < STEPS_MAX; steps++) {
    const dueMs = bus.nextDueMs();
    if (dueMs === undefined || dueMs > targetMs) break;
    clock.advance(Math.max(0, dueMs - clock.virtual()));
    quiet = await bus.quiet(QUIET_MS_MAX);
    if (!quiet) break;
  }
  clock.advance(Math.max(0, targetMs - clock.virtual()));
  quiet = (await bus.quiet(QUIET_MS_MAX)) && quiet;
  if (!wasFrozen) clock.release({ keepOffset: true });
  return { steps, quiet };
}
