import type { Ctx, Properties, ResourceRequest, ResourceType } from '../service.ts';
import type { IdentityKind } from './domain/entities.ts';
import { POLICY_VERSIONS_MAX, ROLE_NAME_MAX, USER_NAME_MAX } from './limits.ts';
import { TITLE } from './operations/common.ts';
import { createPolicyOnce, policyNameOf } from './operations/policies.ts';
import { createInstanceProfileOnce, createRoleOnce } from './operations/roles.ts';
import { createServiceLinkedRoleOnce } from './operations/service-linked-roles.ts';
import { createAccessKeyOnce, createGroupOnce, createUserOnce } from './operations/users.ts';
import { read } from './store.ts';

interface InlinePolicy {
  readonly PolicyName: string;
  readonly PolicyDocument: unknown;
}

const textOf = (properties: Properties, name: string): string | undefined => (properties[name] === undefined ? undefined : String(properties[name]));
const listOf = <T>(properties: Properties | undefined, name: string): T[] => (Array.isArray(properties?.[name]) ? (properties[name] as T[]) : []);
const documentOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A stack's tags under the resource's own. */
function tagsOf(request: ResourceRequest): { Key: string; Value: string }[] {
  const own = listOf<{ Key: string; Value: unknown }>(request.properties, 'Tags').map(({ Key, Value }): [string, string] => [Key, String(Value)]);
  return Object.entries({ ...request.tags, ...Object.fromEntries(own) }).map(([Key, Value]) => ({ Key, Value }));
}

/** Something that is already gone was deleted before the attempt was cut off. */
async function ignoringAbsence(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Error && error.name === 'NoSuchEntity')) throw error;
  }
}

/** What follows the making of a resource. Where it fails, the error carries the physical id, so that the rollback deletes what was made. */
async function afterCreation(physicalId: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { physicalId }) : error;
  }
}

/** Makes the attached and inline policies of an identity what the template says, given what it said before. */
async function applyPermissions(ctx: Ctx, kind: IdentityKind, name: string, properties: Properties, previous?: Properties): Promise<void> {
  const title = TITLE[kind];
  const who = { [`${title}Name`]: name };
  const arns = listOf<string>(properties, 'ManagedPolicyArns');
  for (const arn of arns) await ctx.call('iam', `Attach${title}Policy`, { ...who, PolicyArn: arn });
  for (const arn of listOf<string>(previous, 'ManagedPolicyArns')) {
    if (!arns.includes(arn)) await ignoringAbsence(ctx.call('iam', `Detach${title}Policy`, { ...who, PolicyArn: arn }));
  }
  const inline = listOf<InlinePolicy>(properties, 'Policies');
  for (const { PolicyName, PolicyDocument } of inline) {
    await ctx.call('iam', `Put${title}Policy`, { ...who, PolicyName, PolicyDocument: documentOf(PolicyDocument) });
  }
  for (const { PolicyName } of listOf<InlinePolicy>(previous, 'Policies')) {
    if (!inline.some((policy) => policy.PolicyName === PolicyName)) await ignoringAbsence(ctx.call('iam', `Delete${title}Policy`, { ...who, PolicyName }));
  }
}

const withoutPermissions = (ctx: Ctx, kind: IdentityKind, name: string, properties: Properties) =>
  ignoringAbsence(applyPermissions(ctx, kind, name, {}, properties));

async function applyTagsAndBoundary(ctx: Ctx, kind: 'role' | 'user', name: string, request: ResourceRequest & { previous: Properties }): Promise<void> {
  const title = TITLE[kind];
  const who = { [`${title}Name`]: name };
  const tags = tagsOf(request);
  const present = ((await ctx.call('iam', `List${title}Tags`, who))['Tags'] ?? []) as { Key: string }[];
  const gone = present.map(({ Key }) => Key).filter((key) => !tags.some((tag) => tag.Key === key));
  if (gone.length > 0) await ctx.call('iam', `Untag${title}`, { ...who, TagKeys: gone });
  if (tags.length > 0) await ctx.call('iam', `Tag${title}`, { ...who, Tags: tags });
  const boundary = textOf(request.properties, 'PermissionsBoundary');
  if (boundary !== undefined) await ctx.call('iam', `Put${title}PermissionsBoundary`, { ...who, PermissionsBoundary: boundary });
  else if (request.previous['PermissionsBoundary'] !== undefined) await ignoringAbsence(ctx.call('iam', `Delete${title}PermissionsBoundary`, who));
}

