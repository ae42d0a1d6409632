import type { ListQueueTagsCommandInput, TagQueueCommandInput, UntagQueueCommandInput } from '@aws-sdk/client-sqs';
import type { Ctx } from '../../service.ts';
import { addressOfUrl } from '../domain/address.ts';
import { checkTags } from '../domain/tags.ts';
import { missingParameter } from '../errors.ts';
import { changeQueue, readQueue } from '../queues.ts';
import { putQueue } from '../store.ts';

/** "TagQueue". */
export async function tagQueue(ctx: Ctx, input: TagQueueCommandInput): Promise<Record<string, never>> {
  if (!input.Tags || Object.keys(input.Tags).length === 0) throw missingParameter('Tags');
  const added = input.Tags as Record<string, string>;
  checkTags(added);
  const address = addressOfUrl(ctx, input.QueueUrl);
  await changeQueue(ctx, address, (tx, row) => {
    const tags = { ...row.tags, ...added };
    checkTags(tags);
    putQueue(tx, address, { ...row, tags });
  });
  return {};
}

/** "UntagQueue": keys that are not there are no error. */
export async function untagQueue(ctx: Ctx, input: UntagQueueCommandInput): Promise<Record<string, never>> {
  const gone = new Set(input.TagKeys ?? []);
  if (gone.size === 0) throw missingParameter('TagKeys');
  const address = addressOfUrl(ctx, input.QueueUrl);
  await changeQueue(ctx, address, (tx, row) => {
    putQueue(tx, address, { ...row, tags: Object.fromEntries(Object.entries(row.tags).filter(([key]) => !gone.has(key))) });
  });
  return {};
}

/** "ListQueueTags". */
export async function listQueueTags(ctx: Ctx, input: ListQueueTagsCommandInput) {
  const { row } = await readQueue(ctx, input.QueueUrl);
  return Object.keys(row.tags).length > 0 ? { Tags: row.tags } : {};
}
