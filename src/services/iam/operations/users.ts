import type * as Iam from '@aws-sdk/client-iam';
import { newAccessKeyId } from '../../../identity/access-key.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { AccessKey, Group, User } from '../domain/entities.ts';
import { deleteConflict, limitExceeded, noSuchEntity } from '../errors.ts';
import { ACCESS_KEYS_PER_USER_MAX, GROUPS_PER_USER_MAX } from '../limits.ts';
import { accessKeyKey, all, entityKey, lastPart, memberKey, members, readAccessKey, writeTx } from '../store.ts';
import { change, describeBoundary, iamArn, mergeTags, need, needTx, newEntity, pageIn, pageOf, putNew, tagList, withoutTags } from './common.ts';

/** 30 random bytes are the 40 base64 characters of a secret access key. */
const SECRET_BYTES = 30;

const describeUser = (user: User, full = true): Iam.User => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: user.arn,
  CreateDate: new Date(user.createdMs),
  ...(full && user.boundary ? { PermissionsBoundary: describeBoundary(user.boundary) } : {}),
  ...(full && Object.keys(user.tags).length > 0 ? { Tags: tagList(user.tags) } : {}),
});

const describeGroup = (group: Group): Iam.Group => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: group.arn,
  CreateDate: new Date(group.createdMs),
});

/** The user named, or the calling one where none is. */
function nameOrCaller(ctx: Ctx, name: string | undefined): string {
  if (name) return name;
  if (ctx.principal.type === 'user') return ctx.principal.arn.slice(ctx.principal.arn.lastIndexOf('/') + 1);
  throw noSuchEntity('Must specify userName when calling with non-User credentials');
}

/** "CreateUser" in the IAM API Reference. */
export const createUser: Operation<Iam.CreateUserRequest, Iam.CreateUserResponse> = async (ctx, input) => ({
  User: describeUser(await createUserOnce(ctx, input)),
});

/** {@link createUser}, again with the same `token` answered by the user made before. */
export function createUserOnce(ctx: Ctx, input: Iam.CreateUserRequest, token?: string): Promise<User> {
  const user: User = {
    ...newEntity(ctx, 'user', input.UserName ?? '', input.Path, input.Tags),
    ...(input.PermissionsBoundary ? { boundary: input.PermissionsBoundary } : {}),
    inline: {},
    attached: [],
    groups: [],
    accessKeyIds: [],
  };
  return putNew(ctx, 'user', user, token);
}

/** "GetUser" in the IAM API Reference: without a name, the caller; the root user included. */
export const getUser: Operation<Iam.GetUserRequest, Iam.GetUserResponse> = async (ctx, input) => {
  if (!input.UserName && ctx.principal.type === 'root') {
    return { User: { Path: '/', UserName: 'root', UserId: ctx.account, Arn: iamArn(ctx, 'root'), CreateDate: new Date(0) } };
  }
  return { User: describeUser(await need(ctx, 'user', nameOrCaller(ctx, input.UserName))) };
};

/** "ListUsers" in the IAM API Reference. */
export const listUsers: Operation<Iam.ListUsersRequest, Iam.ListUsersResponse> = async (ctx, input) => {
  const { entities, ...paging } = await pageOf(ctx, 'user', input, (user) => user.path.startsWith(input.PathPrefix ?? '/'));
  return { Users: entities.map((user) => describeUser(user, false)), ...paging };
};

/** "DeleteUser" in the IAM API Reference. */
export const deleteUser: Operation<Iam.DeleteUserRequest> = async (ctx, input) => {
  const key = entityKey(ctx.account, 'user', input.UserName ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const user = needTx(tx, ctx, 'user', input.UserName ?? '');
    if (user.accessKeyIds.length > 0) throw deleteConflict('Cannot delete entity, must delete access keys first.');
    if (user.attached.length > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
    if (Object.keys(user.inline).length > 0) throw deleteConflict('Cannot delete entity, must delete policies first.');
    if (user.groups.length > 0) throw deleteConflict('Cannot delete entity, must remove users from group first.');
    tx.delete(key);
  });
  return {};
};

