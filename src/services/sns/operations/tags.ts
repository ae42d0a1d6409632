import type { ListTagsForResourceRequest, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-sns';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { type TopicAddress, topicOf } from '../domain/arn.ts';
import { checkTagCount, checkTags, tagList } from '../domain/tags.ts';
import { missing, resourceNotFound } from '../errors.ts';
import { changeTopic, findTopic } from '../topics.ts';

/** A topic that is not there is `ResourceNotFound` to the operations on tags. */
async function change(ctx: Ctx, address: TopicAddress, to: (tags: Readonly<Record<string, string>>) => Record<string, string>): Promise<void> {
  try {
    await changeTopic(ctx, address, (row) => {
      const tags = to(row.tags);
      checkTagCount(tags);
      return { ...row, tags };
    });
  } catch (error) {
    if (error instanceof AwsError && error.code === 'NotFound') throw resourceNotFound();
    throw error;
  }
}

/** "TagResource". */
export async function tagResource(ctx: Ctx, input: TagResourceRequest): Promise<Record<string, never>> {
  const address = topicOf(input.ResourceArn, ctx, 'ResourceArn');
  if (input.Tags === undefined) throw missing('tags');
  const added = checkTags(input.Tags);
  await change(ctx, address, (tags) => ({ ...tags, ...added }));
  return {};
}

/** "UntagResource": keys that are not there are no error. */
export async function untagResource(ctx: Ctx, input: UntagResourceRequest): Promise<Record<string, never>> {
  const address = topicOf(input.ResourceArn, ctx, 'ResourceArn');
  if (input.TagKeys === undefined) throw missing('tagKeys');
  const gone = new Set(input.TagKeys);
  await change(ctx, address, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))));
  return {};
}

/** "ListTagsForResource". */
export async function listTagsForResource(ctx: Ctx, input: ListTagsForResourceRequest) {
  const address = topicOf(input.ResourceArn, ctx, 'ResourceArn');
  const row = await findTopic(ctx.platform.store, address);
  if (!row) throw resourceNotFound();
  return { Tags: tagList(row.tags) };
}
