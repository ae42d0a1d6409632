import type { Attempt, Outcome } from '../../bus/bus.ts';
import { AwsError } from '../../kit/errors.ts';
import { nextAfter, parseSchedule } from '../../kit/schedule/schedule.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { capacityOf, ownContext, utilizationOf } from './capacity.ts';
import { quantityOf, type Target } from './domain/target.ts';
import { decide, trackingOf } from './domain/tracking.ts';
import { CONCURRENCY, EVALUATE_EVERY_MS, SCALE_IN_SAMPLES } from './limits.ts';
import { keepBounds, scale } from './scaling.ts';
import { type ActionRow, get, keys, list, type PolicyRow, read, type TargetRow, write } from './store.ts';

/** A scheduled action at its time. */
const SCHEDULED = 'application-autoscaling:scheduled';
/** A minute of a target with target tracking policies. */
const EVALUATE = 'application-autoscaling:evaluate';

interface ScheduledPayload extends Target {
  readonly name: string;
  readonly revision: string;
}

interface EvaluatePayload extends Target {
  readonly loop: string;
}

export function registerDeliveries(platform: Platform): void {
  platform.bus.register(SCHEDULED, { concurrency: CONCURRENCY }, (attempt) => scheduled(platform, attempt));
  platform.bus.register(EVALUATE, { concurrency: CONCURRENCY }, (attempt) => evaluate(platform, attempt));
}

/** When an action is due next, after `afterMs`; undefined: never again. */
export function nextOf(action: ActionRow, afterMs: number): number | undefined {
  const { startMs = action.createdMs, endMs = Number.POSITIVE_INFINITY, timeZone } = action;
  const schedule = parseSchedule(action.schedule);
  // A rate begins with its start; the others wait for their own time.
  const from = schedule.kind === 'rate' && action.startMs !== undefined ? startMs - schedule.everyMs : startMs;
  const next = nextAfter(schedule, { afterMs: Math.max(afterMs, startMs - 1), anchorMs: from, ...(timeZone === undefined ? {} : { timeZone }) });
  return next !== undefined && next <= endMs ? next : undefined;
}

export function enqueueScheduled(ctx: Ctx, tx: Tx, target: Target, action: ActionRow, dueMs: number): void {
  const { account, region, trace } = ctx;
  const payload: ScheduledPayload = { ...targetOf(target), name: action.name, revision: action.revision };
  ctx.platform.bus.enqueue(tx, { target: SCHEDULED, account, region, trace, payload, dueMs, orderKey: orderOf(ctx, target) });
}

export function enqueueEvaluation(ctx: Ctx, tx: Tx, target: Target, loop: string): void {
  const { account, region, trace } = ctx;
  const payload: EvaluatePayload = { ...targetOf(target), loop };
  const dueMs = ctx.platform.clock.virtual() + EVALUATE_EVERY_MS;
  ctx.platform.bus.enqueue(tx, { target: EVALUATE, account, region, trace, payload, dueMs, orderKey: orderOf(ctx, target) });
}

const targetOf = ({ namespace, resource, dimension }: Target): Target => ({ namespace, resource, dimension });
const orderOf = ({ account, region }: Ctx, { resource, dimension }: Target): string => `aas ${account} ${region} ${dimension} ${resource}`;

/** Sets the target's bounds as the action says, brings the capacity within them, and waits for the next time. */
async function scheduled(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as ScheduledPayload;
  const ctx = ownContext(platform, attempt.account, attempt.region, attempt.trace);
  const action = await get<ActionRow>(platform.store, keys.action(ctx, payload, payload.name));
  if (action?.revision !== payload.revision) return { done: true };
  const key = keys.target(ctx, payload);
  const applied = await platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<TargetRow>(tx, key);
    if (!row || row.suspended.scheduled) return false;
    const min = action.min ?? row.min;
    const max = action.max ?? row.max;
    // One of the two alone may not cross the other.
    write(tx, key, { ...row, min: Math.min(min, max), max: Math.max(min, max) });
    return true;
  });
  if (applied) {
    const cause = (bound: string, capacity: number) => `${bound} capacity was set to ${capacity}`;
    await withinBounds(ctx, payload, (bound, capacity) => `scheduled action name ${action.name} was triggered and ${cause(bound, capacity)}`);
  }
  const next = nextOf(action, platform.clock.virtual());
  return next === undefined ? { done: true } : { retry: { atMs: next } };
}

async function withinBounds(ctx: Ctx, target: Target, why: Parameters<typeof keepBounds>[2]): Promise<void> {
  try {
    await keepBounds(ctx, target, why);
  } catch (error) {
    // The resource is gone: there is nothing to bring anywhere.
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    ctx.platform.log.warn({ err: error, resource: target.resource }, 'a scheduled action found nothing to scale');
  }
}

/** Takes a minute's sample, scales where the policies say so, and comes again in a minute while there are any. */
async function evaluate(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as EvaluatePayload;
  const ctx = ownContext(platform, attempt.account, attempt.region, attempt.trace);
  const key = keys.target(ctx, payload);
  const before = await get<TargetRow>(platform.store, key);
  if (before?.loop !== payload.loop) return { done: true };
  const again: Outcome = { retry: { atMs: platform.clock.virtual() + EVALUATE_EVERY_MS } };
  const sample = await utilizationOf(ctx, payload).catch((error: unknown) => {
    if (error instanceof AwsError && error.status < 500) return undefined;
    throw error;
  });
  if (sample === undefined) return again;
  const row = await platform.store.transact({ keys: [key] }, (tx) => {
    const now = read<TargetRow>(tx, key);
    if (!now || now.loop !== payload.loop) return undefined;
    const after: TargetRow = { ...now, samples: [...(now.samples ?? []), sample].slice(-SCALE_IN_SAMPLES) };
    write(tx, key, after);
    return after;
  });
  if (!row) return { done: true };
  await follow(ctx, row);
  return again;
}

async function follow(ctx: Ctx, row: TargetRow): Promise<void> {
  const { store, clock } = ctx.platform;
  const { rows } = await list<PolicyRow>(store, keys.policies(ctx, row), Number.MAX_SAFE_INTEGER, {});
  const current = await capacityOf(ctx, row);
  const nowMs = clock.virtual();
  const decision = decide(
    row,
    rows.map(({ row: policy }) => trackingOf(policy.tracking)),
    current,
    nowMs,
  );
  if (!decision) return;
  const policy = rows[decision.by]?.row.name ?? '';
  const share = Math.round((row.samples?.at(-1) ?? 0) * 100);
  const out = decision.capacity > current;
  const cause = `policy ${policy} was triggered: ${share}% of the ${quantityOf(row)} was in use`;
  if (!(await scale(ctx, row, decision.capacity, cause))) return;
  const key = keys.target(ctx, row);
  await store.transact({ keys: [key] }, (tx) => {
    const now = read<TargetRow>(tx, key);
    if (now) write(tx, key, { ...now, ...(out ? { scaledOutMs: nowMs } : { scaledInMs: nowMs }) });
  });
}