/** "TagUser" in the IAM API Reference. */
export const tagUser: Operation<Iam.TagUserRequest> = async (ctx, input) => {
  await change(ctx, 'user', input.UserName, (user) => ({ ...user, tags: mergeTags(user.tags, input.Tags) }));
  return {};
};

/** "UntagUser" in the IAM API Reference. */
export const untagUser: Operation<Iam.UntagUserRequest> = async (ctx, input) => {
  await change(ctx, 'user', input.UserName, (user) => ({ ...user, tags: withoutTags(user.tags, input.TagKeys) }));
  return {};
};

/** "ListUserTags" in the IAM API Reference. */
export const listUserTags: Operation<Iam.ListUserTagsRequest, Iam.ListUserTagsResponse> = async (ctx, input) => {
  const { items, ...paging } = pageIn(tagList((await need(ctx, 'user', input.UserName)).tags), input);
  return { Tags: items, ...paging };
};

/** "CreateAccessKey" in the IAM API Reference. */
export const createAccessKey: Operation<Iam.CreateAccessKeyRequest, Iam.CreateAccessKeyResponse> = async (ctx, input) => {
  const { userName, accessKeyId, secretAccessKey, createdMs } = await createAccessKeyOnce(ctx, nameOrCaller(ctx, input.UserName));
  return { AccessKey: { UserName: userName, AccessKeyId: accessKeyId, Status: 'Active', SecretAccessKey: secretAccessKey, CreateDate: new Date(createdMs) } };
};

