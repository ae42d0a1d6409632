import type * as Iam from '@aws-sdk/client-iam';
import { partitionOf } from '../../../kit/arn.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { Role } from '../domain/entities.ts';
import { type ServiceLinkedRole, serviceLinkedRole } from '../domain/service-linked-roles.ts';
import { invalidInput, noSuchEntity, notFound } from '../errors.ts';
import { MAX_SESSION_SECONDS_DEFAULT } from '../limits.ts';
import { attachmentKey, deletionTaskKey, entityKey, readTx, writeTx } from '../store.ts';
import { need, newEntity } from './common.ts';
import { describeRole } from './roles.ts';

/** "CreateServiceLinkedRole" in the IAM API Reference. */
export const createServiceLinkedRole: Operation<Iam.CreateServiceLinkedRoleRequest, Iam.CreateServiceLinkedRoleResponse> = async (ctx, input) => ({
  Role: describeRole(await createServiceLinkedRoleOnce(ctx, input), 'created'),
});

/** {@link createServiceLinkedRole}, again with the same `token` answered by the role made before. */
export function createServiceLinkedRoleOnce(ctx: Ctx, input: Iam.CreateServiceLinkedRoleRequest, token?: string): Promise<Role> {
  const service = input.AWSServiceName ?? '';
  const known = serviceLinkedRole(service);
  if (input.CustomSuffix && !known.customSuffix) throw invalidInput(`Custom suffix is not allowed for ${service}`);
  const name = input.CustomSuffix ? `${known.role}_${input.CustomSuffix}` : known.role;
  const role = newServiceLinkedRole(ctx, { service, name, known, description: input.Description });
  const attachment = attachmentKey(ctx.account, policyArn(ctx, known), 'role', name);
  return ctx.platform.store.transact({ keys: [entityKey(ctx.account, 'role', name), attachment] }, (tx) => {
    const present = readTx(tx, ctx.account, 'role', name);
    if (present && token !== undefined && present.token === token) return present;
    if (present) throw invalidInput(`Service role name ${name} has been taken in this account, please try a different suffix.`);
    const made = token === undefined ? role : { ...role, token };
    writeTx(tx, ctx.account, 'role', made);
    tx.put(attachment, encodeJson('role'));
    return made;
  });
}

const policyArn = (ctx: Ctx, { policy }: ServiceLinkedRole): string => `arn:${partitionOf(ctx.region)}:iam::aws:policy/aws-service-role/${policy}`;

interface NewRole {
  readonly service: string;
  readonly name: string;
  readonly known: ServiceLinkedRole;
  readonly description: string | undefined;
}

function newServiceLinkedRole(ctx: Ctx, { service, name, known, description }: NewRole): Role {
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] };
  return {
    ...newEntity(ctx, 'role', name, `/aws-service-role/${service}/`, undefined),
    serviceLinked: true,
    trustPolicy: JSON.stringify(trust),
    ...(description ? { description } : {}),
    maxSessionSeconds: MAX_SESSION_SECONDS_DEFAULT,
    inline: {},
    attached: [policyArn(ctx, known)],
  };
}

/** "DeleteServiceLinkedRole" in the IAM API Reference. No service keeps such a role in use here: the task has succeeded when it is answered. */
export const deleteServiceLinkedRole: Operation<Iam.DeleteServiceLinkedRoleRequest, Iam.DeleteServiceLinkedRoleResponse> = async (ctx, input) => {
  const { name, path, attached, serviceLinked } = await need(ctx, 'role', input.RoleName);
  if (!serviceLinked) throw notFound('role', name);
  const task = `task${path}${name}/${ctx.platform.ids.uuid()}`;
  const role = entityKey(ctx.account, 'role', name);
  const attachments = attached.map((arn) => attachmentKey(ctx.account, arn, 'role', name));
  await ctx.platform.store.transact({ keys: [role, ...attachments, deletionTaskKey(ctx.account, task)] }, (tx) => {
    if (!readTx(tx, ctx.account, 'role', name)?.serviceLinked) throw notFound('role', name);
    for (const key of [role, ...attachments]) tx.delete(key);
    tx.put(deletionTaskKey(ctx.account, task), encodeJson('SUCCEEDED'));
  });
  return { DeletionTaskId: task };
};

/** "GetServiceLinkedRoleDeletionStatus" in the IAM API Reference. */
export const getServiceLinkedRoleDeletionStatus: Operation<
  Iam.GetServiceLinkedRoleDeletionStatusRequest,
  Iam.GetServiceLinkedRoleDeletionStatusResponse
> = async (ctx, input) => {
  const task = input.DeletionTaskId ?? '';
  const status = await ctx.platform.store.get(deletionTaskKey(ctx.account, task));
  if (!status) throw noSuchEntity(`Deletion task ${task} cannot be found.`);
  return { Status: decodeJson<Iam.DeletionTaskStatusType>(status) };
};
