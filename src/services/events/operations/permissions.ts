import type { PutPermissionRequest, RemovePermissionRequest } from '@aws-sdk/client-eventbridge';
import type { Ctx, Operation } from '../../service.ts';
import { type BusAddress, busArn, busOf } from '../domain/names.ts';
import { checkPolicy, withoutStatement, withStatement } from '../domain/policy.ts';
import { busNotFound, policyTooLong, validation } from '../errors.ts';
import { POLICY_BYTES_MAX } from '../limits.ts';
import { keys, txBus, write } from '../store.ts';

/** Puts another policy in the place of a bus's; undefined takes it away. */
async function changePolicy(ctx: Ctx, address: BusAddress, next: (policy: string | undefined) => string | undefined): Promise<Record<string, never>> {
  const key = keys.bus(address, address.name);
  const nowMs = ctx.platform.clock.virtual();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txBus(tx, address, nowMs);
    if (!had) throw busNotFound(address.name);
    const { policy, ...rest } = had;
    const changed = next(policy);
    if (changed !== undefined && Buffer.byteLength(changed) > POLICY_BYTES_MAX) throw policyTooLong();
    write(tx, key, { ...rest, ...(changed === undefined ? {} : { policy: changed }), modifiedMs: nowMs });
  });
  return {};
}

/** "PutPermission": one statement, or the policy whole. Kept and described; not enforced yet. */
export const putPermission: Operation<PutPermissionRequest, Record<string, never>> = (ctx, input) => {
  const address = busOf(ctx, input.EventBusName);
  return changePolicy(ctx, address, (policy) =>
    input.Policy === undefined ? withStatement(policy, busArn(address), address.region, input) : checkPolicy(input.Policy),
  );
};

/** "RemovePermission". */
export const removePermission: Operation<RemovePermissionRequest, Record<string, never>> = (ctx, input) => {
  const address = busOf(ctx, input.EventBusName);
  return changePolicy(ctx, address, (policy) => {
    if (input.RemoveAllPermissions) return undefined;
    if (input.StatementId === undefined) throw validation('Parameter StatementId is required.');
    return withoutStatement(policy, input.StatementId);
  });
};