/** {@link createAccessKey}, again with the same `token` answered by the key made before. */
export function createAccessKeyOnce(ctx: Ctx, userName: string, token?: string): Promise<AccessKey> {
  const accessKeyId = newAccessKeyId(ctx.platform.ids, 'AKIA', ctx.account);
  const secretAccessKey = ctx.platform.ids.bytes(SECRET_BYTES).toString('base64');
  const createdMs = ctx.platform.clock.virtual();
  return ctx.platform.store.transact({ keys: [entityKey(ctx.account, 'user', userName), accessKeyKey(accessKeyId)] }, (tx) => {
    const user = needTx(tx, ctx, 'user', userName);
    for (const id of token === undefined ? [] : user.accessKeyIds) {
      const value = tx.get(accessKeyKey(id));
      const present = value && decodeJson<AccessKey>(value);
      if (present && present.token === token) return present;
    }
    if (user.accessKeyIds.length >= ACCESS_KEYS_PER_USER_MAX) throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${ACCESS_KEYS_PER_USER_MAX}`);
    const owner = { account: ctx.account, userName: user.name, userId: user.id, userArn: user.arn };
    const created: AccessKey = { accessKeyId, secretAccessKey, ...owner, status: 'Active', createdMs, ...(token === undefined ? {} : { token }) };
    tx.put(accessKeyKey(accessKeyId), encodeJson(created));
    writeTx(tx, ctx.account, 'user', { ...user, accessKeyIds: [...user.accessKeyIds, accessKeyId] });
    return created;
  });
}

/** "ListAccessKeys" in the IAM API Reference. */
export const listAccessKeys: Operation<Iam.ListAccessKeysRequest, Iam.ListAccessKeysResponse> = async (ctx, input) => {
  if (!input.UserName && ctx.principal.type === 'root') return { AccessKeyMetadata: [], IsTruncated: false };
  const user = await need(ctx, 'user', nameOrCaller(ctx, input.UserName));
  const { items, ...paging } = pageIn(user.accessKeyIds, input);
  const keys = (await Promise.all(items.map((id) => readAccessKey(ctx.platform.store, id)))).filter((key) => key !== undefined);
  return {
    AccessKeyMetadata: keys.map((key) => ({ UserName: user.name, AccessKeyId: key.accessKeyId, Status: key.status, CreateDate: new Date(key.createdMs) })),
    ...paging,
  };
};

const keyNotFound = (id: string) => noSuchEntity(`The Access Key with id ${id} cannot be found.`);

/** "UpdateAccessKey" in the IAM API Reference. */
export const updateAccessKey: Operation<Iam.UpdateAccessKeyRequest> = async (ctx, input) => {
  const id = input.AccessKeyId ?? '';
  const name = await ownerOf(ctx, input.UserName, id);
  await ctx.platform.store.transact({ keys: [accessKeyKey(id)] }, (tx) => {
    const value = tx.get(accessKeyKey(id));
    const key = value && decodeJson<AccessKey>(value);
    if (key?.userName !== name) throw keyNotFound(id);
    tx.put(accessKeyKey(id), encodeJson({ ...key, status: input.Status === 'Inactive' ? 'Inactive' : 'Active' }));
  });
  return {};
};

/** "DeleteAccessKey" in the IAM API Reference. */
export const deleteAccessKey: Operation<Iam.DeleteAccessKeyRequest> = async (ctx, input) => {
  const id = input.AccessKeyId ?? '';
  const name = await ownerOf(ctx, input.UserName, id);
  await ctx.platform.store.transact({ keys: [entityKey(ctx.account, 'user', name), accessKeyKey(id)] }, (tx) => {
    const user = needTx(tx, ctx, 'user', name);
    if (!user.accessKeyIds.includes(id)) throw keyNotFound(id);
    tx.delete(accessKeyKey(id));
    writeTx(tx, ctx.account, 'user', { ...user, accessKeyIds: user.accessKeyIds.filter((other) => other !== id) });
  });
  return {};
};

/** The user that has the key: checked against the name given, found where none was. */
async function ownerOf(ctx: Ctx, given: string | undefined, accessKeyId: string): Promise<string> {
  if (given) return (await need(ctx, 'user', given)).name;
  const key = await readAccessKey(ctx.platform.store, accessKeyId);
  if (key?.account !== ctx.account) throw keyNotFound(accessKeyId);
  return key.userName;
}

/** "GetAccessKeyLastUsed" in the IAM API Reference: uses are not recorded. */
export const getAccessKeyLastUsed: Operation<Iam.GetAccessKeyLastUsedRequest, Iam.GetAccessKeyLastUsedResponse> = async (ctx, input) => {
  const key = await readAccessKey(ctx.platform.store, input.AccessKeyId ?? '');
  if (key?.account !== ctx.account) throw keyNotFound(input.AccessKeyId ?? '');
  return { UserName: key.userName, AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } as Iam.AccessKeyLastUsed };
};

/** "CreateGroup" in the IAM API Reference. */
export const createGroup: Operation<Iam.CreateGroupRequest, Iam.CreateGroupResponse> = async (ctx, input) => ({
  Group: describeGroup(await createGroupOnce(ctx, input)),
});

/** {@link createGroup}, again with the same `token` answered by the group made before. */
export const createGroupOnce = (ctx: Ctx, input: Iam.CreateGroupRequest, token?: string): Promise<Group> =>
  putNew(ctx, 'group', { ...newEntity(ctx, 'group', input.GroupName ?? '', input.Path, undefined), inline: {}, attached: [] }, token);

/** "GetGroup" in the IAM API Reference. */
export const getGroup: Operation<Iam.GetGroupRequest, Iam.GetGroupResponse> = async (ctx, input) => {
  const group = await need(ctx, 'group', input.GroupName);
  const names = (await all(ctx.platform.store, members(ctx.account, group.name))).map(([key]) => lastPart(key));
  const { items, ...paging } = pageIn(names, input);
  return { Group: describeGroup(group), Users: await Promise.all(items.map(async (name) => describeUser(await need(ctx, 'user', name), false))), ...paging };
};

/** "ListGroups" in the IAM API Reference. */
export const listGroups: Operation<Iam.ListGroupsRequest, Iam.ListGroupsResponse> = async (ctx, input) => {
  const { entities, ...paging } = await pageOf(ctx, 'group', input, (group) => group.path.startsWith(input.PathPrefix ?? '/'));
  return { Groups: entities.map(describeGroup), ...paging };
};

/** "ListGroupsForUser" in the IAM API Reference. */
export const listGroupsForUser: Operation<Iam.ListGroupsForUserRequest, Iam.ListGroupsForUserResponse> = async (ctx, input) => {
  const user = await need(ctx, 'user', input.UserName);
  const { items, ...paging } = pageIn(user.groups, input);
  return { Groups: await Promise.all(items.map(async (name) => describeGroup(await need(ctx, 'group', name)))), ...paging };
};

/** "DeleteGroup" in the IAM API Reference. */
export const deleteGroup: Operation<Iam.DeleteGroupRequest> = async (ctx, input) => {
  const name = input.GroupName ?? '';
  const key = entityKey(ctx.account, 'group', name);
  const range = members(ctx.account, name);
  await ctx.platform.store.transact({ keys: [key], ranges: [range] }, (tx) => {
    const group = needTx(tx, ctx, 'group', name);
    if (tx.range({ ...range, limit: 1 }).entries.length > 0) throw deleteConflict('Cannot delete entity, must remove users from group first.');
    if (group.attached.length > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
    if (Object.keys(group.inline).length > 0) throw deleteConflict('Cannot delete entity, must delete policies first.');
    tx.delete(key);
  });
  return {};
};

/** "AddUserToGroup" in the IAM API Reference. */
export const addUserToGroup: Operation<Iam.AddUserToGroupRequest> = async (ctx, input) => {
  const keys = [entityKey(ctx.account, 'user', input.UserName ?? ''), memberKey(ctx.account, input.GroupName ?? '', input.UserName ?? '')];
  await ctx.platform.store.transact({ keys, reads: [entityKey(ctx.account, 'group', input.GroupName ?? '')] }, (tx) => {
    const group = needTx(tx, ctx, 'group', input.GroupName ?? '');
    const user = needTx(tx, ctx, 'user', input.UserName ?? '');
    if (user.groups.includes(group.name)) return;
    if (user.groups.length >= GROUPS_PER_USER_MAX) throw limitExceeded(`Cannot exceed quota for GroupsPerUser: ${GROUPS_PER_USER_MAX}`);
    tx.put(memberKey(ctx.account, group.name, user.name), encodeJson(1));
    writeTx(tx, ctx.account, 'user', { ...user, groups: [...user.groups, group.name] });
  });
  return {};
};

/** "RemoveUserFromGroup" in the IAM API Reference. */
export const removeUserFromGroup: Operation<Iam.RemoveUserFromGroupRequest> = async (ctx, input) => {
  const keys = [entityKey(ctx.account, 'user', input.UserName ?? ''), memberKey(ctx.account, input.GroupName ?? '', input.UserName ?? '')];
  await ctx.platform.store.transact({ keys, reads: [entityKey(ctx.account, 'group', input.GroupName ?? '')] }, (tx) => {
    const group = needTx(tx, ctx, 'group', input.GroupName ?? '');
    const user = needTx(tx, ctx, 'user', input.UserName ?? '');
    tx.delete(memberKey(ctx.account, group.name, user.name));
    writeTx(tx, ctx.account, 'user', { ...user, groups: user.groups.filter((other) => other !== group.name) });
  });
  return {};
};

/** "ListAccountAliases" in the IAM API Reference: none can be made. */
export const listAccountAliases: Operation<Iam.ListAccountAliasesRequest, Iam.ListAccountAliasesResponse> = async () => ({
  AccountAliases: [],
  IsTruncated: false,
});
