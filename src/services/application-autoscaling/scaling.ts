import { AwsError } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';
import { capacityOf, setCapacity } from './capacity.ts';
import { quantityOf, type Target } from './domain/target.ts';
import { ACTIVITIES_MAX } from './limits.ts';
import { type ActivityRow, get, keys, read, readAll, type TargetRow, under, write } from './store.ts';

/** Brings a capacity outside the target's bounds to the nearer one. */
export async function keepBounds(ctx: Ctx, target: Target, why: (bound: 'minimum' | 'maximum', capacity: number) => string): Promise<void> {
  const row = await get<TargetRow>(ctx.platform.store, keys.target(ctx, target));
  if (!row) return;
  const current = await capacityOf(ctx, target);
  if (current < row.min) await scale(ctx, target, row.min, why('minimum', row.min));
  else if (current > row.max) await scale(ctx, target, row.max, why('maximum', row.max));
}

/** Sets a capacity, and records how that went. Only faults of Croft reject: what the resource's service refuses is an activity. */
export async function scale(ctx: Ctx, target: Target, capacity: number, cause: string): Promise<boolean> {
  const { clock, ids } = ctx.platform;
  const quantity = quantityOf(target);
  const startMs = clock.virtual();
  let failure: string | undefined;
  try {
    await setCapacity(ctx, target, capacity);
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    failure = `Failed to set ${quantity} to ${capacity}. Reason: ${error.message}`;
  }
  await record(ctx, target, {
    id: ids.uuid(),
    description: `Setting ${quantity} to ${capacity}.`,
    cause,
    startMs,
    endMs: clock.virtual(),
    status: failure === undefined ? 'Successful' : 'Failed',
    message: failure ?? `Successfully set ${quantity} to ${capacity}. Change successfully fulfilled by ${target.namespace}.`,
  });
  return failure === undefined;
}

async function record(ctx: Ctx, target: Target, activity: ActivityRow): Promise<void> {
  const key = keys.target(ctx, target);
  const all = keys.activities(ctx, target);
  await ctx.platform.store.transact({ keys: [key], ranges: [under(all)] }, (tx) => {
    const row = read<TargetRow>(tx, key);
    if (!row) return;
    const number = row.activities - 1;
    write(tx, key, { ...row, activities: number });
    write(tx, keys.activity(ctx, target, number), activity);
    for (const { key: old } of readAll<ActivityRow>(tx, all).slice(ACTIVITIES_MAX)) tx.delete(old);
  });
}
