import type { DeleteRetentionPolicyCommandInput, PutRetentionPolicyCommandInput } from '@aws-sdk/client-cloudwatch-logs';
import type { Operation } from '../../service.ts';
import { invalidParameter } from '../errors.ts';
import { RETENTION_DAYS } from '../limits.ts';
import { SWEEP_TARGET, type SweepPayload } from '../purge.ts';
import { updateGroup } from '../store.ts';

/** "PutRetentionPolicy": expired events disappear from reads at once, and from the store by sweeps. */
export const putRetentionPolicy: Operation<PutRetentionPolicyCommandInput> = async (ctx, input) => {
  const { store, bus, ids } = ctx.platform;
  const days = input.retentionInDays;
  if (!(RETENTION_DAYS as readonly (number | undefined)[]).includes(days) || days === undefined) {
    throw invalidParameter(
      `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTION_DAYS.join(', ')}]`,
    );
  }
  const sweepToken = ids.text(12);
  await updateGroup(store, ctx, input.logGroupName ?? '', (group, tx) => {
    const payload: SweepPayload = { groupName: group.name, groupId: group.id, sweepToken };
    bus.enqueue(tx, { target: SWEEP_TARGET, account: ctx.account, region: ctx.region, payload, trace: ctx.trace });
    return [{ ...group, retentionInDays: days, sweepToken }, undefined];
  });
  return {};
};

/** "DeleteRetentionPolicy". */
export const deleteRetentionPolicy: Operation<DeleteRetentionPolicyCommandInput> = async (ctx, input) => {
  await updateGroup(ctx.platform.store, ctx, input.logGroupName ?? '', (group) => {
    const { retentionInDays: _days, sweepToken: _token, ...rest } = group;
    return [rest, undefined];
  });
  return {};
};
