import type { Attempt } from '../../../bus/bus.ts';
import { parseArn } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import { withoutLineage } from '../../../kit/trace.ts';
import type { Platform } from '../../service.ts';
import { packText, withId } from '../domain/event.ts';
import { DeliveryError } from '../domain/failures.ts';
import { isObject, parseIfJson } from '../domain/json.ts';
import { parsePath, valueAt } from '../domain/json-path.ts';
import { busOfArn, type Scope } from '../domain/names.ts';
import { kindOf, type TargetKind } from '../domain/targets.ts';
import { BUS_HOPS_MAX, LAMBDA_INLINE_BYTES_MAX } from '../limits.ts';
import { toApiDestination } from './api-destination.ts';
import { toApiGateway } from './api-gateway.ts';
import { callAs, queueUrlOf } from './calls.ts';
import { type DeliverPayload, enqueuePublish } from './payloads.ts';

export interface Sending {
  readonly platform: Platform;
  readonly attempt: Attempt;
  readonly payload: DeliverPayload;
  /** The event's own text. */
  readonly event: string;
  /** What the target gets of it. */
  readonly input: string;
}

const SENDERS: Readonly<Record<TargetKind, (sending: Sending, arn: string) => Promise<void>>> = {
  lambda: toLambda,
  sqs: toSqs,
  sns: toSns,
  bus: toBus,
  logs: toLogs,
  'api-destination': toApiDestination,
  'api-gateway': toApiGateway,
  kinesis: toKinesis,
  states: toStateMachine,
};

/** Sends to the one target that the payload names. Rejects with the failure. */
export async function send(sending: Sending): Promise<void> {
  const arn = sending.payload.target.Arn ?? '';
  const kind = kindOf(arn);
  if (kind === undefined) throw notImplemented(`The target ${arn}`);
  await SENDERS[kind](sending, arn);
}

const scopeOf = (arn: string): Scope => {
  const { account = '', region = '' } = parseArn(arn) ?? {};
  return { account, region };
};

/** The function is asked whether it is there; then its invocation takes the delivery's place in one commit, so that neither is lost nor doubled. */
async function toLambda({ platform, attempt, input }: Sending, arn: string): Promise<void> {
  const ctx = callAs(platform, scopeOf(arn), attempt.trace);
  const Payload = Buffer.from(input, 'utf8');
  if (Payload.length > LAMBDA_INLINE_BYTES_MAX) {
    await ctx.call('lambda', 'Invoke', { FunctionName: arn, InvocationType: 'Event', Payload });
    return;
  }
  await ctx.call('lambda', 'Invoke', { FunctionName: arn, InvocationType: 'DryRun', Payload });
  const { account, region } = scopeOf(arn);
  const [name = '', qualifier] = (parseArn(arn)?.resource ?? '').slice('function:'.length).split(':');
  const requestId = platform.ids.uuid();
  await platform.store.transact({}, (tx) => {
    platform.bus.enqueue(tx, {
      target: 'lambda:invoke',
      account,
      region,
      // Recursive-loop detection does not look at event buses: a loop over one may be meant.
      trace: withoutLineage(attempt.trace),
      payload: { functionName: name, ...(qualifier === undefined ? {} : { qualifier }), requestId, event: input },
    });
    attempt.settle(tx);
  });
}

async function toSqs({ platform, attempt, payload, input }: Sending, arn: string): Promise<void> {
  const queue = queueUrlOf(arn);
  if (!queue) throw new DeliveryError({ code: 'INVALID_PARAMETER', message: `${arn} names no queue.`, retry: false });
  const { target, traceHeader } = payload;
  const group = target.SqsParameters?.MessageGroupId;
  await callAs(platform, queue, attempt.trace).call('sqs', 'SendMessage', {
    QueueUrl: queue.url,
    MessageBody: input,
    // FIFO queues must deduplicate by content: EventBridge gives no id.
    ...(group === undefined ? {} : { MessageGroupId: group }),
    ...(traceHeader === undefined ? {} : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }),
  });
}

async function toSns({ platform, attempt, input }: Sending, arn: string): Promise<void> {
  await callAs(platform, scopeOf(arn), attempt.trace).call('sns', 'Publish', { TopicArn: arn, Message: input });
}

/** The event keeps its time and account; in another region it gets an id of its own, as recorded. */
async function toBus({ platform, attempt, payload, event }: Sending, arn: string): Promise<void> {
  const bus = busOfArn(arn);
  const hops = (payload.hops ?? 0) + 1;
  if (!bus) throw new DeliveryError({ code: 'INVALID_PARAMETER', message: `${arn} names no event bus.`, retry: false });
  if (hops >= BUS_HOPS_MAX) throw new DeliveryError({ code: 'INVALID_PARAMETER', message: `The event has passed through ${hops} event buses.`, retry: false });
  const { traceHeader } = payload;
  const abroad = bus.region !== attempt.region;
  await platform.store.transact({}, (tx) => {
    enqueuePublish(platform, tx, bus, attempt.trace, {
      event: packText(abroad ? withId(event, attempt.id) : event),
      hops,
      ...(traceHeader === undefined ? {} : { traceHeader }),
    });
    attempt.settle(tx);
  });
}

/** The partition key is the event's id, or what a path finds in the event. */
async function toKinesis({ platform, attempt, payload, event, input }: Sending, arn: string): Promise<void> {
  const path = parsePath(payload.target.KinesisParameters?.PartitionKeyPath ?? '$.id') ?? [];
  const found = valueAt(JSON.parse(event), path);
  const StreamName = parseArn(arn)?.resource.slice('stream/'.length);
  const PartitionKey = typeof found === 'string' && found !== '' ? found : (JSON.stringify(found) ?? attempt.id);
  await callAs(platform, scopeOf(arn), attempt.trace).call('kinesis', 'PutRecord', { StreamName, PartitionKey, Data: Buffer.from(input, 'utf8') });
}

async function toStateMachine({ platform, attempt, input }: Sending, arn: string): Promise<void> {
  await callAs(platform, scopeOf(arn), attempt.trace).call('stepfunctions', 'StartExecution', { stateMachineArn: arn, input });
}

/** "Amazon CloudWatch Logs" as a target: one stream an event; a transformer may name time and message itself. */
async function toLogs({ platform, attempt, payload, input }: Sending, arn: string): Promise<void> {
  const logGroupName = /:log-group:([^:]+)/.exec(arn)?.[1] ?? '';
  const ctx = callAs(platform, scopeOf(arn), attempt.trace);
  const logStreamName = attempt.id;
  try {
    await ctx.call('logs', 'CreateLogStream', { logGroupName, logStreamName });
  } catch (error) {
    // A delivery that is tried again has made its stream already.
    if ((error as { code?: string }).code !== 'ResourceAlreadyExistsException') throw error;
  }
  const parsed = payload.target.InputTransformer === undefined ? undefined : parseIfJson(input);
  const given = isObject(parsed) && typeof parsed['message'] === 'string' ? parsed : undefined;
  const timestamp = Number(given?.['timestamp'] ?? platform.clock.virtual());
  await ctx.call('logs', 'PutLogEvents', {
    logGroupName,
    logStreamName,
    logEvents: [{ timestamp: Number.isFinite(timestamp) ? timestamp : platform.clock.virtual(), message: String(given?.['message'] ?? input) }],
  });
}
