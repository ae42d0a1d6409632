import type { ListTagsRequest, ListTagsResponse, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-lambda';
import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { revised } from '../domain/configuration.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { checkTags } from '../domain/tags.ts';
import { functionNotFound, invalidParameter } from '../errors.ts';
import { changeMappingTags, mappingTags } from '../event-source-mappings/index.ts';
import { requireFunction } from '../functions.ts';
import { type FunctionRow, keys, read, write } from '../store.ts';
import { changeOtherTags, otherTags } from './other-tags.ts';

/** "TagResource". */
export const tagResource: Operation<TagResourceRequest, Record<string, never>> = async (ctx, input) => {
  const tags = input.Tags ?? {};
  if (await changeMappingTags(ctx, input.Resource ?? '', (before) => ({ ...before, ...tags }))) return {};
  if (await changeOtherTags(ctx, input.Resource ?? '', (before) => ({ ...before, ...tags }))) return {};
  const name = functionOf(ctx, input.Resource ?? '');
  if (Object.keys(tags).length === 0) {
    await requireFunction(ctx.platform, ctx, name);
    throw invalidParameter('An error occurred and the request cannot be processed.');
  }
  await change(ctx, name, (before) => ({ ...before, ...tags }));
  return {};
};

/** "UntagResource". */
export const untagResource: Operation<UntagResourceRequest, Record<string, never>> = async (ctx, input) => {
  const gone = new Set(input.TagKeys ?? []);
  const without = (before: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(before).filter(([key]) => !gone.has(key)));
  if (await changeMappingTags(ctx, input.Resource ?? '', without)) return {};
  if (await changeOtherTags(ctx, input.Resource ?? '', without)) return {};
  await change(ctx, functionOf(ctx, input.Resource ?? ''), without);
  return {};
};

/** "ListTags". */
export const listTags: Operation<ListTagsRequest, ListTagsResponse> = async (ctx, input) => {
  const ofMapping = (await mappingTags(ctx, input.Resource ?? '')) ?? (await otherTags(ctx, input.Resource ?? ''));
  if (ofMapping) return { Tags: { ...ofMapping } };
  const { tags } = await requireFunction(ctx.platform, ctx, functionOf(ctx, input.Resource ?? ''));
  return { Tags: { ...tags } };
};

function functionOf(ctx: Ctx, resource: string): string {
  if (!resource.includes(':function:')) throw notImplemented('Tags on layers');
  const { name, qualifier } = readReference(ctx, resource);
  if (qualifier !== undefined) throw invalidParameter('Tags on function aliases and versions are not supported. Please specify a function ARN.');
  return name;
}

async function change(ctx: Ctx, name: string, to: (tags: Readonly<Record<string, string>>) => Record<string, string>): Promise<void> {
  const key = keys.fn(ctx, name);
  const revisionId = ctx.platform.ids.uuid();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(functionArn(ctx, name));
    const tags = to(fn.tags);
    checkTags(tags);
    write(tx, key, { ...fn, latest: revised(fn.latest, revisionId), tags });
  });
}