const role: ResourceType = {
  type: 'AWS::IAM::Role',
  properties: [
    'AssumeRolePolicyDocument',
    'Description',
    'ManagedPolicyArns',
    'MaxSessionDuration',
    'Path',
    'PermissionsBoundary',
    'Policies',
    'RoleName',
    'Tags',
  ],
  recorded: ['PermissionsBoundary'],
  replaceOn: ['RoleName', 'Path'],
  async create(ctx, request) {
    const { properties } = request;
    const input = {
      RoleName: textOf(properties, 'RoleName') ?? request.generatedName(ROLE_NAME_MAX),
      Path: textOf(properties, 'Path'),
      AssumeRolePolicyDocument: documentOf(properties['AssumeRolePolicyDocument']),
      Description: textOf(properties, 'Description'),
      MaxSessionDuration: properties['MaxSessionDuration'] === undefined ? undefined : Number(properties['MaxSessionDuration']),
      PermissionsBoundary: textOf(properties, 'PermissionsBoundary'),
      Tags: tagsOf(request),
    };
    const made = await createRoleOnce(ctx, input, request.token);
    await afterCreation(made.name, () => applyPermissions(ctx, 'role', made.name, properties));
    return { physicalId: made.name, attributes: { Arn: made.arn, RoleId: made.id } };
  },
  async update(ctx, request) {
    const { properties, previous, physicalId } = request;
    const RoleName = physicalId;
    await ctx.call('iam', 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: documentOf(properties['AssumeRolePolicyDocument']) });
    await ctx.call('iam', 'UpdateRole', {
      RoleName,
      Description: textOf(properties, 'Description') ?? '',
      MaxSessionDuration: Number(properties['MaxSessionDuration'] ?? 3600),
    });
    await applyPermissions(ctx, 'role', RoleName, properties, previous);
    await applyTagsAndBoundary(ctx, 'role', RoleName, request);
    const { Role } = (await ctx.call('iam', 'GetRole', { RoleName })) as { Role: { Arn: string; RoleId: string } };
    return { physicalId, attributes: { Arn: Role.Arn, RoleId: Role.RoleId } };
  },
  async delete(ctx, { physicalId, properties }) {
    await withoutPermissions(ctx, 'role', physicalId, properties);
    await ignoringAbsence(ctx.call('iam', 'DeleteRole', { RoleName: physicalId }));
  },
};

const serviceLinkedRole: ResourceType = {
  type: 'AWS::IAM::ServiceLinkedRole',
  properties: ['AWSServiceName', 'CustomSuffix', 'Description'],
  replaceOn: ['AWSServiceName', 'CustomSuffix'],
  async create(ctx, { properties, token }) {
    const input = {
      AWSServiceName: textOf(properties, 'AWSServiceName'),
      CustomSuffix: textOf(properties, 'CustomSuffix'),
      Description: textOf(properties, 'Description'),
    };
    const { name } = await createServiceLinkedRoleOnce(ctx, input, token);
    return { physicalId: name, attributes: { RoleName: name } };
  },
  async update(ctx, { physicalId: RoleName, properties }) {
    await ctx.call('iam', 'UpdateRoleDescription', { RoleName, Description: textOf(properties, 'Description') ?? '' });
    return { physicalId: RoleName, attributes: { RoleName } };
  },
  async delete(ctx, { physicalId: RoleName }) {
    await ignoringAbsence(ctx.call('iam', 'DeleteServiceLinkedRole', { RoleName }));
  },
};

const HOLDERS: readonly (readonly [property: string, kind: IdentityKind])[] = [
  ['Roles', 'role'],
  ['Users', 'user'],
  ['Groups', 'group'],
];

