import type {
  CreateScheduleGroupInput,
  CreateScheduleGroupOutput,
  DeleteScheduleGroupInput,
  DeleteScheduleGroupOutput,
  GetScheduleGroupInput,
  GetScheduleGroupOutput,
  ListScheduleGroupsInput,
  ListScheduleGroupsOutput,
  ScheduleGroupSummary,
} from '@aws-sdk/client-scheduler';
import type { Ctx, Operation } from '../../service.ts';
import { PURGE, type PurgePayload } from '../delivery/payloads.ts';
import { DEFAULT_GROUP, groupArn } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { tagsOf } from '../domain/tags.ts';
import { groupDeleting, groupExists, groupNotFound, validation } from '../errors.ts';
import { type GroupRow, keys, listRows, namePrefixRange, read, txGroup, txRead, write } from '../store.ts';

/** "CreateScheduleGroup": the same request again, by its ClientToken, answers as the first. */
export const createScheduleGroup: Operation<CreateScheduleGroupInput, CreateScheduleGroupOutput> = async (ctx, input) => {
  const { Name: name = '', ClientToken } = input;
  const nowMs = ctx.platform.clock.virtual();
  const row: GroupRow = {
    name,
    createdMs: nowMs,
    modifiedMs: nowMs,
    state: 'ACTIVE',
    tags: tagsOf(input.Tags),
    ...(ClientToken === undefined ? {} : { clientToken: ClientToken }),
  };
  const key = keys.group(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txGroup(tx, ctx, name, nowMs);
    if (had && (ClientToken === undefined || had.clientToken !== ClientToken)) throw groupExists(name);
    if (!had) write(tx, key, row);
  });
  return { ScheduleGroupArn: groupArn(ctx, name) };
};

/** The default group gets its row when it is first looked at, so that it keeps the time of its making. */
async function makeDefault(ctx: Ctx): Promise<void> {
  const key = keys.group(ctx, DEFAULT_GROUP);
  if (await ctx.platform.store.get(key)) return;
  const nowMs = ctx.platform.clock.virtual();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!tx.get(key)) write(tx, key, txGroup(tx, ctx, DEFAULT_GROUP, nowMs));
  });
}

const view = (ctx: Ctx, row: GroupRow): ScheduleGroupSummary => ({
  Arn: groupArn(ctx, row.name),
  Name: row.name,
  State: row.state,
  CreationDate: new Date(row.createdMs),
  LastModificationDate: new Date(row.modifiedMs),
});

/** "GetScheduleGroup". */
export const getScheduleGroup: Operation<GetScheduleGroupInput, GetScheduleGroupOutput> = async (ctx, input) => {
  const name = input.Name ?? '';
  if (name === DEFAULT_GROUP) await makeDefault(ctx);
  const row = await read<GroupRow>(ctx.platform.store, keys.group(ctx, name));
  if (!row) throw groupNotFound(name);
  return view(ctx, row);
};

/** "ListScheduleGroups": by name. */
export const listScheduleGroups: Operation<ListScheduleGroupsInput, ListScheduleGroupsOutput> = async (ctx, input) => {
  await makeDefault(ctx);
  const { after, limit } = pageOf(input);
  const parent = keys.groups(ctx);
  const { rows, next } = await listRows<GroupRow>(ctx.platform.store, parent, namePrefixRange(parent, input.NamePrefix ?? ''), { after, limit });
  return { ScheduleGroups: rows.map((row) => view(ctx, row)), ...tokenOf(next) };
};

/** "DeleteScheduleGroup": with its schedules, in the background; none of them runs any more. */
export const deleteScheduleGroup: Operation<DeleteScheduleGroupInput, DeleteScheduleGroupOutput> = async (ctx, input) => {
  const name = input.Name ?? '';
  if (name === DEFAULT_GROUP) throw validation('The default schedule group cannot be deleted.');
  const key = keys.group(ctx, name);
  const nowMs = ctx.platform.clock.virtual();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = txRead<GroupRow>(tx, key);
    if (!row) throw groupNotFound(name);
    if (row.state === 'DELETING') throw groupDeleting(name);
    write(tx, key, { ...row, state: 'DELETING', modifiedMs: nowMs });
    const payload: PurgePayload = { group: name };
    ctx.platform.bus.enqueue(tx, { target: PURGE, account: ctx.account, region: ctx.region, trace: ctx.trace, payload });
  });
  return {};
};
