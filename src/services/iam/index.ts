import type { Credential } from '../../identity/principal.ts';
import { partitionOf } from '../../kit/arn.ts';
import type { Ctx, Operation, OperationEntry, Platform, Service } from '../service.ts';
import { iamResources } from './cloudformation.ts';
import { boundaryOperations, permissionOperations } from './operations/permissions.ts';
import * as policies from './operations/policies.ts';
import * as roles from './operations/roles.ts';
import * as serviceLinked from './operations/service-linked-roles.ts';
import * as users from './operations/users.ts';
import { readAccessKey } from './store.ts';

/** The Identity and Access Management room. See README.md. */
export function createIamRoom(): Service {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  const table: Record<string, Operation<any, any>> = {
    CreateRole: roles.createRole,
    CreateServiceLinkedRole: serviceLinked.createServiceLinkedRole,
    DeleteServiceLinkedRole: serviceLinked.deleteServiceLinkedRole,
    GetServiceLinkedRoleDeletionStatus: serviceLinked.getServiceLinkedRoleDeletionStatus,
    GetRole: roles.getRole,
    ListRoles: roles.listRoles,
    UpdateRole: roles.updateRole,
    UpdateRoleDescription: roles.updateRoleDescription,
    UpdateAssumeRolePolicy: roles.updateAssumeRolePolicy,
    DeleteRole: roles.deleteRole,
    TagRole: roles.tagRole,
    UntagRole: roles.untagRole,
    ListRoleTags: roles.listRoleTags,
    CreateInstanceProfile: roles.createInstanceProfile,
    GetInstanceProfile: roles.getInstanceProfile,
    ListInstanceProfiles: roles.listInstanceProfiles,
    ListInstanceProfilesForRole: roles.listInstanceProfilesForRole,
    AddRoleToInstanceProfile: roles.addRoleToInstanceProfile,
    RemoveRoleFromInstanceProfile: roles.removeRoleFromInstanceProfile,
    DeleteInstanceProfile: roles.deleteInstanceProfile,
    TagInstanceProfile: roles.tagInstanceProfile,
    UntagInstanceProfile: roles.untagInstanceProfile,
    ListInstanceProfileTags: roles.listInstanceProfileTags,
    CreatePolicy: policies.createPolicy,
    GetPolicy: policies.getPolicy,
    ListPolicies: policies.listPolicies,
    CreatePolicyVersion: policies.createPolicyVersion,
    GetPolicyVersion: policies.getPolicyVersion,
    ListPolicyVersions: policies.listPolicyVersions,
    SetDefaultPolicyVersion: policies.setDefaultPolicyVersion,
    DeletePolicyVersion: policies.deletePolicyVersion,
    DeletePolicy: policies.deletePolicy,
    TagPolicy: policies.tagPolicy,
    UntagPolicy: policies.untagPolicy,
    ListPolicyTags: policies.listPolicyTags,
    ListEntitiesForPolicy: policies.listEntitiesForPolicy,
    CreateUser: users.createUser,
    GetUser: users.getUser,
    ListUsers: users.listUsers,
    DeleteUser: users.deleteUser,
    TagUser: users.tagUser,
    UntagUser: users.untagUser,
    ListUserTags: users.listUserTags,
    CreateAccessKey: users.createAccessKey,
    ListAccessKeys: users.listAccessKeys,
    UpdateAccessKey: users.updateAccessKey,
    DeleteAccessKey: users.deleteAccessKey,
    GetAccessKeyLastUsed: users.getAccessKeyLastUsed,
    CreateGroup: users.createGroup,
    GetGroup: users.getGroup,
    ListGroups: users.listGroups,
    ListGroupsForUser: users.listGroupsForUser,
    DeleteGroup: users.deleteGroup,
    AddUserToGroup: users.addUserToGroup,
    RemoveUserFromGroup: users.removeUserFromGroup,
    ListAccountAliases: users.listAccountAliases,
    ...permissionOperations('role'),
    ...permissionOperations('user'),
    ...permissionOperations('group'),
    ...boundaryOperations('role'),
    ...boundaryOperations('user'),
  };
  return {
    name: 'iam',
    operations: Object.fromEntries(Object.entries(table).map(([name, run]): [string, OperationEntry] => [name, { run, access: { resource: resourceOf } }])),
    wording: { validationCode: 'ValidationError' },
    resources: iamResources,
    usage: {},
    credential,
  };
}

/** The ARN that an operation acts on, as "Actions, resources, and condition keys for IAM" has it. */
function resourceOf(ctx: Ctx, input: Record<string, unknown>): string {
  const arn = (kind: string, name: unknown) => `arn:${partitionOf(ctx.region)}:iam::${ctx.account}:${kind}/${String(name)}`;
  if (input['RoleName']) return arn('role', input['RoleName']);
  if (input['GroupName']) return arn('group', input['GroupName']);
  if (input['UserName']) return arn('user', input['UserName']);
  if (input['InstanceProfileName']) return arn('instance-profile', input['InstanceProfileName']);
  if (input['PolicyArn']) return String(input['PolicyArn']);
  if (input['PolicyName']) return arn('policy', input['PolicyName']);
  return '*';
}

/** A user's active key. */
async function credential(platform: Platform, accessKeyId: string, sessionToken: string | undefined): Promise<Credential | undefined> {
  if (!accessKeyId.startsWith('AKIA') || sessionToken !== undefined) return undefined;
  const key = await readAccessKey(platform.store, accessKeyId);
  if (key?.status !== 'Active') return undefined;
  return {
    accessKeyId,
    secretAccessKey: key.secretAccessKey,
    principal: { account: key.account, accessKeyId, arn: key.userArn, userId: key.userId, type: 'user' },
  };
}
