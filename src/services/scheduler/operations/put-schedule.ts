import type { CreateScheduleInput, CreateScheduleOutput, UpdateScheduleInput, UpdateScheduleOutput } from '@aws-sdk/client-scheduler';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { armSchedule } from '../delivery/fire.ts';
import { DEFAULT_GROUP, scheduleArn } from '../domain/names.ts';
import { kindOf, readTarget, type TargetKind } from '../domain/target.ts';
import { checkTiming, firstTime, type Timing, timeAfter } from '../domain/timing.ts';
import { groupDeleting, groupNotFound, scheduleExists, scheduleNotFound, validation } from '../errors.ts';
import { keys, type ScheduleRow, txGroup, txRead, write } from '../store.ts';

/** Checks a request, and makes of it the schedule as it is kept. */
function readRequest(ctx: Ctx, input: CreateScheduleInput | UpdateScheduleInput): ScheduleRow {
  const { clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const expression = input.ScheduleExpression ?? '';
  const timeZone = input.ScheduleExpressionTimezone ?? 'UTC';
  const [startMs, endMs] = [input.StartDate?.getTime(), input.EndDate?.getTime()];
  checkTiming(expression, timeZone, startMs, endMs, nowMs);
  const { Mode, MaximumWindowInMinutes: minutes } = input.FlexibleTimeWindow ?? {};
  if (Mode === 'FLEXIBLE' && minutes === undefined) throw validation('MaximumWindowInMinutes must be provided when FlexibleTimeWindow Mode is FLEXIBLE.');
  if (Mode === 'OFF' && minutes !== undefined) throw validation('MaximumWindowInMinutes must not be provided when FlexibleTimeWindow Mode is OFF.');
  const timing: Timing = {
    expression,
    timeZone,
    anchorMs: Math.max(startMs ?? nowMs, nowMs),
    ...(startMs === undefined ? {} : { startMs }),
    ...(endMs === undefined ? {} : { endMs }),
  };
  return {
    name: input.Name ?? '',
    group: input.GroupName ?? DEFAULT_GROUP,
    timing,
    state: input.State ?? 'ENABLED',
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(input.KmsKeyArn === undefined ? {} : { kmsKeyArn: input.KmsKeyArn }),
    target: readTarget(input.Target ?? { Arn: undefined, RoleArn: undefined }),
    flexibleMode: Mode ?? 'OFF',
    ...(minutes === undefined ? {} : { windowMinutes: minutes }),
    afterCompletion: input.ActionAfterCompletion ?? 'NONE',
    createdMs: nowMs,
    modifiedMs: nowMs,
    timer: ids.uuid(),
    ...(input.ClientToken === undefined ? {} : { clientToken: input.ClientToken }),
  };
}

/** Services that may not be built, each with a call that shows it. */
const PROBES: Partial<Record<TargetKind, readonly [service: string, operation: string]>> = {
  kinesis: ['kinesis', 'PutRecord'],
  states: ['stepfunctions', 'StartExecution'],
};

/** A target whose service is not built is refused now, and not when the schedule is due. */
async function refuseUnbuilt(ctx: Ctx, arn: string): Promise<void> {
  const probe = PROBES[kindOf(arn)];
  if (!probe) return;
  await ctx.call(probe[0], probe[1], {}).catch((error: unknown) => {
    // Whatever else it has to say about a call without parameters: it is there.
    if (error instanceof AwsError && error.status === 501) throw notImplemented(`A schedule's target of ${probe[0]} (${arn})`);
    if (!(error instanceof AwsError)) throw error;
  });
}

/** "CreateSchedule": the same request again, by its ClientToken, answers as the first. */
export const createSchedule: Operation<CreateScheduleInput, CreateScheduleOutput> = async (ctx, input) => {
  const row = readRequest(ctx, input);
  await refuseUnbuilt(ctx, row.target.Arn ?? '');
  const key = keys.schedule(ctx, row.group, row.name);
  const chance = ctx.platform.ids.float();
  const first = firstTime(row.timing, row.createdMs);
  await ctx.platform.store.transact({ keys: [key], reads: [keys.group(ctx, row.group)] }, (tx) => {
    const group = txGroup(tx, ctx, row.group, row.createdMs);
    if (!group) throw groupNotFound(row.group);
    if (group.state === 'DELETING') throw groupDeleting(row.group);
    const had = txRead<ScheduleRow>(tx, key);
    if (had && (row.clientToken === undefined || had.clientToken !== row.clientToken)) throw scheduleExists(row.name);
    if (had) return;
    write(tx, key, row);
    if (first !== undefined) armSchedule(ctx.platform, tx, ctx, row, first, chance, ctx.trace);
  });
  return { ScheduleArn: scheduleArn(ctx, row.group, row.name) };
};

/** "UpdateSchedule": all of it anew; what is not given goes back to its default. A rate that stays the same goes on counting. */
export const updateSchedule: Operation<UpdateScheduleInput, UpdateScheduleOutput> = async (ctx, input) => {
  const row = readRequest(ctx, input);
  await refuseUnbuilt(ctx, row.target.Arn ?? '');
  const key = keys.schedule(ctx, row.group, row.name);
  const chance = ctx.platform.ids.float();
  const nowMs = row.modifiedMs;
  await ctx.platform.store.transact({ keys: [key], reads: [keys.group(ctx, row.group)] }, (tx) => {
    if (!txGroup(tx, ctx, row.group, nowMs)) throw groupNotFound(row.group);
    const had = txRead<ScheduleRow>(tx, key);
    if (!had) throw scheduleNotFound(row.name);
    const same = had.state === 'ENABLED' && had.timing.expression === row.timing.expression && had.timing.startMs === row.timing.startMs;
    const timing = same ? { ...row.timing, anchorMs: had.timing.anchorMs } : row.timing;
    const changed: ScheduleRow = { ...row, timing, createdMs: had.createdMs };
    write(tx, key, changed);
    const next = same && had.timing.anchorMs < nowMs ? (timeAfter(timing, nowMs) ?? firstTime(timing, nowMs)) : firstTime(timing, nowMs);
    if (next !== undefined) armSchedule(ctx.platform, tx, ctx, changed, next, chance, ctx.trace);
  });
  return { ScheduleArn: scheduleArn(ctx, row.group, row.name) };
};
