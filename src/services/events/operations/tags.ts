import type { ListTagsForResourceRequest, ListTagsForResourceResponse, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-eventbridge';
import type { Ctx, Operation } from '../../service.ts';
import { type TagAddress, taggable } from '../domain/names.ts';
import { tagList, withoutTags, withTags } from '../domain/tags.ts';
import { busNotFound, invalidParameter, ruleNotFound } from '../errors.ts';
import { type BusRow, findBus, keys, type RuleRow, read, txBus, write } from '../store.ts';
import { onRule, refuseManaged } from './rules.ts';

type Tags = Readonly<Record<string, string>>;

function addressOf(arn: string | undefined): TagAddress {
  const address = taggable(arn ?? '');
  if (!address) throw invalidParameter(arn ?? 'ResourceARN', 'Provided Arn is not in correct format.');
  return address;
}

/** "ListTagsForResource": of buses and rules. */
export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResponse> = async (ctx, input) => {
  const address = addressOf(input.ResourceARN);
  const { store, clock } = ctx.platform;
  const bus = await findBus(store, address.bus, clock.virtual());
  if (!bus) throw busNotFound(address.bus.name);
  if (address.kind === 'bus') return { Tags: tagList(bus.tags) };
  const rule = await read<RuleRow>(store, keys.rule(address.bus, address.rule));
  if (!rule) throw ruleNotFound(address.rule, address.bus.name);
  return { Tags: tagList(rule.tags) };
};

async function change(ctx: Ctx, arn: string | undefined, next: (tags: Tags) => Tags): Promise<Record<string, never>> {
  const address = addressOf(arn);
  const { bus } = address;
  if (address.kind === 'rule') {
    await onRule(ctx, bus, address.rule, (tx, rule) => {
      refuseManaged(rule);
      write(tx, keys.rule(bus, rule.name), { ...rule, tags: next(rule.tags) });
    });
    return {};
  }
  const key = keys.bus(bus, bus.name);
  const nowMs = ctx.platform.clock.virtual();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row: BusRow | undefined = txBus(tx, bus, nowMs);
    if (!row) throw busNotFound(bus.name);
    write(tx, key, { ...row, tags: next(row.tags) });
  });
  return {};
}

/** "TagResource". */
export const tagResource: Operation<TagResourceRequest, Record<string, never>> = (ctx, input) =>
  change(ctx, input.ResourceARN, (tags) => withTags(tags, input.Tags));

/** "UntagResource": tags that are not there are no failure. */
export const untagResource: Operation<UntagResourceRequest, Record<string, never>> = (ctx, input) =>
  change(ctx, input.ResourceARN, (tags) => withoutTags(tags, input.TagKeys ?? []));
