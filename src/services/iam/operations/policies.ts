import type * as Iam from '@aws-sdk/client-iam';
import { parseArn } from '../../../kit/arn.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import { AWS_POLICIES, awsPolicy } from '../domain/aws-policies.ts';
import type { Identity, IdentityKind, ManagedPolicy } from '../domain/entities.ts';
import { checkIdentityPolicy, countedCharacters } from '../domain/policy-document.ts';
import { deleteConflict, limitExceeded, noSuchEntity, policyNotFound } from '../errors.ts';
import { MANAGED_POLICY_CHARACTERS_MAX, POLICY_VERSIONS_MAX } from '../limits.ts';
import { all, attachments, entityKey, lastPart, read, readTx, writeTx } from '../store.ts';
import { encodeDocument, mergeTags, newEntity, pageIn, pageOf, putNew, tagList } from './common.ts';

/** The name in a customer managed policy's ARN, of this account. */
export const policyNameOf = (ctx: Ctx, arn: string): string | undefined => {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'iam' || parsed.account !== ctx.account || !parsed.resource.startsWith('policy/')) return undefined;
  return parsed.resource.slice(parsed.resource.lastIndexOf('/') + 1);
};

/** The customer's or AWS's policy of that ARN, or undefined. */
export async function findPolicy(ctx: Ctx, arn: string): Promise<ManagedPolicy | undefined> {
  const aws = awsPolicy(arn);
  if (aws) return aws;
  const name = policyNameOf(ctx, arn);
  const policy = name === undefined ? undefined : await read(ctx.platform.store, ctx.account, 'policy', name);
  return policy?.arn === arn ? policy : undefined;
}

async function needPolicy(ctx: Ctx, arn: string | undefined): Promise<ManagedPolicy> {
  const policy = await findPolicy(ctx, arn ?? '');
  if (!policy) throw policyNotFound(arn ?? '');
  return policy;
}

/** A policy as answers have it: lists leave description and tags out, the answer to its creation an empty list of tags. */
async function describe(ctx: Ctx, policy: ManagedPolicy, view: 'created' | 'listed' | 'full' = 'full'): Promise<Iam.Policy> {
  const tags = tagList(policy.tags);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: (await all(ctx.platform.store, attachments(ctx.account, policy.arn))).length,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    ...(view !== 'listed' && policy.description ? { Description: policy.description } : {}),
    CreateDate: new Date(policy.createdMs),
    UpdateDate: new Date(policy.updatedMs),
    ...(view === 'full' || (view === 'created' && tags.length > 0) ? { Tags: tags } : {}),
  };
}

function checkedDocument(document: string | undefined): string {
  checkIdentityPolicy(document ?? '');
  if (countedCharacters(document ?? '') > MANAGED_POLICY_CHARACTERS_MAX)
    throw limitExceeded(`Cannot exceed quota for PolicySize: ${MANAGED_POLICY_CHARACTERS_MAX}`);
  return document ?? '';
}

/** "CreatePolicy" in the IAM API Reference. */
export const createPolicy: Operation<Iam.CreatePolicyRequest, Iam.CreatePolicyResponse> = async (ctx, input) => ({
  Policy: await describe(ctx, await createPolicyOnce(ctx, input), 'created'),
});

/** {@link createPolicy}, again with the same `token` answered by the policy made before. */
export function createPolicyOnce(ctx: Ctx, input: Iam.CreatePolicyRequest, token?: string): Promise<ManagedPolicy> {
  const entity = newEntity(ctx, 'policy', input.PolicyName ?? '', input.Path, input.Tags);
  const policy: ManagedPolicy = {
    ...entity,
    ...(input.Description ? { description: input.Description } : {}),
    updatedMs: entity.createdMs,
    defaultVersion: 'v1',
    lastVersion: 1,
    versions: { v1: { document: checkedDocument(input.PolicyDocument), createdMs: entity.createdMs } },
  };
  return putNew(ctx, 'policy', policy, token);
}

/** "GetPolicy" in the IAM API Reference. */
export const getPolicy: Operation<Iam.GetPolicyRequest, Iam.GetPolicyResponse> = async (ctx, input) => ({
  Policy: await describe(ctx, await needPolicy(ctx, input.PolicyArn)),
});

