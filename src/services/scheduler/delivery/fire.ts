import type { Attempt, Outcome } from '../../../bus/bus.ts';
import type { Trace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Platform } from '../../service.ts';
import type { Scope } from '../domain/names.ts';
import { timeAfter } from '../domain/timing.ts';
import { keys, type ScheduleRow, txRead } from '../store.ts';
import { FIRE, type FirePayload, INVOKE, type InvokePayload } from './payloads.ts';

const MINUTE_MS = 60_000;

/** Enqueues a schedule's next time in the commit that sets it: at the time, or somewhere in its window. `chance` in [0, 1) is drawn before. */
export function armSchedule(platform: Platform, tx: Tx, scope: Scope, row: ScheduleRow, scheduledMs: number, chance: number, trace: Trace): void {
  if (row.state === 'DISABLED') return;
  const laterMs = row.flexibleMode === 'FLEXIBLE' ? Math.floor(chance * (row.windowMinutes ?? 0) * MINUTE_MS) : 0;
  const payload: FirePayload = { group: row.group, name: row.name, token: row.timer, scheduledMs };
  platform.bus.enqueue(tx, { target: FIRE, account: scope.account, region: scope.region, trace, payload, dueMs: scheduledMs + laterMs });
}

/** A schedule's time has come: the run and the next time, or the end, are one commit. Times that passed while nothing ran come once. */
export async function fire(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { group, name, token, scheduledMs } = attempt.payload as FirePayload;
  const { clock, ids } = platform;
  const nowMs = clock.virtual();
  const chance = ids.float();
  const key = keys.schedule(attempt, group, name);
  await platform.store.transact({ keys: [key] }, (tx) => {
    attempt.settle(tx);
    const row = txRead<ScheduleRow>(tx, key);
    if (row?.timer !== token || row.state === 'DISABLED') return;
    const payload: InvokePayload = { group, name, target: row.target, scheduledMs, executionId: attempt.id };
    const { account, region, trace } = attempt;
    platform.bus.enqueue(tx, { target: INVOKE, account, region, trace, payload });
    // A window that ends after the next time has begun must not lose that time.
    const next = timeAfter(row.timing, row.flexibleMode === 'FLEXIBLE' ? scheduledMs : Math.max(scheduledMs, nowMs));
    if (next !== undefined) armSchedule(platform, tx, attempt, row, skipped(row, next, nowMs), chance, trace);
    else if (row.afterCompletion === 'DELETE') tx.delete(key);
  });
  return { done: true };
}

/** Of times that passed while nothing ran, the last. */
function skipped(row: ScheduleRow, next: number, nowMs: number): number {
  if (row.flexibleMode === 'OFF' || next + (row.windowMinutes ?? 0) * MINUTE_MS >= nowMs) return next;
  return timeAfter(row.timing, nowMs) ?? next;
}
