import { createHash } from 'node:crypto';
import type { PublishBatchInput, PublishBatchRequestEntry, PublishInput } from '@aws-sdk/client-sns';
import { formatTrace, parseTrace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { type TopicAddress, topicOf } from '../domain/arn.ts';
import { checkAttributes, checkIdentifier, checkStructure, checkText, type GivenMessage, type Message, messageBytes } from '../domain/message.ts';
import { batchTooLong, emptyBatch, entryIdCharacter, entryIdsNotDistinct, entryIdTooLong, invalidParameter, notFound, tooManyEntries } from '../errors.ts';
import { FANOUT_TARGET, type FanoutPayload, FIFO_TARGET, type FifoPayload } from '../fanout.ts';
import { BATCH_ENTRIES_MAX, BATCH_ENTRY_ID_CHARS_MAX, DEDUPLICATION_MS, FORGOTTEN_PER_PUBLISH, MESSAGE_BYTES_MAX } from '../limits.ts';
import { archive } from '../replay.ts';
import { type DuplicateRow, forget, groupKey, keys, read, remember, type TopicRow, write } from '../store.ts';
import { isFifo, readTopic } from '../topics.ts';
import { requestsOf } from '../usage.ts';
import { publishToEndpoint, publishToPhone } from './direct.ts';

/** "Publish": to a topic, to one mobile endpoint, or to a phone number. */
export async function publish(ctx: Ctx, input: PublishInput) {
  const target = input.TopicArn ?? input.TargetArn;
  if (input.PhoneNumber !== undefined && target === undefined) return publishToPhone(ctx, input);
  if (target === undefined) throw invalidParameter('TopicArn or TargetArn', 'no value for required parameter');
  if (input.TopicArn === undefined && target.includes(':endpoint/')) return publishToEndpoint(ctx, input);
  const { address, row } = await readTopic(ctx, target, input.TopicArn === undefined ? 'TargetArn' : 'TopicArn');
  const message = prepare(ctx, row, input, '');
  const [sent] = await commit(ctx, address, row, [message]);
  ctx.meter('PublishRequests', requestsOf(messageBytes(input)));
  return { MessageId: sent?.id, ...(sent?.sequenceNumber === undefined ? {} : { SequenceNumber: sent.sequenceNumber }) };
}

/** "PublishBatch": in one commit; what is wrong with one entry fails all, as recorded. */
export async function publishBatch(ctx: Ctx, input: PublishBatchInput) {
  topicOf(input.TopicArn, ctx);
  const { address, row } = await readTopic(ctx, input.TopicArn);
  const entries = input.PublishBatchRequestEntries ?? [];
  checkBatch(entries);
  const total = entries.reduce((sum, entry) => sum + messageBytes(entry), 0);
  if (total > MESSAGE_BYTES_MAX) throw batchTooLong();
  const messages = entries.map((entry, i) => prepare(ctx, row, entry, `publishBatchRequestEntries.${i + 1}.member.`));
  const sent = await commit(ctx, address, row, messages);
  ctx.meter('PublishRequests', requestsOf(total));
  const Successful = sent.map(({ id, sequenceNumber }, i) => ({
    Id: entries[i]?.Id,
    MessageId: id,
    ...(sequenceNumber === undefined ? {} : { SequenceNumber: sequenceNumber }),
  }));
  return { Successful, Failed: [] };
}

function checkBatch(entries: readonly PublishBatchRequestEntry[]): void {
  if (entries.length === 0) throw emptyBatch();
  if (entries.length > BATCH_ENTRIES_MAX) throw tooManyEntries();
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) throw entryIdsNotDistinct();
  for (const { Id = '' } of entries) {
    if (Id.length > BATCH_ENTRY_ID_CHARS_MAX) throw entryIdTooLong(Id);
    if (!/^[\w-]+$/.test(Id)) throw entryIdCharacter(Id);
  }
}

/** The caller's header as it came; a room's call carries what tells of recursive loops. */
function traceOf(ctx: Ctx): Pick<Message, 'traceHeader'> {
  if (!ctx.http) return ctx.trace.lineage === undefined ? {} : { traceHeader: formatTrace(ctx.trace) };
  const header = ctx.http.headers['x-amzn-trace-id'];
  return header !== undefined && parseTrace(header) ? { traceHeader: header } : {};
}

