import type { DeleteLogGroupCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import type { Operation } from '../../service.ts';
import { deletionProtected } from '../errors.ts';
import { PURGE_TARGET } from '../purge.ts';
import { keys, txGroup } from '../store.ts';

/** "DeleteLogGroup": the group is gone at once; its streams and events are removed in the background. */
export const deleteLogGroup: Operation<DeleteLogGroupCommandInput> = async (ctx, input) => {
  const { store, bus } = ctx.platform;
  const name = input.logGroupName ?? '';
  const key = keys.group(ctx, name);
  await store.transact({ keys: [key] }, (tx) => {
    const group = txGroup(tx, ctx, name);
    if (group.deletionProtectionEnabled) throw deletionProtected();
    tx.delete(key);
    bus.enqueue(tx, { target: PURGE_TARGET, account: ctx.account, region: ctx.region, payload: { groupId: group.id }, trace: ctx.trace });
  });
  return {};
};
