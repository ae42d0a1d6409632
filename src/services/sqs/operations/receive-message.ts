import type { Message, ReceiveMessageCommandInput } from '@aws-sdk/client-sqs';
import type { Ctx } from '../../service.ts';
import { encodeHandle } from '../domain/handles.ts';
import { messageView, type SystemAttributes, systemAttributesOf } from '../domain/view.ts';
import { invalidValue, overLimit, unknownAttribute } from '../errors.ts';
import { DEDUPLICATION_MS, RECEIVED_MESSAGES_MAX, VISIBILITY_SECONDS_MAX, WAIT_SECONDS_MAX } from '../limits.ts';
import { forget, type OpenQueue, remember, remembered, type Taken, type TakeResult, takeAgain, takeMessages } from '../messages.ts';
import { meterRequest, onQueue, readQueue } from '../queues.ts';
import { type AttemptRow, keys } from '../store.ts';
import type { Tried, Waiting } from '../waiting.ts';

const SYSTEM_ATTRIBUTES = new Set([
  'All',
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
]);

interface Asked {
  readonly max: number;
  readonly waitMs: number | undefined;
  readonly visibilityMs: number | undefined;
  readonly system: ReadonlySet<string>;
  readonly attributes: readonly string[];
}

/** "ReceiveMessage": bounds of the parameters. */
function check(input: ReceiveMessageCommandInput): Asked {
  const { MaxNumberOfMessages: max = 1, WaitTimeSeconds: wait, VisibilityTimeout: visibility } = input;
  if (max < 1 || max > RECEIVED_MESSAGES_MAX) throw invalidValue('MaxNumberOfMessages', max, `Must be between 1 and ${RECEIVED_MESSAGES_MAX}, if provided.`);
  if (wait !== undefined && (wait < 0 || wait > WAIT_SECONDS_MAX))
    throw invalidValue('WaitTimeSeconds', wait, `Must be >= 0 and <= ${WAIT_SECONDS_MAX}, if provided.`);
  if (visibility !== undefined && (visibility < 0 || visibility > VISIBILITY_SECONDS_MAX))
    throw invalidValue('VisibilityTimeout', visibility, `Must be >= 0 and <= ${VISIBILITY_SECONDS_MAX}, if provided.`);
  const system = new Set<string>([...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])]);
  for (const name of system) if (!SYSTEM_ATTRIBUTES.has(name)) throw unknownAttribute(name);
  const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);
  return { max, waitMs: ms(wait), visibilityMs: ms(visibility), system, attributes: input.MessageAttributeNames ?? [] };
}

/** One commit that takes what it can; also what an earlier call of the same attempt id took. */
async function take(ctx: Ctx, queue: OpenQueue, asked: Asked, attemptId: string | undefined): Promise<TakeResult> {
  const { clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const tokens = Array.from({ length: asked.max }, () => ids.bytes(8).toString('hex'));
  const visibility = asked.visibilityMs === undefined ? {} : { visibilityMs: asked.visibilityMs };
  return onQueue(ctx, queue.address, (tx, open) => {
    const key = attemptId === undefined || !open.fifo ? undefined : open.at.attempt(attemptId);
    if (key !== undefined) {
      const before = remembered<AttemptRow>(tx, key, nowMs);
      const taken = before && takeAgain(tx, open, before.receipts, { nowMs, ...visibility });
      if (taken) return { taken, again: false, overLimit: false };
      forget(tx, open.at, nowMs);
    }
    const result = takeMessages(tx, open, { nowMs, max: asked.max, tokens, ...visibility });
    if (key !== undefined && result.taken.length > 0) {
      const receipts = result.taken.map(({ message, state }) => ({ seq: message.seq, token: state.token }));
      const row: AttemptRow = { untilMs: nowMs + DEDUPLICATION_MS, receipts };
      remember(tx, open.at, key, row);
    }
    return result;
  });
}

/** "ReceiveMessage", short and long polling. */
export function receiveMessage(waiting: () => Waiting) {
  return async (ctx: Ctx, input: ReceiveMessageCommandInput): Promise<{ Messages?: Message[] }> => {
    const asked = check(input);
    const queue = await readQueue(ctx, input.QueueUrl);
    const waitMs = asked.waitMs ?? queue.settings.waitMs;
    const attempt = async (): Promise<Tried<readonly Taken[]>> => {
      for (;;) {
        const result = await take(ctx, queue, asked, input.ReceiveRequestAttemptId);
        // "Amazon SQS quotas": short polls fail at the limit; long polls, and FIFO queues, just get nothing.
        if (result.overLimit && waitMs === 0 && !queue.fifo) throw overLimit('The maximum number of in flight messages is reached.');
        if (result.taken.length > 0) return { got: result.taken };
        if (!result.again) return result.nextMs === undefined ? {} : { nextMs: result.nextMs };
      }
    };
    const { got: atOnce } = await attempt();
    const taken = atOnce ?? (waitMs > 0 ? await waiting().receive(keys.contents(queue.address, queue.row.id), waitMs, ctx.signal, attempt) : undefined) ?? [];
    const messages = taken.map((one) => view(queue, one, asked));
    meterRequest(
      ctx,
      queue.fifo,
      taken.reduce((sum, { message }) => sum + message.body.length, 0),
    );
    if (messages.length === 0) return {};
    ctx.meter('MessagesReceived', messages.length);
    return { Messages: messages };
  };
}

function view(queue: OpenQueue, { message, state }: Taken, asked: Asked): Message {
  const handle = encodeHandle({ contents: queue.row.contents, seq: message.seq, token: state.token, group: queue.fifo ? (message.group ?? '') : '' });
  const all: SystemAttributes = systemAttributesOf(message, state);
  const chosen = asked.system.has('All') ? all : Object.fromEntries(Object.entries(all).filter(([name]) => asked.system.has(name)));
  return messageView(message, handle, chosen, asked.attributes);
}
