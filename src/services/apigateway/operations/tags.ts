import type { GetTagsCommandInput, TagResourceCommandInput, Tags, UntagResourceCommandInput } from '@aws-sdk/client-api-gateway';
import { parseArn } from '../../../kit/arn.ts';
import type { Key } from '../../../kit/key.ts';
import type { Ctx, Operation } from '../../service.ts';
import { badRequest, notFound } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';
import { keys, read, update } from '../store.ts';

interface Tagged {
  readonly tags?: Readonly<Record<string, string>>;
}

const missing = () => notFound('Invalid ARN specified in the request');

/** `arn:aws:apigateway:REGION::/restapis/ID`, `…/stages/NAME`, `/apikeys/ID`, `/usageplans/ID`. */
function keyOfArn(ctx: Ctx, arn: string | undefined): Key {
  const resource = parseArn(arn ?? '')?.resource ?? '';
  const [, kind, id = '', sub, name = ''] = resource.split('/');
  if (kind === 'restapis' && sub === 'stages') return keys.part(ctx, id, 'stage', name);
  if (kind === 'restapis' && sub === undefined) return keys.api(ctx, id);
  if (kind === 'apikeys' && sub === undefined) return keys.apiKey(ctx, id);
  if (kind === 'usageplans' && sub === undefined) return keys.usagePlan(ctx, id);
  throw badRequest('Invalid ARN specified in the request');
}

/** "GetTags". */
export const getTags: Operation<GetTagsCommandInput, Tags> = async (ctx, input) => ({
  tags: (await read<Tagged>(ctx.platform.store, keyOfArn(ctx, input.resourceArn), missing)).tags ?? {},
});

/** "TagResource". */
export const tagResource: Operation<TagResourceCommandInput> = (ctx, input) =>
  update<Tagged, Record<string, never>>(ctx.platform.store, keyOfArn(ctx, input.resourceArn), missing, (row) => {
    const tags = { ...row.tags, ...input.tags };
    if (Object.keys(tags).length > TAGS_MAX) throw badRequest('The number of tags exceeds the limit of 50.');
    return [{ ...row, tags }, {}];
  });

/** "UntagResource". */
export const untagResource: Operation<UntagResourceCommandInput> = (ctx, input) =>
  update<Tagged, Record<string, never>>(ctx.platform.store, keyOfArn(ctx, input.resourceArn), missing, (row) => [
    { ...row, tags: Object.fromEntries(Object.entries(row.tags ?? {}).filter(([key]) => !input.tagKeys?.includes(key))) },
    {},
  ]);
