import type { CreateTopicInput, DeleteTopicInput, GetTopicAttributesInput, ListTopicsInput, SetTopicAttributesInput } from '@aws-sdk/client-sns';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { CLEAN_TARGET, type CleanPayload } from '../background.ts';
import { type Scope, topicArn, topicOf } from '../domain/arn.ts';
import { timestampOf } from '../domain/envelope.ts';
import { nextToken, startAfter } from '../domain/paging.ts';
import { checkTagCount, checkTags } from '../domain/tags.ts';
import { asksForAnother, checkNewTopic, checkTopicAttribute, describedAttributes, isSettable } from '../domain/topic-attributes.ts';
import { invalidParameter, invalidState, missing } from '../errors.ts';
import { PAGE_SIZE, ROWS_PER_COMMIT, TOPIC_NAME_CHARS_MAX } from '../limits.ts';
import { fromKey, keys, rangeOf, read, rowsOf, type SubscriptionRow, type TopicRow, write } from '../store.ts';
import { changeTopic, countsOf, isFifo, policyOf, readTopic } from '../topics.ts';

function checkName(name: string | undefined, fifo: boolean): string {
  if (name === undefined) throw missing('name');
  const stem = fifo && name.endsWith('.fifo') ? name.slice(0, -5) : name;
  if (name.length > TOPIC_NAME_CHARS_MAX || !/^[\w-]+$/.test(stem) || fifo !== name.endsWith('.fifo')) throw invalidParameter('Topic Name');
  return name;
}

/** "CreateTopic": a topic that is there already is answered where it is what is asked for. */
export async function createTopic(ctx: Ctx, input: CreateTopicInput) {
  const given = input.Attributes ?? {};
  const fifo = (given['FifoTopic'] ?? '').toLowerCase() === 'true';
  const name = checkName(input.Name, fifo);
  const attributes = checkNewTopic(given);
  const tags = checkTags(input.Tags);
  checkTagCount(tags);
  const { account, region } = ctx;
  const key = keys.topic(ctx, name);
  const { Policy: policy, ...rest } = attributes;
  const row: TopicRow = {
    name,
    id: ctx.platform.ids.text(16),
    attributes: rest,
    tags,
    ...(rest['ArchivePolicy'] === undefined ? {} : { archivedSinceMs: ctx.platform.clock.virtual() }),
    ...(policy ? { policy } : {}),
    ...(input.DataProtectionPolicy ? { dataProtectionPolicy: input.DataProtectionPolicy } : {}),
  };
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const has = read<TopicRow>(tx, key);
    if (!has) return write(tx, key, row);
    if (asksForAnother(attributes, given, { ...has.attributes, Policy: policyOf({ account, region, name }, has) }))
      throw invalidParameter('Attributes', 'Topic already exists with different attributes');
    if (Object.entries(tags).some(([tag, value]) => has.tags[tag] !== value)) throw invalidParameter('Tags', 'Topic already exists with different tags');
  });
  return { TopicArn: topicArn({ account, region, name }) };
}

/** "DeleteTopic": its subscriptions go with it; a topic that is not there is no error. */
export async function deleteTopic(ctx: Ctx, input: DeleteTopicInput): Promise<Record<string, never>> {
  const address = topicOf(input.TopicArn, ctx);
  const key = keys.topic(address, address.name);
  const { account, region } = address;
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<TopicRow>(tx, key);
    if (!row) return;
    if (row.attributes['ArchivePolicy'] !== undefined) throw invalidState('Cannot delete a topic with an active ArchivePolicy');
    tx.delete(key);
    const more = removeSome(tx, address, row.id);
    const payload: CleanPayload = { topicId: row.id };
    if (more) ctx.platform.bus.enqueue(tx, { target: CLEAN_TARGET, account, region, payload, trace: ctx.trace });
  });
  return {};
}

/** Removes rows of a topic that is gone, a bounded number; true where more are left. */
export function removeSome(tx: Tx, scope: Scope, topicId: string): boolean {
  let left = ROWS_PER_COMMIT;
  const prefixes = [
    keys.subscriptions(scope, topicId),
    keys.endpointsOf(scope, topicId),
    keys.counts(scope, topicId),
    keys.groups(scope, topicId),
    keys.duplicates(scope, topicId),
    keys.forgets(scope, topicId),
    keys.archive(scope, topicId),
  ];
  for (const prefix of prefixes) {
    const page = tx.range({ ...rangeOf(prefix), limit: left });
    for (const [found] of page.entries) tx.delete(found);
    left -= page.entries.length;
    if (page.more || left <= 0) return true;
  }
  return false;
}

/** "ListTopics": a hundred a page. */
export async function listTopics(ctx: Ctx, input: ListTopicsInput) {
  const prefix = keys.topics(ctx);
  const page = await ctx.platform.store.range({ ...fromKey(prefix, startAfter(prefix, input.NextToken)), limit: PAGE_SIZE });
  const { account, region } = ctx;
  return {
    Topics: rowsOf<TopicRow>(page).map(({ name }) => ({ TopicArn: topicArn({ account, region, name }) })),
    ...nextToken(prefix, page),
  };
}

/** "GetTopicAttributes". */
export async function getTopicAttributes(ctx: Ctx, input: GetTopicAttributesInput) {
  const { address, row } = await readTopic(ctx, input.TopicArn);
  const { confirmed, pending, deleted } = await countsOf(ctx.platform, address, row.id);
  return {
    Attributes: {
      TopicArn: topicArn(address),
      Owner: address.account,
      SubscriptionsConfirmed: String(confirmed),
      SubscriptionsPending: String(pending),
      SubscriptionsDeleted: String(deleted),
      ...(row.archivedSinceMs === undefined ? {} : { BeginningArchiveTime: timestampOf(row.archivedSinceMs) }),
      ...describedAttributes(row.attributes, policyOf(address, row)),
    },
  };
}

/** "SetTopicAttributes": an empty value takes an attribute away. */
export async function setTopicAttributes(ctx: Ctx, input: SetTopicAttributesInput): Promise<Record<string, never>> {
  const address = topicOf(input.TopicArn, ctx);
  const { AttributeName: name, AttributeValue: value = '' } = input;
  if (name === undefined) throw missing('attributeName');
  await readTopic(ctx, input.TopicArn);
  if (!isSettable(name)) throw invalidParameter('AttributeName');
  const nowMs = ctx.platform.clock.virtual();
  await changeTopic(ctx, address, (row) => {
    const kept = checkTopicAttribute(name, value, isFifo(row));
    if (name === 'Policy') {
      const { policy: _policy, ...rest } = row;
      return kept === '' ? rest : { ...rest, policy: kept };
    }
    const { [name]: _had, ...rest } = row.attributes;
    const { archivedSinceMs, ...same } = row;
    const since = name !== 'ArchivePolicy' ? archivedSinceMs : kept === '' ? undefined : (archivedSinceMs ?? nowMs);
    return { ...same, attributes: kept === '' ? rest : { ...rest, [name]: kept }, ...(since === undefined ? {} : { archivedSinceMs: since }) };
  });
  return {};
}

/** Subscriptions of a topic a page at a time; the key goes on from the last one. */
export async function subscriptionPage(ctx: Ctx, scope: Scope, topicId: string | undefined, token: string | undefined) {
  const prefix = keys.subscriptions(scope, topicId);
  const page = await ctx.platform.store.range({ ...fromKey(prefix, startAfter(prefix, token)), limit: PAGE_SIZE });
  return { rows: rowsOf<SubscriptionRow>(page), ...nextToken(prefix, page) };
}