/** Every (kind, name) that a policy resource names. */
const holdersOf = (properties: Properties | undefined): [IdentityKind, string][] =>
  HOLDERS.flatMap(([property, kind]) => listOf<string>(properties, property).map((name): [IdentityKind, string] => [kind, name]));

async function putOnHolders(ctx: Ctx, properties: Properties, previous?: Properties): Promise<void> {
  const PolicyName = textOf(properties, 'PolicyName') ?? '';
  const now = holdersOf(properties);
  for (const [kind, name] of now) {
    await ctx.call('iam', `Put${TITLE[kind]}Policy`, { [`${TITLE[kind]}Name`]: name, PolicyName, PolicyDocument: documentOf(properties['PolicyDocument']) });
  }
  const before = textOf(previous ?? {}, 'PolicyName') ?? PolicyName;
  for (const [kind, name] of holdersOf(previous)) {
    if (before === PolicyName && now.some(([otherKind, other]) => otherKind === kind && other === name)) continue;
    await ignoringAbsence(ctx.call('iam', `Delete${TITLE[kind]}Policy`, { [`${TITLE[kind]}Name`]: name, PolicyName: before }));
  }
}

const policy: ResourceType = {
  type: 'AWS::IAM::Policy',
  properties: ['Groups', 'PolicyDocument', 'PolicyName', 'Roles', 'Users'],
  replaceOn: [],
  async create(ctx, request) {
    if (holdersOf(request.properties).length === 0) throw new Error('At least one of [Groups,Roles,Users] must be non-empty.');
    await putOnHolders(ctx, request.properties);
    const physicalId = request.generatedName();
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(ctx, { properties, previous, physicalId }) {
    await putOnHolders(ctx, properties, previous);
    return { physicalId, attributes: { Id: physicalId } };
  },
  delete: (ctx, { properties }) => putOnHolders(ctx, { PolicyName: properties['PolicyName'] }, properties),
};

async function attachToHolders(ctx: Ctx, PolicyArn: string, properties: Properties, previous?: Properties): Promise<void> {
  const now = holdersOf(properties);
  for (const [kind, name] of now) await ctx.call('iam', `Attach${TITLE[kind]}Policy`, { [`${TITLE[kind]}Name`]: name, PolicyArn });
  for (const [kind, name] of holdersOf(previous)) {
    if (now.some(([otherKind, other]) => otherKind === kind && other === name)) continue;
    await ignoringAbsence(ctx.call('iam', `Detach${TITLE[kind]}Policy`, { [`${TITLE[kind]}Name`]: name, PolicyArn }));
  }
}

interface Versions {
  readonly Versions: { VersionId: string; IsDefaultVersion: boolean }[];
}

const managedPolicy: ResourceType = {
  type: 'AWS::IAM::ManagedPolicy',
  properties: ['Description', 'Groups', 'ManagedPolicyName', 'Path', 'PolicyDocument', 'Roles', 'Users'],
  replaceOn: ['ManagedPolicyName', 'Description', 'Path'],
  async create(ctx, request) {
    const { properties } = request;
    const input = {
      PolicyName: textOf(properties, 'ManagedPolicyName') ?? request.generatedName(),
      PolicyDocument: documentOf(properties['PolicyDocument']),
      Description: textOf(properties, 'Description'),
      Path: textOf(properties, 'Path'),
    };
    const { arn, id } = await createPolicyOnce(ctx, input, request.token);
    await afterCreation(arn, () => attachToHolders(ctx, arn, properties));
    return { physicalId: arn, attributes: { PolicyArn: arn, PolicyId: id } };
  },
  async update(ctx, { properties, previous, physicalId: PolicyArn }) {
    if (documentOf(properties['PolicyDocument']) !== documentOf(previous['PolicyDocument'])) {
      const { Versions } = (await ctx.call('iam', 'ListPolicyVersions', { PolicyArn })) as unknown as Versions;
      const spare = Versions.filter((version) => !version.IsDefaultVersion).at(-1);
      if (Versions.length >= POLICY_VERSIONS_MAX && spare) await ctx.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId: spare.VersionId });
      await ctx.call('iam', 'CreatePolicyVersion', { PolicyArn, PolicyDocument: documentOf(properties['PolicyDocument']), SetAsDefault: true });
    }
    await attachToHolders(ctx, PolicyArn, properties, previous);
    const found = await read(ctx.platform.store, ctx.account, 'policy', policyNameOf(ctx, PolicyArn) ?? '');
    return { physicalId: PolicyArn, attributes: { PolicyArn, PolicyId: found?.id } };
  },
  async delete(ctx, { physicalId: PolicyArn, properties }) {
    await attachToHolders(ctx, PolicyArn, {}, properties);
    await ignoringAbsence(deletePolicyAndVersions(ctx, PolicyArn));
  },
};

