import type {
  DeregisterScalableTargetRequest,
  DescribeScalableTargetsRequest,
  DescribeScalableTargetsResponse,
  RegisterScalableTargetRequest,
  RegisterScalableTargetResponse,
  ScalableTarget,
} from '@aws-sdk/client-application-auto-scaling';
import { ALPHABET_LOWER } from '../../../kit/ids.ts';
import type { Ctx, Operation } from '../../service.ts';
import { ownContext, requireResource } from '../capacity.ts';
import { readTarget, serviceRole, type Target } from '../domain/target.ts';
import { limitExceeded, noTarget, tooManyTags, validation } from '../errors.ts';
import { RESULTS_MAX, TAGS_MAX, TARGETS_MAX } from '../limits.ts';
import { keepBounds } from '../scaling.ts';
import { ACTIVITY_FIRST, type ActionRow, get, keys, read, readAll, type Suspended, type TargetRow, under, write } from '../store.ts';
import { arnOf } from './arn.ts';
import { page } from './pages.ts';

const ID_LENGTH = 36;

/** "RegisterScalableTarget": makes a target, or changes what of one is given. */
export const registerScalableTarget: Operation<RegisterScalableTargetRequest, RegisterScalableTargetResponse> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const target = readTarget(input);
  const own = ownContext(ctx.platform, ctx.account, ctx.region, ctx.trace);
  await requireResource(own, target);
  const key = keys.target(ctx, target);
  if (!(await store.get(key))) await checkCount(ctx);
  const id = ids.text(ID_LENGTH, ALPHABET_LOWER);
  const createdMs = clock.virtual();
  if (Object.keys(input.Tags ?? {}).length > TAGS_MAX) throw tooManyTags(arnOf(ctx, id));
  const row = await store.transact({ keys: [key, keys.arn(ctx, id)] }, (tx) => {
    const before = read<TargetRow>(tx, key);
    const after = before ? changed(before, input) : { ...made(ctx, target, input), id, createdMs };
    if (after.max < after.min) throw validation('Maximum capacity cannot be less than minimum capacity');
    write(tx, key, after);
    if (!before) write(tx, keys.arn(ctx, id), target);
    return after;
  });
  await keepBounds(own, target, (bound, capacity) => `${bound} capacity was set to ${capacity}`);
  return { ScalableTargetARN: arnOf(ctx, row.id) };
};

/** "DescribeScalableTargets". */
export const describeScalableTargets: Operation<DescribeScalableTargetsRequest, DescribeScalableTargetsResponse> = async (ctx, input) => {
  if (input.ScalableDimension !== undefined && !input.ResourceIds?.length)
    throw validation('Resource ID must be specified when a scalable dimension is specified');
  const wanted = (row: TargetRow) =>
    (!input.ResourceIds?.length || input.ResourceIds.includes(row.resource)) &&
    (input.ScalableDimension === undefined || input.ScalableDimension === row.dimension);
  const { items, ...more } = await page<TargetRow>(ctx, 'target', input, RESULTS_MAX, wanted);
  return { ScalableTargets: items.map(({ row }) => shown(ctx, row)), ...more };
};

/** "DeregisterScalableTarget": with its policies, scheduled actions and activities. The capacity stays. */
export const deregisterScalableTarget: Operation<DeregisterScalableTargetRequest, Record<string, never>> = async (ctx, input) => {
  const target = readTarget(input);
  const key = keys.target(ctx, target);
  const ranges = [keys.policies(ctx, target), keys.actions(ctx, target), keys.activities(ctx, target)];
  const id = (await get<TargetRow>(ctx.platform.store, key))?.id;
  if (id === undefined) throw noTarget(target);
  await ctx.platform.store.transact({ keys: [key, keys.arn(ctx, id)], ranges: ranges.map(under) }, (tx) => {
    const row = read<TargetRow>(tx, key);
    if (!row) throw noTarget(target);
    for (const prefix of ranges) for (const one of readAll<ActionRow>(tx, prefix)) tx.delete(one.key);
    tx.delete(keys.arn(ctx, row.id));
    tx.delete(key);
  });
  return {};
};

async function checkCount(ctx: Ctx): Promise<void> {
  const { entries } = await ctx.platform.store.range({ ...under(keys.targets(ctx)), limit: TARGETS_MAX });
  if (entries.length >= TARGETS_MAX) throw limitExceeded('The limit of scalable targets has been reached.');
}

function made(ctx: Ctx, target: Target, input: RegisterScalableTargetRequest): Omit<TargetRow, 'id' | 'createdMs'> {
  const { MinCapacity: min, MaxCapacity: max } = input;
  if (min === undefined || max === undefined) throw validation('MinCapacity and MaxCapacity must be specified to register a new scalable target');
  return {
    ...target,
    min: capacity(min),
    max: capacity(max),
    role: input.RoleARN ?? serviceRole(target, ctx.account, ctx.region),
    suspended: suspendedOf({ in: false, out: false, scheduled: false }, input),
    tags: input.Tags ?? {},
    activities: ACTIVITY_FIRST,
  };
}

function changed(before: TargetRow, input: RegisterScalableTargetRequest): TargetRow {
  if (Object.keys(input.Tags ?? {}).length > 0)
    throw validation('You cannot add tags to an existing scalable target with RegisterScalableTarget: use TagResource');
  return {
    ...before,
    min: capacity(input.MinCapacity ?? before.min),
    max: capacity(input.MaxCapacity ?? before.max),
    role: input.RoleARN ?? before.role,
    suspended: suspendedOf(before.suspended, input),
  };
}

export function capacity(value: number): number {
  if (value < 0) throw validation('Minimum and maximum capacity cannot be negative');
  return value;
}

function suspendedOf(before: Suspended, { SuspendedState: asked }: RegisterScalableTargetRequest): Suspended {
  return {
    in: asked?.DynamicScalingInSuspended ?? before.in,
    out: asked?.DynamicScalingOutSuspended ?? before.out,
    scheduled: asked?.ScheduledScalingSuspended ?? before.scheduled,
  };
}

function shown(ctx: Ctx, row: TargetRow): ScalableTarget {
  return {
    ServiceNamespace: row.namespace as 'lambda',
    ResourceId: row.resource,
    ScalableDimension: row.dimension as 'lambda:function:ProvisionedConcurrency',
    MinCapacity: row.min,
    MaxCapacity: row.max,
    RoleARN: row.role,
    CreationTime: new Date(row.createdMs),
    SuspendedState: {
      DynamicScalingInSuspended: row.suspended.in,
      DynamicScalingOutSuspended: row.suspended.out,
      ScheduledScalingSuspended: row.suspended.scheduled,
    },
    ScalableTargetARN: arnOf(ctx, row.id),
  };
}
