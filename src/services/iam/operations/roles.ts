import type * as Iam from '@aws-sdk/client-iam';
import { encodeJson } from '../../../kit/json.ts';
import { keyOf } from '../../../kit/key.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { InstanceProfile, Role } from '../domain/entities.ts';
import { checkTrustPolicy, countedCharacters } from '../domain/policy-document.ts';
import { deleteConflict, limitExceeded } from '../errors.ts';
import { MAX_SESSION_SECONDS_DEFAULT, TRUST_POLICY_CHARACTERS_MAX } from '../limits.ts';
import { all, attachmentKey, entityKey, rangeOf } from '../store.ts';
import {
  change,
  describeBoundary,
  encodeDocument,
  iamArn,
  mergeTags,
  modifiable,
  need,
  needTx,
  newEntity,
  pageIn,
  pageOf,
  putNew,
  tagList,
  withoutTags,
} from './common.ts';

/** A role as answers have it: lists leave tags, boundary and last use out, the answer to its creation what nobody has set or used yet. */
export function describeRole(role: Role, view: 'created' | 'listed' | 'full' = 'full'): Iam.Role {
  const full = view !== 'listed';
  const sessionLength = view !== 'created' || role.maxSessionSeconds !== MAX_SESSION_SECONDS_DEFAULT;
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdMs),
    AssumeRolePolicyDocument: encodeDocument(role.trustPolicy),
    ...(role.description === undefined ? {} : { Description: role.description }),
    ...(sessionLength ? { MaxSessionDuration: role.maxSessionSeconds } : {}),
    ...(full && role.boundary ? { PermissionsBoundary: describeBoundary(role.boundary) } : {}),
    ...(full && Object.keys(role.tags).length > 0 ? { Tags: tagList(role.tags) } : {}),
    ...(view === 'full' ? { RoleLastUsed: {} } : {}),
  };
}

