import type { CreateLogStreamCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import { encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { streamExists } from '../errors.ts';
import { getGroup, keys, type StreamRow, txGroup } from '../store.ts';

/** "CreateLogStream". */
export const createLogStream: Operation<CreateLogStreamCommandInput> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const groupName = input.logGroupName ?? '';
  const name = input.logStreamName ?? '';
  const row: StreamRow = { id: ids.text(16), name, createdMs: clock.virtual() };
  const declared = keys.stream(ctx, (await getGroup(store, ctx, groupName)).id, name);
  await store.transact({ keys: [declared], reads: [keys.group(ctx, groupName)] }, (tx) => {
    // Read again: the group may have been deleted, or deleted and created, since.
    const group = txGroup(tx, ctx, groupName);
    const key = keys.stream(ctx, group.id, name);
    if (tx.get(key)) throw streamExists();
    tx.put(key, encodeJson(row));
    tx.put(keys.streamName(ctx, group.id, row.id), encodeJson(name));
  });
  return {};
};