/** "ListPolicies" in the IAM API Reference: the customer's first, then AWS's. */
export const listPolicies: Operation<Iam.ListPoliciesRequest, Iam.ListPoliciesResponse> = async (ctx, input) => {
  const scope = input.Scope ?? 'All';
  const attachedOnly = async (policies: ManagedPolicy[]) => {
    const described = await Promise.all(policies.map((policy) => describe(ctx, policy, 'listed')));
    return input.OnlyAttached ? described.filter((policy) => (policy.AttachmentCount ?? 0) > 0) : described;
  };
  const onPath = (policy: ManagedPolicy) => policy.path.startsWith(input.PathPrefix ?? '/');
  const own = scope === 'AWS' ? [] : (await pageOf(ctx, 'policy', { MaxItems: Number.MAX_SAFE_INTEGER }, onPath)).entities;
  const aws = scope === 'Local' ? [] : AWS_POLICIES().filter(onPath);
  const { items, ...paging } = pageIn(await attachedOnly([...own, ...aws]), input);
  return { Policies: items, ...paging };
};

/** Replaces a customer managed policy in one commit; AWS's cannot be changed. */
async function changePolicy(ctx: Ctx, arn: string | undefined, apply: (policy: ManagedPolicy) => ManagedPolicy): Promise<ManagedPolicy> {
  const name = policyNameOf(ctx, arn ?? '');
  if (name === undefined) throw policyNotFound(arn ?? '');
  return ctx.platform.store.transact({ keys: [entityKey(ctx.account, 'policy', name)] }, (tx) => {
    const policy = readTx(tx, ctx.account, 'policy', name);
    if (policy?.arn !== arn || !policy) throw policyNotFound(arn ?? '');
    const next = apply(policy);
    writeTx(tx, ctx.account, 'policy', next);
    return next;
  });
}

const versionNotFound = (arn: string | undefined, version: string | undefined) =>
  noSuchEntity(`Policy ${arn ?? ''} version ${version ?? ''} does not exist or is not attachable.`);

const describeVersion = (policy: ManagedPolicy, id: string, withDocument: boolean): Iam.PolicyVersion => ({
  ...(withDocument ? { Document: encodeDocument(policy.versions[id]?.document ?? '') } : {}),
  VersionId: id,
  IsDefaultVersion: policy.defaultVersion === id,
  CreateDate: new Date(policy.versions[id]?.createdMs ?? policy.createdMs),
});

/** "CreatePolicyVersion" in the IAM API Reference. */
export const createPolicyVersion: Operation<Iam.CreatePolicyVersionRequest, Iam.CreatePolicyVersionResponse> = async (ctx, input) => {
  await needPolicy(ctx, input.PolicyArn);
  const document = checkedDocument(input.PolicyDocument);
  const createdMs = ctx.platform.clock.virtual();
  const policy = await changePolicy(ctx, input.PolicyArn, (before) => {
    if (Object.keys(before.versions).length >= POLICY_VERSIONS_MAX) {
      throw limitExceeded(
        `A managed policy can have up to ${POLICY_VERSIONS_MAX} versions. Before you create a new version, you must delete an existing version.`,
      );
    }
    const lastVersion = before.lastVersion + 1;
    const id = `v${lastVersion}`;
    return {
      ...before,
      lastVersion,
      updatedMs: createdMs,
      versions: { ...before.versions, [id]: { document, createdMs } },
      ...(input.SetAsDefault ? { defaultVersion: id } : {}),
    };
  });
  return { PolicyVersion: describeVersion(policy, `v${policy.lastVersion}`, false) };
};

/** "GetPolicyVersion" in the IAM API Reference. */
export const getPolicyVersion: Operation<Iam.GetPolicyVersionRequest, Iam.GetPolicyVersionResponse> = async (ctx, input) => {
  const policy = await needPolicy(ctx, input.PolicyArn);
  if (!policy.versions[input.VersionId ?? '']) throw versionNotFound(input.PolicyArn, input.VersionId);
  return { PolicyVersion: describeVersion(policy, input.VersionId ?? '', true) };
};

/** "ListPolicyVersions" in the IAM API Reference: newest first. */
export const listPolicyVersions: Operation<Iam.ListPolicyVersionsRequest, Iam.ListPolicyVersionsResponse> = async (ctx, input) => {
  const policy = await needPolicy(ctx, input.PolicyArn);
  const ids = Object.keys(policy.versions).sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  const { items, ...paging } = pageIn(ids, input);
  return { Versions: items.map((id) => describeVersion(policy, id, false)), ...paging };
};

