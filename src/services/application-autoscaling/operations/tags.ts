import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-application-auto-scaling';
import type { Ctx, Operation } from '../../service.ts';
import type { Target } from '../domain/target.ts';
import { resourceNotFound, tooManyTags } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';
import { get, keys, read, type TargetRow, write } from '../store.ts';
import { arnOf } from './arn.ts';

/** "TagResource". */
export const tagResource: Operation<TagResourceRequest, Record<string, never>> = async (ctx, input) => {
  await change(ctx, input.ResourceARN ?? '', (tags) => ({ ...tags, ...input.Tags }));
  return {};
};

/** "UntagResource". */
export const untagResource: Operation<UntagResourceRequest, Record<string, never>> = async (ctx, input) => {
  const gone = new Set(input.TagKeys ?? []);
  await change(ctx, input.ResourceARN ?? '', (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))));
  return {};
};

/** "ListTagsForResource". */
export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResponse> = async (ctx, input) => {
  const arn = input.ResourceARN ?? '';
  const row = await get<TargetRow>(ctx.platform.store, keys.target(ctx, await targetAt(ctx, arn)));
  if (!row) throw resourceNotFound(arn);
  return { Tags: { ...row.tags } };
};

async function targetAt(ctx: Ctx, arn: string): Promise<Target> {
  const id = arn.slice(arn.lastIndexOf('/') + 1);
  const target = arn === arnOf(ctx, id) ? await get<Target>(ctx.platform.store, keys.arn(ctx, id)) : undefined;
  if (!target) throw resourceNotFound(arn);
  return target;
}

async function change(ctx: Ctx, arn: string, to: (tags: TargetRow['tags']) => TargetRow['tags']): Promise<void> {
  const key = keys.target(ctx, await targetAt(ctx, arn));
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<TargetRow>(tx, key);
    if (!row) throw resourceNotFound(arn);
    const tags = to(row.tags);
    if (Object.keys(tags).length > TAGS_MAX) throw tooManyTags(arn);
    write(tx, key, { ...row, tags });
  });
}
