import type { ListTagsOfResourceInput, ListTagsOfResourceOutput, Tag, TagResourceInput, UntagResourceInput } from '@aws-sdk/client-dynamodb';
import { parseArn } from '../../../kit/arn.ts';
import type { Ctx, Operation } from '../../service.ts';
import { Constraints } from '../domain/constraints.ts';
import type { TableRecord } from '../domain/table.ts';
import { checkTags } from '../domain/table-rules.ts';
import { accessDenied, resourceArnNotFound, validation } from '../errors.ts';
import type { Tables } from '../store.ts';

/** The table's name in a table's ARN of this account and region. */
function tableOfArn(ctx: Ctx, action: string, arn: string | undefined): string {
  if (arn === undefined) throw validation('Invalid TableArn');
  const parsed = parseArn(arn);
  const match = parsed && /^table\/([a-zA-Z0-9_.-]{3,255})$/.exec(parsed.resource);
  if (parsed?.service !== 'dynamodb' || !match?.[1]) throw validation(`Invalid TableArn: Invalid ResourceArn provided as input ${arn}`);
  // Another account's table is not told to be missing.
  if (parsed.account !== ctx.account) throw accessDenied(ctx.principal.arn, `dynamodb:${action}`, arn);
  if (parsed.region !== ctx.region) throw resourceArnNotFound(arn);
  return match[1];
}

async function changeTags(tables: Tables, ctx: Ctx, name: string, arn: string | undefined, change: (tags: readonly Tag[]) => readonly Tag[]): Promise<void> {
  await tables.change(ctx.account, ctx.region, name, (record): { next: TableRecord; result: undefined } => {
    if (!record) throw resourceArnNotFound(arn ?? '');
    return { next: { ...record, tags: change(record.tags) }, result: undefined };
  });
}

/** "TagResource" */
export function tagResource(tables: Tables): Operation<TagResourceInput> {
  return async (ctx, input) => {
    if (input.ResourceArn === undefined) throw validation('Invalid TableArn');
    const constraints = new Constraints();
    constraints.required('tags', input.Tags);
    constraints.check();
    const given = input.Tags ?? [];
    const name = tableOfArn(ctx, 'TagResource', input.ResourceArn);
    if (given.length === 0) throw validation('Atleast one Tag needs to be provided as Input.');
    await changeTags(tables, ctx, name, input.ResourceArn, (tags) => {
      const merged = [...new Map([...tags, ...given].map((tag) => [tag.Key, tag])).values()];
      checkTags(merged);
      return merged;
    });
    return {};
  };
}

/** "UntagResource" */
export function untagResource(tables: Tables): Operation<UntagResourceInput> {
  return async (ctx, input) => {
    if (input.ResourceArn === undefined) throw validation('Invalid TableArn');
    const constraints = new Constraints();
    constraints.required('tagKeys', input.TagKeys);
    constraints.check();
    const gone = new Set(input.TagKeys);
    const name = tableOfArn(ctx, 'UntagResource', input.ResourceArn);
    if (gone.size === 0) throw validation('Atleast one Tag Key needs to be provided as Input.');
    await changeTags(tables, ctx, name, input.ResourceArn, (tags) => tags.filter((tag) => !gone.has(tag.Key ?? '')));
    return {};
  };
}

/** "ListTagsOfResource": a table has at most 50, which is one page. */
export function listTagsOfResource(tables: Tables): Operation<ListTagsOfResourceInput, ListTagsOfResourceOutput> {
  return async (ctx, input) => {
    const name = tableOfArn(ctx, 'ListTagsOfResource', input.ResourceArn);
    const table = await tables.find(ctx.account, ctx.region, name);
    if (!table) throw resourceArnNotFound(input.ResourceArn ?? '');
    return { Tags: [...table.record.tags] };
  };
}