function checkedTrustPolicy(document: string): string {
  checkTrustPolicy(document);
  if (countedCharacters(document) > TRUST_POLICY_CHARACTERS_MAX) throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${TRUST_POLICY_CHARACTERS_MAX}`);
  return document;
}

/** "CreateRole" in the IAM API Reference. */
export const createRole: Operation<Iam.CreateRoleRequest, Iam.CreateRoleResponse> = async (ctx, input) => ({
  Role: describeRole(await createRoleOnce(ctx, input), 'created'),
});

/** {@link createRole}, again with the same `token` answered by the role made before. */
export const createRoleOnce = (ctx: Ctx, input: Iam.CreateRoleRequest, token?: string): Promise<Role> => putNew(ctx, 'role', newRole(ctx, input), token);

function newRole(ctx: Ctx, input: Iam.CreateRoleRequest): Role {
  return {
    ...newEntity(ctx, 'role', input.RoleName ?? '', input.Path, input.Tags),
    trustPolicy: checkedTrustPolicy(input.AssumeRolePolicyDocument ?? ''),
    ...(input.Description ? { description: input.Description } : {}),
    maxSessionSeconds: input.MaxSessionDuration ?? MAX_SESSION_SECONDS_DEFAULT,
    ...(input.PermissionsBoundary ? { boundary: input.PermissionsBoundary } : {}),
    inline: {},
    attached: [],
  };
}

/** "GetRole" in the IAM API Reference. */
export const getRole: Operation<Iam.GetRoleRequest, Iam.GetRoleResponse> = async (ctx, input) => ({
  Role: describeRole(await need(ctx, 'role', input.RoleName)),
});

/** "ListRoles" in the IAM API Reference. */
export const listRoles: Operation<Iam.ListRolesRequest, Iam.ListRolesResponse> = async (ctx, input) => {
  const { entities, ...paging } = await pageOf(ctx, 'role', input, (role) => role.path.startsWith(input.PathPrefix ?? '/'));
  return { Roles: entities.map((role) => describeRole(role, 'listed')), ...paging };
};

/** "UpdateRole" in the IAM API Reference. */
export const updateRole: Operation<Iam.UpdateRoleRequest, Iam.UpdateRoleResponse> = async (ctx, input) => {
  await change(ctx, 'role', input.RoleName, (role) => ({
    ...modifiable(role),
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(input.MaxSessionDuration === undefined ? {} : { maxSessionSeconds: input.MaxSessionDuration }),
  }));
  return {};
};

/** "UpdateRoleDescription" in the IAM API Reference. */
export const updateRoleDescription: Operation<Iam.UpdateRoleDescriptionRequest, Iam.UpdateRoleDescriptionResponse> = async (ctx, input) => ({
  Role: describeRole(await change(ctx, 'role', input.RoleName, (role) => ({ ...role, description: input.Description ?? '' }))),
});

/** "UpdateAssumeRolePolicy" in the IAM API Reference. */
export const updateAssumeRolePolicy: Operation<Iam.UpdateAssumeRolePolicyRequest> = async (ctx, input) => {
  modifiable(await need(ctx, 'role', input.RoleName));
  const trustPolicy = checkedTrustPolicy(input.PolicyDocument ?? '');
  await change(ctx, 'role', input.RoleName, (role) => ({ ...role, trustPolicy }));
  return {};
};

/** "DeleteRole" in the IAM API Reference. */
export const deleteRole: Operation<Iam.DeleteRoleRequest> = async (ctx, input) => {
  const name = input.RoleName ?? '';
  const profiles = rangeOf(keyOf('iam', ctx.account, 'attachment', profileOwner(ctx, name)));
  await ctx.platform.store.transact({ keys: [entityKey(ctx.account, 'role', name)], ranges: [profiles] }, (tx) => {
    const role = modifiable(needTx(tx, ctx, 'role', name));
    if (tx.range({ ...profiles, limit: 1 }).entries.length > 0) throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
    if (role.attached.length > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
    if (Object.keys(role.inline).length > 0) throw deleteConflict('Cannot delete entity, must delete policies first.');
    tx.delete(entityKey(ctx.account, 'role', name));
  });
  return {};
};

/** Profiles of a role are attachments of its ARN-like name. */
const profileOwner = (ctx: Ctx, roleName: string): string => iamArn(ctx, `role/${roleName.toLowerCase()}`);

/** "TagRole" in the IAM API Reference. */
export const tagRole: Operation<Iam.TagRoleRequest> = async (ctx, input) => {
  await change(ctx, 'role', input.RoleName, (role) => ({ ...role, tags: mergeTags(role.tags, input.Tags) }));
  return {};
};

/** "UntagRole" in the IAM API Reference. */
export const untagRole: Operation<Iam.UntagRoleRequest> = async (ctx, input) => {
  await change(ctx, 'role', input.RoleName, (role) => ({ ...role, tags: withoutTags(role.tags, input.TagKeys) }));
  return {};
};

/** "ListRoleTags" in the IAM API Reference. */
export const listRoleTags: Operation<Iam.ListRoleTagsRequest, Iam.ListRoleTagsResponse> = async (ctx, input) => {
  const { items, ...paging } = pageIn(tagList((await need(ctx, 'role', input.RoleName)).tags), input);
  return { Tags: items, ...paging };
};

async function describeProfile(ctx: Ctx, profile: InstanceProfile): Promise<Iam.InstanceProfile> {
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: profile.arn,
    CreateDate: new Date(profile.createdMs),
    Roles: profile.roleName ? [describeRole(await need(ctx, 'role', profile.roleName), 'listed')] : [],
    ...(Object.keys(profile.tags).length > 0 ? { Tags: tagList(profile.tags) } : {}),
  };
}

/** "CreateInstanceProfile" in the IAM API Reference. */
export const createInstanceProfile: Operation<Iam.CreateInstanceProfileRequest, Iam.CreateInstanceProfileResponse> = async (ctx, input) => {
  const profile = await createInstanceProfileOnce(ctx, input);
  return { InstanceProfile: await describeProfile(ctx, profile) };
};

/** {@link createInstanceProfile}, again with the same `token` answered by the profile made before. */
export const createInstanceProfileOnce = (ctx: Ctx, input: Iam.CreateInstanceProfileRequest, token?: string): Promise<InstanceProfile> =>
  putNew(ctx, 'instance-profile', newEntity(ctx, 'instance-profile', input.InstanceProfileName ?? '', input.Path, input.Tags), token);

/** "GetInstanceProfile" in the IAM API Reference. */
export const getInstanceProfile: Operation<Iam.GetInstanceProfileRequest, Iam.GetInstanceProfileResponse> = async (ctx, input) => ({
  InstanceProfile: await describeProfile(ctx, await need(ctx, 'instance-profile', input.InstanceProfileName)),
});

/** "ListInstanceProfiles" in the IAM API Reference. */
export const listInstanceProfiles: Operation<Iam.ListInstanceProfilesRequest, Iam.ListInstanceProfilesResponse> = async (ctx, input) => {
  const { entities, ...paging } = await pageOf(ctx, 'instance-profile', input, (profile) => profile.path.startsWith(input.PathPrefix ?? '/'));
  return { InstanceProfiles: await Promise.all(entities.map((profile) => describeProfile(ctx, profile))), ...paging };
};

/** "ListInstanceProfilesForRole" in the IAM API Reference. */
export const listInstanceProfilesForRole: Operation<Iam.ListInstanceProfilesForRoleRequest, Iam.ListInstanceProfilesForRoleResponse> = async (ctx, input) => {
  const role = await need(ctx, 'role', input.RoleName);
  const entries = await all(ctx.platform.store, rangeOf(keyOf('iam', ctx.account, 'attachment', profileOwner(ctx, role.name))));
  const { items, ...paging } = pageIn(entries, input);
  const profiles = items.map(async ([, value]) => describeProfile(ctx, await need(ctx, 'instance-profile', Buffer.from(value).toString('utf8').slice(1, -1))));
  return { InstanceProfiles: await Promise.all(profiles), ...paging };
};

/** "AddRoleToInstanceProfile" in the IAM API Reference. */
export const addRoleToInstanceProfile: Operation<Iam.AddRoleToInstanceProfileRequest> = async (ctx, input) => {
  const role = modifiable(await need(ctx, 'role', input.RoleName));
  await change(ctx, 'instance-profile', input.InstanceProfileName, (profile, tx) => {
    if (profile.roleName) throw limitExceeded('Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1');
    needTx(tx, ctx, 'role', role.name);
    tx.put(attachmentKey(ctx.account, profileOwner(ctx, role.name), 'instance-profile', profile.name), encodeJson(profile.name));
    return { ...profile, roleName: role.name };
  });
  return {};
};

/** "RemoveRoleFromInstanceProfile" in the IAM API Reference. */
export const removeRoleFromInstanceProfile: Operation<Iam.RemoveRoleFromInstanceProfileRequest> = async (ctx, input) => {
  const role = modifiable(await need(ctx, 'role', input.RoleName));
  await change(ctx, 'instance-profile', input.InstanceProfileName, (profile, tx) => {
    tx.delete(attachmentKey(ctx.account, profileOwner(ctx, role.name), 'instance-profile', profile.name));
    const { roleName: _, ...without } = profile;
    return without;
  });
  return {};
};

/** "TagInstanceProfile" in the IAM API Reference. */
export const tagInstanceProfile: Operation<Iam.TagInstanceProfileRequest> = async (ctx, input) => {
  await change(ctx, 'instance-profile', input.InstanceProfileName, (profile) => ({ ...profile, tags: mergeTags(profile.tags, input.Tags) }));
  return {};
};

/** "UntagInstanceProfile" in the IAM API Reference. */
export const untagInstanceProfile: Operation<Iam.UntagInstanceProfileRequest> = async (ctx, input) => {
  await change(ctx, 'instance-profile', input.InstanceProfileName, (profile) => ({ ...profile, tags: withoutTags(profile.tags, input.TagKeys) }));
  return {};
};

/** "ListInstanceProfileTags" in the IAM API Reference. */
export const listInstanceProfileTags: Operation<Iam.ListInstanceProfileTagsRequest, Iam.ListInstanceProfileTagsResponse> = async (ctx, input) => {
  const { items, ...paging } = pageIn(tagList((await need(ctx, 'instance-profile', input.InstanceProfileName)).tags), input);
  return { Tags: items, ...paging };
};

/** "DeleteInstanceProfile" in the IAM API Reference. */
export const deleteInstanceProfile: Operation<Iam.DeleteInstanceProfileRequest> = async (ctx, input) => {
  const key = entityKey(ctx.account, 'instance-profile', input.InstanceProfileName ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const profile = needTx(tx, ctx, 'instance-profile', input.InstanceProfileName ?? '');
    if (profile.roleName) throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
    tx.delete(key);
  });
  return {};
};
