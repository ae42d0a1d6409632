import type { PutLogGroupDeletionProtectionCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import type { Operation } from '../../service.ts';
import { groupNameOf } from '../domain/names.ts';
import { updateGroup } from '../store.ts';

/** "PutLogGroupDeletionProtection". */
export const putLogGroupDeletionProtection: Operation<PutLogGroupDeletionProtectionCommandInput> = async (ctx, input) => {
  await updateGroup(ctx.platform.store, ctx, groupNameOf({ logGroupIdentifier: input.logGroupIdentifier }), (group) => [
    { ...group, deletionProtectionEnabled: input.deletionProtectionEnabled ?? false },
    undefined,
  ]);
  return {};
};
