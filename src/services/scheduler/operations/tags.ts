import type {
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  TagResourceInput,
  TagResourceOutput,
  UntagResourceInput,
  UntagResourceOutput,
} from '@aws-sdk/client-scheduler';
import type { Ctx, Operation } from '../../service.ts';
import { groupOfArn } from '../domain/names.ts';
import { tagList, tagsOf } from '../domain/tags.ts';
import { groupNotFound, validation } from '../errors.ts';
import { keys, txGroup, write } from '../store.ts';

type Tags = Readonly<Record<string, string>>;

/** Reads a group's tags, and writes what `next` makes of them. */
function onTags(ctx: Ctx, arn: string | undefined, next?: (tags: Tags) => Tags): Promise<Tags> {
  const group = groupOfArn(arn ?? '');
  if (!group) throw validation(`${arn} is not the ARN of a schedule group.`);
  const key = keys.group(group, group.name);
  const nowMs = ctx.platform.clock.virtual();
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = txGroup(tx, group, group.name, nowMs);
    if (!row) throw groupNotFound(group.name);
    if (!next) return row.tags;
    const tags = next(row.tags);
    write(tx, key, { ...row, tags });
    return tags;
  });
}

/** "ListTagsForResource": of schedule groups; schedules have none. */
export const listTagsForResource: Operation<ListTagsForResourceInput, ListTagsForResourceOutput> = async (ctx, input) => ({
  Tags: tagList(await onTags(ctx, input.ResourceArn)),
});

/** "TagResource". */
export const tagResource: Operation<TagResourceInput, TagResourceOutput> = async (ctx, input) => {
  await onTags(ctx, input.ResourceArn, (tags) => tagsOf(input.Tags, tags));
  return {};
};

/** "UntagResource": tags that are not there are no failure. */
export const untagResource: Operation<UntagResourceInput, UntagResourceOutput> = async (ctx, input) => {
  const gone = new Set(input.TagKeys ?? []);
  await onTags(ctx, input.ResourceArn, (tags) => Object.fromEntries(Object.entries(tags).filter(([name]) => !gone.has(name))));
  return {};
};
