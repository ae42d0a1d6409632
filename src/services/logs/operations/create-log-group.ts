import type { CreateLogGroupCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import { notImplemented } from '../../../kit/errors.ts';
import { encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { groupExists } from '../errors.ts';
import { type GroupRow, keys } from '../store.ts';

/** "CreateLogGroup" in the Amazon CloudWatch Logs API reference. `kmsKeyId` and the class INFREQUENT_ACCESS are recorded. */
export const createLogGroup: Operation<CreateLogGroupCommandInput> = async (ctx, input) => {
  if (input.logGroupClass === 'DELIVERY') throw notImplemented('CreateLogGroup with logGroupClass DELIVERY');
  const { store, ids, clock } = ctx.platform;
  const name = input.logGroupName ?? '';
  const key = keys.group(ctx, name);
  const row: GroupRow = {
    id: ids.text(20),
    name,
    createdMs: clock.virtual(),
    logGroupClass: input.logGroupClass ?? 'STANDARD',
    ...(input.kmsKeyId === undefined ? {} : { kmsKeyId: input.kmsKeyId }),
    ...(input.deletionProtectionEnabled === undefined ? {} : { deletionProtectionEnabled: input.deletionProtectionEnabled }),
    tags: input.tags ?? {},
  };
  await store.transact({ keys: [key] }, (tx) => {
    if (tx.get(key)) throw groupExists();
    tx.put(key, encodeJson(row));
  });
  return {};
};
