import type { DeleteLogStreamCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import { decodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { deletionProtected, streamNotFound } from '../errors.ts';
import { PURGE_TARGET } from '../purge.ts';
import { getGroup, keys, type StreamRow, txGroup } from '../store.ts';

/** "DeleteLogStream": the stream is gone at once; its events are removed in the background. */
export const deleteLogStream: Operation<DeleteLogStreamCommandInput> = async (ctx, input) => {
  const { store, bus } = ctx.platform;
  const groupName = input.logGroupName ?? '';
  const name = input.logStreamName ?? '';
  const declared = keys.stream(ctx, (await getGroup(store, ctx, groupName)).id, name);
  await store.transact({ keys: [declared], reads: [keys.group(ctx, groupName)] }, (tx) => {
    const group = txGroup(tx, ctx, groupName);
    if (group.deletionProtectionEnabled) throw deletionProtected();
    const key = keys.stream(ctx, group.id, name);
    const value = tx.get(key);
    if (!value) throw streamNotFound();
    const { id } = decodeJson<StreamRow>(value);
    tx.delete(key);
    tx.delete(keys.streamName(ctx, group.id, id));
    bus.enqueue(tx, { target: PURGE_TARGET, account: ctx.account, region: ctx.region, payload: { groupId: group.id, streamId: id }, trace: ctx.trace });
  });
  return {};
};
