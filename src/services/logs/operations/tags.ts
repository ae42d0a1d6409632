import type {
  ListTagsForResourceCommandInput,
  ListTagsLogGroupCommandInput,
  TagLogGroupCommandInput,
  TagResourceCommandInput,
  UntagLogGroupCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Ctx, Operation } from '../../service.ts';
import { groupNameOfArn, logGroupArn } from '../domain/names.ts';
import { invalidParameter, resourceNotFound, tooManyTags } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';
import { getGroup, updateGroup } from '../store.ts';

type Tags = Readonly<Record<string, string>>;

/** Only log groups are resources here; a stream, a destination or a delivery is not found. */
function groupOf(resourceArn: string | undefined): string {
  const arn = resourceArn ?? '';
  if (!arn.startsWith('arn:')) throw invalidParameter(`The specified resource ARN is invalid: ${arn}`);
  const name = groupNameOfArn(arn);
  if (name === undefined) throw resourceNotFound();
  return name;
}

async function addTags(ctx: Ctx, groupName: string, tags: Tags): Promise<Record<string, unknown>> {
  await updateGroup(ctx.platform.store, ctx, groupName, (group) => {
    const merged = { ...group.tags, ...tags };
    if (Object.keys(merged).length > TAGS_MAX) throw tooManyTags(logGroupArn(ctx, groupName));
    return [{ ...group, tags: merged }, undefined];
  });
  return {};
}

async function removeTags(ctx: Ctx, groupName: string, tagKeys: readonly string[]): Promise<Record<string, unknown>> {
  await updateGroup(ctx.platform.store, ctx, groupName, (group) => [
    { ...group, tags: Object.fromEntries(Object.entries(group.tags).filter(([key]) => !tagKeys.includes(key))) },
    undefined,
  ]);
  return {};
}

async function listTags(ctx: Ctx, groupName: string): Promise<{ tags: Tags }> {
  return { tags: (await getGroup(ctx.platform.store, ctx, groupName)).tags };
}

/** "TagLogGroup" (older form of TagResource). */
export const tagLogGroup: Operation<TagLogGroupCommandInput> = (ctx, input) => addTags(ctx, input.logGroupName ?? '', input.tags ?? {});

/** "UntagLogGroup". */
export const untagLogGroup: Operation<UntagLogGroupCommandInput> = (ctx, input) => removeTags(ctx, input.logGroupName ?? '', input.tags ?? []);

/** "ListTagsLogGroup". */
export const listTagsLogGroup: Operation<ListTagsLogGroupCommandInput, { tags: Tags }> = (ctx, input) => listTags(ctx, input.logGroupName ?? '');

/** "TagResource". */
export const tagResource: Operation<TagResourceCommandInput> = async (ctx, input) => addTags(ctx, groupOf(input.resourceArn), input.tags ?? {});

/** "UntagResource". */
export const untagResource: Operation<UntagResourceCommandInput> = async (ctx, input) => removeTags(ctx, groupOf(input.resourceArn), input.tagKeys ?? []);

/** "ListTagsForResource". */
export const listTagsForResource: Operation<ListTagsForResourceCommandInput, { tags: Tags }> = async (ctx, input) => listTags(ctx, groupOf(input.resourceArn));