/** "SetDefaultPolicyVersion" in the IAM API Reference. */
export const setDefaultPolicyVersion: Operation<Iam.SetDefaultPolicyVersionRequest> = async (ctx, input) => {
  const updatedMs = ctx.platform.clock.virtual();
  await changePolicy(ctx, input.PolicyArn, (policy) => {
    if (!policy.versions[input.VersionId ?? '']) throw versionNotFound(input.PolicyArn, input.VersionId);
    return { ...policy, updatedMs, defaultVersion: input.VersionId ?? '' };
  });
  return {};
};

/** "DeletePolicyVersion" in the IAM API Reference. */
export const deletePolicyVersion: Operation<Iam.DeletePolicyVersionRequest> = async (ctx, input) => {
  await changePolicy(ctx, input.PolicyArn, (policy) => {
    const id = input.VersionId ?? '';
    if (!policy.versions[id]) throw versionNotFound(input.PolicyArn, id);
    if (policy.defaultVersion === id) throw deleteConflict('Cannot delete the default version of a policy.');
    return { ...policy, versions: Object.fromEntries(Object.entries(policy.versions).filter(([version]) => version !== id)) };
  });
  return {};
};

/** "DeletePolicy" in the IAM API Reference. */
export const deletePolicy: Operation<Iam.DeletePolicyRequest> = async (ctx, input) => {
  const arn = input.PolicyArn ?? '';
  const name = policyNameOf(ctx, arn);
  if (name === undefined) throw policyNotFound(arn);
  const key = entityKey(ctx.account, 'policy', name);
  const attached = attachments(ctx.account, arn);
  await ctx.platform.store.transact({ keys: [key], ranges: [attached] }, (tx) => {
    const policy = readTx(tx, ctx.account, 'policy', name);
    if (policy?.arn !== arn) throw policyNotFound(arn);
    if (tx.range({ ...attached, limit: 1 }).entries.length > 0) throw deleteConflict('Cannot delete a policy attached to entities.');
    if (Object.keys(policy.versions).length > 1) {
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    }
    tx.delete(key);
  });
  return {};
};

/** "TagPolicy" in the IAM API Reference. */
export const tagPolicy: Operation<Iam.TagPolicyRequest> = async (ctx, input) => {
  await changePolicy(ctx, input.PolicyArn, (policy) => ({ ...policy, tags: mergeTags(policy.tags, input.Tags) }));
  return {};
};

/** "UntagPolicy" in the IAM API Reference. */
export const untagPolicy: Operation<Iam.UntagPolicyRequest> = async (ctx, input) => {
  const gone = new Set(input.TagKeys ?? []);
  await changePolicy(ctx, input.PolicyArn, (policy) => ({
    ...policy,
    tags: Object.fromEntries(Object.entries(policy.tags).filter(([key]) => !gone.has(key))),
  }));
  return {};
};

/** "ListPolicyTags" in the IAM API Reference. */
export const listPolicyTags: Operation<Iam.ListPolicyTagsRequest, Iam.ListPolicyTagsResponse> = async (ctx, input) => {
  const { items, ...paging } = pageIn(tagList((await needPolicy(ctx, input.PolicyArn)).tags), input);
  return { Tags: items, ...paging };
};

/** "ListEntitiesForPolicy" in the IAM API Reference. */
export const listEntitiesForPolicy: Operation<Iam.ListEntitiesForPolicyRequest, Iam.ListEntitiesForPolicyResponse> = async (ctx, input) => {
  const policy = await needPolicy(ctx, input.PolicyArn);
  const wanted: Record<string, IdentityKind> = { Role: 'role', User: 'user', Group: 'group' };
  const only = input.EntityFilter === undefined ? undefined : (wanted[input.EntityFilter] ?? 'none');
  const entries = (await all(ctx.platform.store, attachments(ctx.account, policy.arn))).map(([key, value]) => ({
    name: lastPart(key),
    kind: decodeJson<IdentityKind>(value),
  }));
  const { items, ...paging } = pageIn(
    entries.filter((entry) => only === undefined || entry.kind === only),
    input,
  );
  const of = async (kind: IdentityKind): Promise<Identity[]> => {
    const found = await Promise.all(items.filter((entry) => entry.kind === kind).map((entry) => read(ctx.platform.store, ctx.account, kind, entry.name)));
    return found.filter((identity) => identity?.path.startsWith(input.PathPrefix ?? '/')) as Identity[];
  };
  return {
    PolicyRoles: (await of('role')).map(({ name, id }) => ({ RoleName: name, RoleId: id })),
    PolicyUsers: (await of('user')).map(({ name, id }) => ({ UserName: name, UserId: id })),
    PolicyGroups: (await of('group')).map(({ name, id }) => ({ GroupName: name, GroupId: id })),
    ...paging,
  };
};
