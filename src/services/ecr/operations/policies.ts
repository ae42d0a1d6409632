import type * as Ecr from '@aws-sdk/client-ecr';
import type { Ctx, Operation } from '../../service.ts';
import { placeOf } from '../domain/names.ts';
import { invalidParameter, lifecyclePolicyNotFound, policyNotFound } from '../errors.ts';
import type { RepositoryRow } from '../store.ts';
import { changeRepository, openRepository } from './repositories.ts';

/** Policies are kept and shown: they are not evaluated, and nothing is expired. */

interface Named {
  readonly registryId?: string | undefined;
  readonly repositoryName: string | undefined;
}

function checkJson(member: string, text: string | undefined): string {
  try {
    JSON.parse(text ?? '');
    return text ?? '';
  } catch {
    throw invalidParameter(`Invalid parameter at '${member}' failed to satisfy constraint: 'Invalid repository policy provided'`);
  }
}

const change = async (ctx: Ctx, input: Named, apply: (row: RepositoryRow) => RepositoryRow) => {
  const place = placeOf(ctx, input.registryId);
  const name = input.repositoryName ?? '';
  await changeRepository(ctx, place, name, apply);
  return { registryId: place.account, repositoryName: name };
};

/** "SetRepositoryPolicy". */
export const setRepositoryPolicy: Operation<Ecr.SetRepositoryPolicyRequest, Ecr.SetRepositoryPolicyResponse> = async (ctx, input) => {
  const policyText = checkJson('PolicyText', input.policyText);
  return { ...(await change(ctx, input, (row) => ({ ...row, policy: policyText }))), policyText };
};

/** "GetRepositoryPolicy". */
export const getRepositoryPolicy: Operation<Ecr.GetRepositoryPolicyRequest, Ecr.GetRepositoryPolicyResponse> = async (ctx, input) => {
  const { place, name, row } = await openRepository(ctx, input);
  if (row.policy === undefined) throw policyNotFound(name, place.account);
  return { registryId: place.account, repositoryName: name, policyText: row.policy };
};

/** "DeleteRepositoryPolicy". */
export const deleteRepositoryPolicy: Operation<Ecr.DeleteRepositoryPolicyRequest, Ecr.DeleteRepositoryPolicyResponse> = async (ctx, input) => {
  const before = await getRepositoryPolicy(ctx, input);
  await change(ctx, input, ({ policy: _policy, ...rest }) => rest);
  return before;
};

/** "PutLifecyclePolicy". */
export const putLifecyclePolicy: Operation<Ecr.PutLifecyclePolicyRequest, Ecr.PutLifecyclePolicyResponse> = async (ctx, input) => {
  const lifecyclePolicyText = checkJson('LifecyclePolicyText', input.lifecyclePolicyText);
  return { ...(await change(ctx, input, (row) => ({ ...row, lifecycle: lifecyclePolicyText }))), lifecyclePolicyText };
};

/** "GetLifecyclePolicy". */
export const getLifecyclePolicy: Operation<Ecr.GetLifecyclePolicyRequest, Ecr.GetLifecyclePolicyResponse> = async (ctx, input) => {
  const { place, name, row } = await openRepository(ctx, input);
  if (row.lifecycle === undefined) throw lifecyclePolicyNotFound(name, place.account);
  return { registryId: place.account, repositoryName: name, lifecyclePolicyText: row.lifecycle };
};

/** "DeleteLifecyclePolicy". */
export const deleteLifecyclePolicy: Operation<Ecr.DeleteLifecyclePolicyRequest, Ecr.DeleteLifecyclePolicyResponse> = async (ctx, input) => {
  const before = await getLifecyclePolicy(ctx, input);
  await change(ctx, input, ({ lifecycle: _lifecycle, ...rest }) => rest);
  return before;
};