/** Checks one message, and all about it that needs no transaction. */
function prepare(ctx: Ctx, topic: TopicRow, given: GivenMessage, path: string): Message {
  const body = checkText(given);
  const bodies = checkStructure(body, given.MessageStructure);
  const attributes = checkAttributes(given.MessageAttributes, path);
  const { clock, ids } = ctx.platform;
  const subject = given.Subject;
  return {
    id: ids.uuid(),
    publishedMs: clock.virtual(),
    ...(subject === undefined ? {} : { subject }),
    body: bodies?.['default'] ?? body,
    ...(bodies ? { bodies } : {}),
    attributes,
    ...ordering(topic, given, body),
    ...traceOf(ctx),
  };
}

/** Group and deduplication id as the topic's type asks for them. */
function ordering(
  topic: TopicRow,
  { MessageGroupId: group, MessageDeduplicationId: given }: GivenMessage,
  body: string,
): Pick<Message, 'group' | 'deduplicationId'> {
  if (!isFifo(topic)) {
    if (given !== undefined) {
      const reason = 'The request includes MessageDeduplicationId parameter that is not valid for this topic type';
      throw invalidParameter('MessageDeduplicationId', reason);
    }
    return group === undefined ? {} : { group: checkIdentifier('MessageGroupId', group) };
  }
  if (group === undefined) throw invalidParameter('The MessageGroupId parameter is required for FIFO topics');
  checkIdentifier('MessageGroupId', group);
  if (given !== undefined) return { group, deduplicationId: checkIdentifier('MessageDeduplicationId', given) };
  if (topic.attributes['ContentBasedDeduplication'] !== 'true')
    throw invalidParameter('The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly');
  return { group, deduplicationId: createHash('sha256').update(body).digest('hex') };
}

interface Sent {
  readonly id: string;
  readonly sequenceNumber?: string;
}

/** Sequence numbers have twenty digits. */
const numbered = (sequence: bigint): string => String(10n ** 19n + sequence * 1000n);

/** Messages and what hands them on are one commit. */
function commit(ctx: Ctx, address: TopicAddress, topic: TopicRow, messages: readonly Message[]): Promise<Sent[]> {
  const { store, clock } = ctx.platform;
  const nowMs = clock.virtual();
  const key = keys.topic(address, address.name);
  return store.transact({ reads: [key] }, (tx) => {
    const row = read<TopicRow>(tx, key);
    if (row?.id !== topic.id) throw notFound('Topic');
    if (!isFifo(row)) return messages.map((message) => start(ctx, tx, address, row, message));
    forget(tx, address, row.id, nowMs, FORGOTTEN_PER_PUBLISH);
    return messages.map((message) => append(ctx, tx, address, row, message, nowMs));
  });
}

function start(ctx: Ctx, tx: Tx, address: TopicAddress, topic: TopicRow, message: Message): Sent {
  const { account, region } = address;
  const payload: FanoutPayload = { topic: address, topicId: topic.id, message };
  ctx.platform.bus.enqueue(tx, { target: FANOUT_TARGET, account, region, payload, trace: ctx.trace });
  return { id: message.id };
}

/** FIFO: puts a message at the end of its group, unless it is a duplicate; then the answer is the first one's. */
function append(ctx: Ctx, tx: Tx, address: TopicAddress, topic: TopicRow, message: Message, nowMs: number): Sent {
  const { group = '', deduplicationId = '' } = message;
  const scope = topic.attributes['FifoThroughputScope'] === 'MessageGroup' ? group : '';
  const key = keys.duplicate(address, topic.id, scope, deduplicationId);
  const first = read<DuplicateRow>(tx, key);
  if (first && first.untilMs > nowMs) return { id: first.messageId, sequenceNumber: first.sequenceNumber };
  const sequence = tx.sequence(keys.sequence(address, topic.id));
  const sequenceNumber = numbered(sequence);
  const numberedMessage: Message = { ...message, sequenceNumber };
  write(tx, groupKey(address, topic.id, group, sequence), numberedMessage);
  archive(tx, address, topic, numberedMessage, sequence);
  remember(tx, address, topic.id, key, { untilMs: nowMs + DEDUPLICATION_MS, messageId: message.id, sequenceNumber });
  const { account, region } = address;
  const payload: FifoPayload = { topic: address, topicId: topic.id, group };
  ctx.platform.bus.enqueue(tx, { target: FIFO_TARGET, account, region, payload, orderKey: `sns ${topic.id} ${group}`, trace: ctx.trace });
  return { id: message.id, sequenceNumber };
}
