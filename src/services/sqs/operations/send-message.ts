import type { BatchResultErrorEntry, SendMessageBatchCommandInput, SendMessageBatchResultEntry, SendMessageCommandInput } from '@aws-sdk/client-sqs';
import { formatTrace, parseTrace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { batchResult, checkBatch, failedEntry } from '../domain/batch.ts';
import { attributesMd5, checkBody, checkMessageAttributes, checkSystemAttributes, isIdentifier, md5, messageBytes, sha256 } from '../domain/content.ts';
import { batchTooLong, invalidParameter, invalidValue, messageTooLong, missingParameter, noDeduplicationId } from '../errors.ts';
import { DEDUPLICATION_MS, DELAY_SECONDS_MAX, MESSAGE_BYTES_MAX, TRACE_HEADER_BYTES_MAX } from '../limits.ts';
import { forget, insertMessage, type NewMessage, type OpenQueue, remember, remembered } from '../messages.ts';
import { meterRequest, onQueue, readQueue } from '../queues.ts';
import type { DuplicateRow } from '../store.ts';

type Entry = Omit<SendMessageCommandInput, 'QueueUrl'>;

interface Prepared {
  readonly message: NewMessage;
  readonly systemMd5?: string;
  readonly delayMs?: number;
  readonly bytes: number;
}

const NOT_FOR_TYPE = 'The request include parameter that is not valid for this queue type.';

function checkIdentifier(parameter: string, value: string): string {
  if (!isIdentifier(value)) throw invalidValue(parameter, value, `${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`);
  return value;
}

function checkDelay(queue: OpenQueue, seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (queue.fifo && seconds !== 0) throw invalidValue('DelaySeconds', seconds, NOT_FOR_TYPE);
  if (seconds < 0 || seconds > DELAY_SECONDS_MAX) throw invalidValue('DelaySeconds', seconds, `DelaySeconds must be >= 0 and <= ${DELAY_SECONDS_MAX}.`);
  return queue.fifo ? undefined : seconds * 1000;
}

function traceOf(ctx: Ctx): string | undefined {
  // Another service sends: what counts runs of functions must not end here, or a loop over it would never be found.
  if (!ctx.http) return ctx.trace.lineage === undefined ? undefined : formatTrace(ctx.trace);
  const header = ctx.http?.headers['x-amzn-trace-id'];
  return header !== undefined && parseTrace(header) ? header.slice(0, TRACE_HEADER_BYTES_MAX) : undefined;
}

/** Group and deduplication id as the queue's type asks for them. */
function checkFifo(queue: OpenQueue, entry: Entry, body: string): { group?: string; deduplicationId?: string } {
  const group = entry.MessageGroupId === undefined ? undefined : checkIdentifier('MessageGroupId', entry.MessageGroupId);
  const given = entry.MessageDeduplicationId;
  if (!queue.fifo) {
    if (given !== undefined) throw invalidValue('MessageDeduplicationId', given, NOT_FOR_TYPE);
    return group === undefined ? {} : { group };
  }
  if (group === undefined) throw missingParameter('MessageGroupId');
  if (given !== undefined) return { group, deduplicationId: checkIdentifier('MessageDeduplicationId', given) };
  if (!queue.settings.contentBasedDeduplication) throw noDeduplicationId();
  return { group, deduplicationId: sha256(body) };
}

/** "SendMessage": checks one message, and all about it that needs no transaction. */
function prepare(ctx: Ctx, queue: OpenQueue, entry: Entry, inBatch: boolean): Prepared {
  const body = checkBody(entry.MessageBody);
  const attributes = checkMessageAttributes(entry.MessageAttributes);
  const given = checkSystemAttributes(entry.MessageSystemAttributes);
  // "AWS X-Ray and Amazon SQS": the request's own header is carried along too.
  const traceHeader = given ?? traceOf(ctx);
  const delayMs = checkDelay(queue, entry.DelaySeconds);
  const fifo = checkFifo(queue, entry, body);
  const bytes = messageBytes(body, attributes);
  if (bytes > queue.settings.messageBytesMax) throw messageTooLong(queue.settings.messageBytesMax, inBatch);
  const { clock, ids } = ctx.platform;
  const sentMs = clock.virtual();
  const md5OfAttributes = attributesMd5(attributes);
  const systemMd5 = given === undefined ? undefined : attributesMd5([{ name: 'AWSTraceHeader', type: 'String', value: given }]);
  return {
    message: {
      id: ids.uuid(),
      sentMs,
      visibleMs: sentMs,
      senderId: ctx.principal.userId,
      bodyMd5: md5(body),
      ...(md5OfAttributes === undefined ? {} : { attributesMd5: md5OfAttributes }),
      ...fifo,
      ...(traceHeader === undefined ? {} : { traceHeader }),
      attributes,
      body,
    },
    bytes,
    ...(systemMd5 === undefined ? {} : { systemMd5 }),
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}

interface Sent {
  readonly id: string;
  readonly sequenceNumber?: string | undefined;
}

/** Puts a message into its queue, unless it is a duplicate: then the answer is the first one's. */
function send(tx: Tx, queue: OpenQueue, { message, delayMs }: Prepared): Sent {
  const { deduplicationId, sentMs } = message;
  const { scopeBefore } = queue.row;
  const byGroup = scopeBefore && sentMs < scopeBefore.untilMs ? scopeBefore.scope === 'messageGroup' : queue.settings.deduplicateByGroup;
  const scope = byGroup ? (message.group ?? '') : '';
  const key = deduplicationId === undefined ? undefined : queue.at.duplicate(scope, deduplicationId);
  const first = key === undefined ? undefined : remembered<DuplicateRow>(tx, key, sentMs);
  if (first) return first;
  const row = insertMessage(tx, queue, { ...message, visibleMs: sentMs + (delayMs ?? queue.settings.delayMs) });
  if (key !== undefined) {
    const duplicate: DuplicateRow = { untilMs: sentMs + DEDUPLICATION_MS, id: row.id, sequenceNumber: row.sequenceNumber ?? '' };
    remember(tx, queue.at, key, duplicate);
  }
  return { id: row.id, sequenceNumber: row.sequenceNumber };
}

function sendAll(tx: Tx, queue: OpenQueue, prepared: readonly Prepared[]): Sent[] {
  const [first] = prepared;
  if (queue.fifo && first) forget(tx, queue.at, first.message.sentMs);
  return prepared.map((one) => send(tx, queue, one));
}

function answer({ message, systemMd5 }: Prepared, { id, sequenceNumber }: Sent) {
  return {
    MessageId: id,
    MD5OfMessageBody: message.bodyMd5,
    ...(message.attributesMd5 === undefined ? {} : { MD5OfMessageAttributes: message.attributesMd5 }),
    ...(systemMd5 === undefined ? {} : { MD5OfMessageSystemAttributes: systemMd5 }),
    ...(sequenceNumber === undefined ? {} : { SequenceNumber: sequenceNumber }),
  };
}

/** "SendMessage"; what `inCommit` writes is one commit with the message. */
export async function sendMessage(ctx: Ctx, input: SendMessageCommandInput, inCommit?: (tx: Tx) => void) {
  const queue = await readQueue(ctx, input.QueueUrl);
  const prepared = prepare(ctx, queue, input, false);
  const [sent] = await onQueue(ctx, queue.address, (tx, open) => {
    ctx.meter('MessagesSent', 1);
    inCommit?.(tx);
    return sendAll(tx, open, [prepared]);
  });
  if (!sent) throw new Error('a sent message has no outcome');
  meterRequest(ctx, queue.fifo, prepared.bytes);
  return answer(prepared, sent);
}

/** "SendMessageBatch": what is wrong with one entry fails that entry; all others are sent in one commit, in order. */
export async function sendMessageBatch(ctx: Ctx, input: SendMessageBatchCommandInput) {
  const entries = input.Entries ?? [];
  checkBatch(input.Entries, 'SendMessageBatchRequestEntry');
  const queue = await readQueue(ctx, input.QueueUrl);
  const total = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  if (total > MESSAGE_BYTES_MAX) throw batchTooLong(total);
  if (queue.fifo) checkFifoBatch(queue, entries);
  const prepared: (readonly [id: string, one: Prepared])[] = [];
  const failed: BatchResultErrorEntry[] = [];
  for (const entry of entries) {
    const id = entry.Id ?? '';
    try {
      prepared.push([id, prepare(ctx, queue, entry, true)]);
    } catch (error) {
      failed.push(failedEntry(id, error));
    }
  }
  const sent =
    prepared.length === 0
      ? []
      : await onQueue(ctx, queue.address, (tx, open) => {
          ctx.meter('MessagesSent', prepared.length);
          return sendAll(
            tx,
            open,
            prepared.map(([, one]) => one),
          );
        });
  meterRequest(ctx, queue.fifo, total);
  const successful = sent.map((one, i): SendMessageBatchResultEntry => {
    const [id, what] = prepared[i] ?? [];
    if (id === undefined || what === undefined) throw new Error('a sent message has no entry');
    return { Id: id, ...answer(what, one) };
  });
  return batchResult(successful, failed);
}

/** Missing ids fail the whole batch, unlike all else that may be wrong with an entry. */
function checkFifoBatch(queue: OpenQueue, entries: readonly Entry[]): void {
  for (const { MessageGroupId, MessageDeduplicationId } of entries) {
    if (MessageGroupId === undefined) throw invalidParameter('The request must contain the parameter MessageGroupId.');
    if (MessageDeduplicationId === undefined && !queue.settings.contentBasedDeduplication) throw noDeduplicationId();
  }
}

function entryBytes({ MessageBody, MessageAttributes }: Entry): number {
  const attributes = Object.entries(MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => ({
    name,
    type: DataType ?? '',
    value: BinaryValue ?? StringValue ?? '',
  }));
  return messageBytes(MessageBody ?? '', attributes);
}