async function deletePolicyAndVersions(ctx: Ctx, PolicyArn: string): Promise<void> {
  const { Versions } = (await ctx.call('iam', 'ListPolicyVersions', { PolicyArn })) as unknown as Versions;
  for (const { VersionId, IsDefaultVersion } of Versions) {
    if (!IsDefaultVersion) await ctx.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId });
  }
  await ctx.call('iam', 'DeletePolicy', { PolicyArn });
}

async function applyGroups(ctx: Ctx, UserName: string, properties: Properties, previous?: Properties): Promise<void> {
  const now = listOf<string>(properties, 'Groups');
  for (const GroupName of now) await ctx.call('iam', 'AddUserToGroup', { GroupName, UserName });
  for (const GroupName of listOf<string>(previous, 'Groups')) {
    if (!now.includes(GroupName)) await ignoringAbsence(ctx.call('iam', 'RemoveUserFromGroup', { GroupName, UserName }));
  }
}

const user: ResourceType = {
  type: 'AWS::IAM::User',
  properties: ['Groups', 'ManagedPolicyArns', 'Path', 'PermissionsBoundary', 'Policies', 'Tags', 'UserName'],
  recorded: ['PermissionsBoundary'],
  replaceOn: ['UserName', 'Path'],
  async create(ctx, request) {
    const { properties } = request;
    const input = {
      UserName: textOf(properties, 'UserName') ?? request.generatedName(USER_NAME_MAX),
      Path: textOf(properties, 'Path'),
      PermissionsBoundary: textOf(properties, 'PermissionsBoundary'),
      Tags: tagsOf(request),
    };
    const made = await createUserOnce(ctx, input, request.token);
    await afterCreation(made.name, async () => {
      await applyPermissions(ctx, 'user', made.name, properties);
      await applyGroups(ctx, made.name, properties);
    });
    return { physicalId: made.name, attributes: { Arn: made.arn } };
  },
  async update(ctx, request) {
    const { physicalId, properties, previous } = request;
    await applyPermissions(ctx, 'user', physicalId, properties, previous);
    await applyGroups(ctx, physicalId, properties, previous);
    await applyTagsAndBoundary(ctx, 'user', physicalId, request);
    const { User } = (await ctx.call('iam', 'GetUser', { UserName: physicalId })) as { User: { Arn: string } };
    return { physicalId, attributes: { Arn: User.Arn } };
  },
  async delete(ctx, { physicalId, properties }) {
    await withoutPermissions(ctx, 'user', physicalId, properties);
    await applyGroups(ctx, physicalId, {}, properties);
    await ignoringAbsence(ctx.call('iam', 'DeleteUser', { UserName: physicalId }));
  },
};

