import type {
  DeleteScheduledActionRequest,
  DescribeScheduledActionsRequest,
  DescribeScheduledActionsResponse,
  PutScheduledActionRequest,
  ScheduledAction,
} from '@aws-sdk/client-application-auto-scaling';
import { isPlainRate, isTimeZone, parseSchedule, ScheduleSyntaxError } from '../../../kit/schedule/schedule.ts';
import type { Ctx, Operation } from '../../service.ts';
import { enqueueScheduled, nextOf } from '../deliveries.ts';
import { readTarget, type Target } from '../domain/target.ts';
import { limitExceeded, noAction, notRegistered, validation } from '../errors.ts';
import { RESULTS_MAX, SCHEDULED_ACTIONS_MAX } from '../limits.ts';
import { type ActionRow, keys, read, readAll, type TargetRow, under, write } from '../store.ts';
import { childArn } from './arn.ts';
import { narrowed, page } from './pages.ts';
import { capacity } from './targets.ts';

/** "PutScheduledAction": what is not given of an action that is there stays, but for its start and end. */
export const putScheduledAction: Operation<PutScheduledActionRequest, Record<string, never>> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const target = readTarget(input);
  const name = input.ScheduledActionName ?? '';
  const key = keys.action(ctx, target, name);
  const all = keys.actions(ctx, target);
  const targetKey = keys.target(ctx, target);
  const fresh = { id: ids.uuid(), revision: ids.uuid(), nowMs: clock.virtual() };
  await store.transact({ keys: [key], reads: [targetKey], ranges: [under(all)] }, (tx) => {
    const owner = read<TargetRow>(tx, targetKey);
    if (!owner) throw notRegistered(target);
    const before = read<ActionRow>(tx, key);
    if (!before && readAll(tx, all).length >= SCHEDULED_ACTIONS_MAX)
      throw limitExceeded('The limit of scheduled actions for this scalable target has been reached.');
    const action = actionOf(name, before, input, fresh);
    const dueMs = checkedNext(action, fresh.nowMs);
    write(tx, key, action);
    if (dueMs !== undefined) enqueueScheduled(ctx, tx, target, action, dueMs);
  });
  return {};
};

/** "DescribeScheduledActions". */
export const describeScheduledActions: Operation<DescribeScheduledActionsRequest, DescribeScheduledActionsResponse> = async (ctx, input) => {
  const wanted = ({ name }: ActionRow) => !input.ScheduledActionNames?.length || input.ScheduledActionNames.includes(name);
  const { items, ...more } = await page<ActionRow>(ctx, 'action', input, RESULTS_MAX, wanted, narrowed(input));
  return { ScheduledActions: items.map(({ row, target }) => shown(ctx, target, row)), ...more };
};

/** "DeleteScheduledAction". */
export const deleteScheduledAction: Operation<DeleteScheduledActionRequest, Record<string, never>> = async (ctx, input) => {
  const target = readTarget(input);
  const name = input.ScheduledActionName ?? '';
  const key = keys.action(ctx, target, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!read(tx, key)) throw noAction(target, name);
    tx.delete(key);
  });
  return {};
};

function actionOf(
  name: string,
  before: ActionRow | undefined,
  input: PutScheduledActionRequest,
  fresh: { readonly id: string; readonly revision: string; readonly nowMs: number },
): ActionRow {
  const schedule = input.Schedule ?? before?.schedule;
  if (schedule === undefined) throw validation('Schedule must be specified');
  const { MinCapacity: min, MaxCapacity: max } = input.ScalableTargetAction ?? { MinCapacity: before?.min, MaxCapacity: before?.max };
  if (min === undefined && max === undefined) throw validation('At least one of MinCapacity or MaxCapacity must be specified in ScalableTargetAction');
  if (min !== undefined && max !== undefined && capacity(max) < capacity(min)) throw validation('Maximum capacity cannot be less than minimum capacity');
  const timeZone = input.Timezone ?? before?.timeZone;
  if (timeZone !== undefined && !isTimeZone(timeZone)) throw validation(`Invalid time zone: ${timeZone}`);
  return {
    name,
    id: before?.id ?? fresh.id,
    revision: fresh.revision,
    schedule,
    createdMs: before?.createdMs ?? fresh.nowMs,
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(input.StartTime === undefined ? {} : { startMs: input.StartTime.getTime() }),
    ...(input.EndTime === undefined ? {} : { endMs: input.EndTime.getTime() }),
    ...(min === undefined ? {} : { min: capacity(min) }),
    ...(max === undefined ? {} : { max: capacity(max) }),
  };
}

/** Its next time. Throws ValidationException for a schedule that is none. */
function checkedNext(action: ActionRow, nowMs: number): number | undefined {
  const { startMs = Number.NEGATIVE_INFINITY, endMs = Number.POSITIVE_INFINITY } = action;
  if (endMs <= startMs) throw validation('The end time must be later than the start time');
  try {
    const schedule = parseSchedule(action.schedule);
    if (schedule.kind === 'rate' && schedule.value === 1 && !isPlainRate(schedule)) throw new ScheduleSyntaxError('1 has a unit in the singular');
    const next = nextOf(action, nowMs);
    if (next === undefined && schedule.kind === 'at') throw validation('The scheduled time cannot be in the past');
    return next;
  } catch (error) {
    if (error instanceof ScheduleSyntaxError) throw validation(`Invalid schedule expression: ${action.schedule}. ${error.message}`);
    throw error;
  }
}

function shown(ctx: Ctx, target: Target, row: ActionRow): ScheduledAction {
  return {
    ScheduledActionName: row.name,
    ScheduledActionARN: childArn(ctx, target, 'scheduledAction', row.id, row.name),
    ServiceNamespace: target.namespace as 'lambda',
    Schedule: row.schedule,
    ...(row.timeZone === undefined ? {} : { Timezone: row.timeZone }),
    ResourceId: target.resource,
    ScalableDimension: target.dimension as 'lambda:function:ProvisionedConcurrency',
    ...(row.startMs === undefined ? {} : { StartTime: new Date(row.startMs) }),
    ...(row.endMs === undefined ? {} : { EndTime: new Date(row.endMs) }),
    ScalableTargetAction: { ...(row.min === undefined ? {} : { MinCapacity: row.min }), ...(row.max === undefined ? {} : { MaxCapacity: row.max }) },
    CreationTime: new Date(row.createdMs),
  };
}
