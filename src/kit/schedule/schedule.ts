import { type Cron, localTimes, parseCron, ScheduleSyntaxError } from './cron.ts';
import { instantOf, localOf } from './zone.ts';

export { ScheduleSyntaxError } from './cron.ts';
export { isTimeZone } from './zone.ts';

/** `rate(5 minutes)`. */
export interface Rate {
  readonly kind: 'rate';
  readonly value: number;
  /** As written: `minute`, `minutes`, `hour` … */
  readonly unit: string;
  readonly everyMs: number;
}

/** `at(2026-11-22T09:00:00)`. */
export interface At {
  readonly kind: 'at';
  /** The wall clock's time as if it were UTC. */
  readonly wallMs: number;
}

export type Schedule = Rate | Cron | At;

export interface Position {
  /** The next time is later than this. */
  readonly afterMs: number;
  /** Where a rate begins to count: its first time is this plus one period. */
  readonly anchorMs: number;
  /** An IANA name; default `UTC`. No effect on rates. */
  readonly timeZone?: string;
}

/** The longest expression that any AWS service takes. */
export const SCHEDULE_LENGTH_MAX = 1600;

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const AT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/;

/** Times of a cron expression that a change of clocks skips in a row: a schedule of nothing else is taken to be over. */
const SKIPPED_MAX = 10_000;

/**
 * Reads an expression. Throws {@link ScheduleSyntaxError}; which of the kinds are allowed, and how a refusal is worded, is the
 * service's affair.
 */
export function parseSchedule(expression: string): Schedule {
  if (expression.length > SCHEDULE_LENGTH_MAX) throw new ScheduleSyntaxError('The expression is too long');
  const match = /^(rate|cron|at)\(([^()]*)\)$/.exec(expression);
  const [, kind, inner = ''] = match ?? [];
  if (kind === 'rate') return parseRate(inner);
  if (kind === 'cron') return parseCron(inner);
  if (kind === 'at') return parseAt(inner);
  throw new ScheduleSyntaxError('A schedule is rate(value unit), cron(fields) or at(yyyy-mm-ddThh:mm:ss)');
}

/** Whether the number and the unit of a rate agree: `1 day`, `2 days`. EventBridge's rules insist on it. */
export function isPlainRate(rate: Rate): boolean {
  return (rate.value === 1) === !rate.unit.endsWith('s');
}

/** The first time after `afterMs`; undefined where none follows. */
export function nextAfter(schedule: Schedule, { afterMs, anchorMs, timeZone = 'UTC' }: Position): number | undefined {
  switch (schedule.kind) {
    case 'rate': {
      const periods = Math.max(1, Math.floor((afterMs - anchorMs) / schedule.everyMs) + 1);
      return anchorMs + periods * schedule.everyMs;
    }
    case 'at': {
      const atMs = instantOfAt(schedule, timeZone);
      return atMs > afterMs ? atMs : undefined;
    }
    case 'cron':
      return nextOfCron(schedule, afterMs, timeZone);
  }
}

/** When a one-time schedule is due. A time that clocks skip is the moment at which they do. */
export function instantOfAt({ wallMs }: At, timeZone = 'UTC'): number {
  const seconds = wallMs % 60_000;
  for (let laterMs = 0; laterMs <= 24 * 3_600_000; laterMs += 15 * 60_000) {
    const instant = instantOf(localOf(wallMs + laterMs, 'UTC'), timeZone);
    if (instant !== undefined) return laterMs === 0 ? instant + seconds : instant - (instant % (15 * 60_000));
  }
  return wallMs;
}

function nextOfCron(cron: Cron, afterMs: number, timeZone: string): number | undefined {
  let skipped = 0;
  // What the clock shows at `afterMs` is early enough: of a time that comes twice only the first counts.
  for (const local of localTimes(cron, localOf(afterMs, timeZone))) {
    const instant = instantOf(local, timeZone);
    if (instant !== undefined && instant > afterMs) return instant;
    if (++skipped > SKIPPED_MAX) return undefined;
  }
  return undefined;
}

function parseRate(inner: string): Rate {
  const [, digits, unit = ''] = /^(\d{1,9}) (minutes?|hours?|days?)$/.exec(inner) ?? [];
  const value = Number(digits);
  const unitMs = UNIT_MS[unit.replace(/s$/, '')];
  if (digits === undefined || value < 1 || unitMs === undefined) {
    throw new ScheduleSyntaxError('A rate is a positive number and a unit: minute, minutes, hour, hours, day or days');
  }
  return { kind: 'rate', value, unit, everyMs: value * unitMs };
}

function parseAt(inner: string): At {
  const [, year, month, day, hour, minute, second = '00'] = AT.exec(inner) ?? [];
  const wallMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // 31 February is none, though Date.UTC makes one of it.
  const isReal = Number.isFinite(wallMs) && new Date(wallMs).toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  if (!isReal) throw new ScheduleSyntaxError('A time is yyyy-mm-ddThh:mm:ss');
  return { kind: 'at', wallMs };
}