const group: ResourceType = {
  type: 'AWS::IAM::Group',
  properties: ['GroupName', 'ManagedPolicyArns', 'Path', 'Policies'],
  replaceOn: ['GroupName', 'Path'],
  async create(ctx, request) {
    const { properties } = request;
    const input = { GroupName: textOf(properties, 'GroupName') ?? request.generatedName(), Path: textOf(properties, 'Path') };
    const made = await createGroupOnce(ctx, input, request.token);
    await afterCreation(made.name, () => applyPermissions(ctx, 'group', made.name, properties));
    return { physicalId: made.name, attributes: { Arn: made.arn } };
  },
  async update(ctx, { physicalId, properties, previous }) {
    await applyPermissions(ctx, 'group', physicalId, properties, previous);
    const { Group } = (await ctx.call('iam', 'GetGroup', { GroupName: physicalId })) as { Group: { Arn: string } };
    return { physicalId, attributes: { Arn: Group.Arn } };
  },
  async delete(ctx, { physicalId, properties }) {
    await withoutPermissions(ctx, 'group', physicalId, properties);
    await ignoringAbsence(ctx.call('iam', 'DeleteGroup', { GroupName: physicalId }));
  },
};

const accessKey: ResourceType = {
  type: 'AWS::IAM::AccessKey',
  properties: ['Serial', 'Status', 'UserName'],
  replaceOn: ['Serial', 'UserName'],
  async create(ctx, request) {
    const made = await createAccessKeyOnce(ctx, textOf(request.properties, 'UserName') ?? '', request.token);
    const Status = textOf(request.properties, 'Status') ?? 'Active';
    if (Status !== 'Active') await ctx.call('iam', 'UpdateAccessKey', { UserName: made.userName, AccessKeyId: made.accessKeyId, Status });
    return { physicalId: made.accessKeyId, attributes: { SecretAccessKey: made.secretAccessKey } };
  },
  async update(ctx, { physicalId, properties }) {
    const Status = textOf(properties, 'Status') ?? 'Active';
    await ctx.call('iam', 'UpdateAccessKey', { UserName: properties['UserName'], AccessKeyId: physicalId, Status });
    // The secret was handed out when the key was made; AWS keeps what GetAtt then gave.
    return { physicalId, attributes: {} };
  },
  delete: (ctx, { physicalId, properties }) =>
    ignoringAbsence(ctx.call('iam', 'DeleteAccessKey', { UserName: properties['UserName'], AccessKeyId: physicalId })),
};

const instanceProfile: ResourceType = {
  type: 'AWS::IAM::InstanceProfile',
  properties: ['InstanceProfileName', 'Path', 'Roles'],
  replaceOn: ['InstanceProfileName', 'Path'],
  async create(ctx, request) {
    const { properties } = request;
    const InstanceProfileName = textOf(properties, 'InstanceProfileName') ?? request.generatedName();
    const made = await createInstanceProfileOnce(ctx, { InstanceProfileName, Path: textOf(properties, 'Path') }, request.token);
    const [RoleName] = listOf<string>(properties, 'Roles');
    if (RoleName !== undefined && made.roleName !== RoleName) await ctx.call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName, RoleName });
    return { physicalId: InstanceProfileName, attributes: { Arn: made.arn } };
  },
  async update(ctx, { physicalId: InstanceProfileName, properties, previous }) {
    const [before] = listOf<string>(previous, 'Roles');
    const [now] = listOf<string>(properties, 'Roles');
    if (before !== now) {
      if (before !== undefined) await ignoringAbsence(ctx.call('iam', 'RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName: before }));
      if (now !== undefined) await ctx.call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName, RoleName: now });
    }
    const { InstanceProfile } = (await ctx.call('iam', 'GetInstanceProfile', { InstanceProfileName })) as { InstanceProfile: { Arn: string } };
    return { physicalId: InstanceProfileName, attributes: { Arn: InstanceProfile.Arn } };
  },
  async delete(ctx, { physicalId: InstanceProfileName, properties }) {
    const [RoleName] = listOf<string>(properties, 'Roles');
    if (RoleName !== undefined) await ignoringAbsence(ctx.call('iam', 'RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName }));
    await ignoringAbsence(ctx.call('iam', 'DeleteInstanceProfile', { InstanceProfileName }));
  },
};

/** "AWS Identity and Access Management resource type reference". */
export const iamResources: readonly ResourceType[] = [role, serviceLinkedRole, policy, managedPolicy, user, group, accessKey, instanceProfile];
