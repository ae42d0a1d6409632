import { isTimeZone, nextAfter, parseSchedule, type Schedule, ScheduleSyntaxError } from '../../../kit/schedule/schedule.ts';
import { invalidExpression, invalidTimeZone, validation } from '../errors.ts';
import { AT_LATE_MS_MAX, START_BEFORE_MS_MAX } from '../limits.ts';

/** When a schedule runs. */
export interface Timing {
  readonly expression: string;
  readonly timeZone: string;
  /** Where a rate begins: its start date, or when the schedule was made. */
  readonly anchorMs: number;
  readonly startMs?: number;
  readonly endMs?: number;
}

/** Reads an expression; throws ValidationException. */
export function readExpression(expression: string): Schedule {
  try {
    return parseSchedule(expression);
  } catch (error) {
    throw error instanceof ScheduleSyntaxError ? invalidExpression(expression) : error;
  }
}

export function checkTiming(expression: string, timeZone: string, startMs: number | undefined, endMs: number | undefined, nowMs: number): void {
  const schedule = readExpression(expression);
  if (!isTimeZone(timeZone)) throw invalidTimeZone(timeZone);
  // One-time schedules have no use for either date: they are kept and without effect.
  if (schedule.kind === 'at') return;
  if (startMs !== undefined && startMs < nowMs - START_BEFORE_MS_MAX) throw validation('The StartDate you specify cannot be earlier than 5 minutes ago.');
  if (endMs !== undefined && endMs < nowMs) throw validation('The EndDate you specify cannot be earlier than the current time.');
  if (startMs !== undefined && endMs !== undefined && endMs <= startMs) throw validation('The StartDate you specify must be earlier than the EndDate.');
}

/**
 * The first time of a schedule that is made at `nowMs`; undefined where it has none. A rate begins at its start date, or at once
 * ("Schedule types in EventBridge Scheduler").
 */
export function firstTime(timing: Timing, nowMs: number): number | undefined {
  const schedule = readExpression(timing.expression);
  if (schedule.kind === 'at') return nextAfter(schedule, { afterMs: nowMs - AT_LATE_MS_MAX, anchorMs: 0, timeZone: timing.timeZone });
  if (schedule.kind === 'rate' && timing.anchorMs >= nowMs) return beforeEnd(timing.anchorMs, timing.endMs);
  return timeAfter(timing, nowMs);
}

/** The time after `afterMs`; undefined where none follows. */
export function timeAfter(timing: Timing, afterMs: number): number | undefined {
  const schedule = readExpression(timing.expression);
  if (schedule.kind === 'at') return undefined;
  const fromMs = Math.max(afterMs, (timing.startMs ?? Number.NEGATIVE_INFINITY) - 1);
  return beforeEnd(nextAfter(schedule, { afterMs: fromMs, anchorMs: timing.anchorMs, timeZone: timing.timeZone }), timing.endMs);
}

const beforeEnd = (ms: number | undefined, endMs: number | undefined): number | undefined =>
  ms === undefined || (endMs !== undefined && ms > endMs) ? undefined : ms;
