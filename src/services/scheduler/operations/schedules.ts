import type {
  DeleteScheduleInput,
  DeleteScheduleOutput,
  GetScheduleInput,
  GetScheduleOutput,
  ListSchedulesInput,
  ListSchedulesOutput,
  ScheduleSummary,
} from '@aws-sdk/client-scheduler';
import type { Ctx, Operation } from '../../service.ts';
import { DEFAULT_GROUP, scheduleArn } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { groupNotFound, scheduleNotFound } from '../errors.ts';
import { keys, listRows, namePrefixRange, rangeOf, read, type ScheduleRow } from '../store.ts';

/** "GetSchedule". */
export const getSchedule: Operation<GetScheduleInput, GetScheduleOutput> = async (ctx, input) => {
  const [group, name] = [input.GroupName ?? DEFAULT_GROUP, input.Name ?? ''];
  await checkGroup(ctx, group);
  const row = await read<ScheduleRow>(ctx.platform.store, keys.schedule(ctx, group, name));
  if (!row) throw scheduleNotFound(name);
  const { timing } = row;
  return {
    Arn: scheduleArn(ctx, row.group, row.name),
    GroupName: row.group,
    Name: row.name,
    ScheduleExpression: timing.expression,
    ScheduleExpressionTimezone: timing.timeZone,
    ...(timing.startMs === undefined ? {} : { StartDate: new Date(timing.startMs) }),
    ...(timing.endMs === undefined ? {} : { EndDate: new Date(timing.endMs) }),
    ...(row.description === undefined ? {} : { Description: row.description }),
    State: row.state,
    CreationDate: new Date(row.createdMs),
    LastModificationDate: new Date(row.modifiedMs),
    ...(row.kmsKeyArn === undefined ? {} : { KmsKeyArn: row.kmsKeyArn }),
    Target: row.target,
    FlexibleTimeWindow: { Mode: row.flexibleMode, ...(row.windowMinutes === undefined ? {} : { MaximumWindowInMinutes: row.windowMinutes }) },
    ActionAfterCompletion: row.afterCompletion,
  };
};

async function checkGroup(ctx: Ctx, group: string): Promise<void> {
  if (group !== DEFAULT_GROUP && !(await ctx.platform.store.get(keys.group(ctx, group)))) throw groupNotFound(group);
}

const summary = (ctx: Ctx, row: ScheduleRow): ScheduleSummary => ({
  Arn: scheduleArn(ctx, row.group, row.name),
  Name: row.name,
  GroupName: row.group,
  State: row.state,
  CreationDate: new Date(row.createdMs),
  LastModificationDate: new Date(row.modifiedMs),
  Target: { Arn: row.target.Arn },
});

/** "ListSchedules": by group, then by name. */
export const listSchedules: Operation<ListSchedulesInput, ListSchedulesOutput> = async (ctx, input) => {
  const { GroupName: group, NamePrefix: prefix = '', State: state } = input;
  if (group !== undefined) await checkGroup(ctx, group);
  const { after, limit } = pageOf(input);
  const parent = keys.schedules(ctx);
  const range = group === undefined ? rangeOf(parent) : namePrefixRange(keys.groupSchedules(ctx, group), prefix);
  const wanted = (row: ScheduleRow) => row.name.startsWith(prefix) && (state === undefined || row.state === state);
  const { rows, next } = await listRows<ScheduleRow>(ctx.platform.store, parent, range, { after, limit, wanted });
  return { Schedules: rows.map((row) => summary(ctx, row)), ...tokenOf(next) };
};

/** "DeleteSchedule". */
export const deleteSchedule: Operation<DeleteScheduleInput, DeleteScheduleOutput> = async (ctx, input) => {
  const [group, name] = [input.GroupName ?? DEFAULT_GROUP, input.Name ?? ''];
  await checkGroup(ctx, group);
  const key = keys.schedule(ctx, group, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!tx.get(key)) throw scheduleNotFound(name);
    tx.delete(key);
  });
  return {};
};
