import type { Attempt, Outcome } from '../../bus/bus.ts';
import { parseArn } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import { formatTrace } from '../../kit/trace.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { ASYNC_AGE_MS_MAX, DESTINATION_INLINE_BYTES_MAX } from './limits.ts';
import { lambdaPrincipal } from './principal.ts';

/** A record on its way to a queue, topic, bus, bucket or function. */
export const DESTINATION = 'lambda:destination';

/** What is sent, before it is put into a delivery. */
export interface Dispatch {
  /** Of the queue, topic, bus, bucket or function. */
  readonly arn: string;
  /** JSON. */
  readonly body: string;
  /** The function (as its records name it) whose invocation this tells of. */
  readonly functionArn: string;
  /** `Success` or `Failure`: EventBridge's detail type. */
  readonly outcome?: 'Success' | 'Failure';
  /** Message attributes of dead letters. */
  readonly attributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue: string }>>;
  /** S3: the object's key. */
  readonly objectKey?: string;
}

type DispatchPayload = Omit<Dispatch, 'body'> & { readonly body?: string; readonly blobId?: string };

/** Puts what is large into a blob; the rest of {@link Dispatch} is then small enough for a delivery. */
export async function packed(platform: Platform, dispatch: Dispatch): Promise<DispatchPayload> {
  if (Buffer.byteLength(dispatch.body) <= DESTINATION_INLINE_BYTES_MAX) return dispatch;
  const { body, ...rest } = dispatch;
  const blob = await platform.blobs.write(
    (async function* () {
      yield Buffer.from(body);
    })(),
  );
  return { ...rest, blobId: blob.id };
}

/** Sends it after the commit, at least once. */
export function enqueueDispatch(ctx: Ctx, tx: Tx, payload: DispatchPayload): void {
  const { account, region, trace } = ctx;
  ctx.platform.bus.enqueue(tx, { target: DESTINATION, account, region, trace, payload });
}

/** Sends one; what its destination refuses is given up, and said so, as on AWS. */
export async function dispatchLater(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as DispatchPayload;
  const { account, region } = parseArn(payload.arn) ?? { account: '', region: '' };
  const ctx = platform.contextFor({
    account: account || attempt.account,
    region: region || attempt.region,
    principal: lambdaPrincipal(attempt.account),
    trace: attempt.trace,
    service: 'lambda',
  });
  const body = payload.blobId === undefined ? (payload.body ?? '') : (await platform.blobs.readAll(payload.blobId)).toString('utf8');
  try {
    await send(ctx, attempt, { ...payload, body });
  } catch (error) {
    const passing = !(error instanceof AwsError) || (error.status >= 500 && error.status !== 501) || error.status === 429;
    if (passing && platform.clock.virtual() < attempt.enqueuedMs + ASYNC_AGE_MS_MAX) throw error;
    ctx.meter(payload.attributes ? 'DeadLetterErrors' : 'DestinationDeliveryFailures', 1);
    platform.log.warn({ err: error, destination: payload.arn, function: payload.functionArn }, 'a record could not be sent to its destination and was dropped');
  }
  if (payload.blobId !== undefined) await platform.blobs.delete(payload.blobId);
  return { done: true };
}

async function send(ctx: Ctx, attempt: Attempt, { arn, body, functionArn, outcome, attributes, objectKey }: Dispatch): Promise<void> {
  const { service = '', account = '', resource = '' } = parseArn(arn) ?? {};
  switch (service) {
    case 'lambda':
      await ctx.call('lambda', 'Invoke', { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(body) });
      return;
    case 'sqs':
      await ctx.call('sqs', 'SendMessage', {
        QueueUrl: `http://sqs/${account}/${resource}`,
        MessageBody: body,
        ...(attributes ? { MessageAttributes: attributes } : {}),
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: formatTrace(attempt.trace) } },
        ...(resource.endsWith('.fifo') ? { MessageGroupId: functionArn.slice(-128), MessageDeduplicationId: attempt.id } : {}),
      });
      return;
    case 'sns':
      await ctx.call('sns', 'Publish', { TopicArn: arn, Message: body, ...(attributes ? { MessageAttributes: attributes } : {}) });
      return;
    case 'events':
      await putEvent(ctx, arn, functionArn, outcome ?? 'Failure', body);
      return;
    case 's3':
      await ctx.call('s3', 'PutObject', { Bucket: resource, Key: objectKey ?? attempt.id, Body: Buffer.from(body), ContentType: 'application/json' });
      return;
    default:
      throw new AwsError('InvalidParameterValueException', `${arn} is no destination`);
  }
}

async function putEvent(ctx: Ctx, arn: string, functionArn: string, outcome: 'Success' | 'Failure', body: string): Promise<void> {
  const Entries = [
    {
      EventBusName: arn,
      Source: 'lambda',
      DetailType: `Lambda Function Invocation Result - ${outcome}`,
      Detail: body,
      Resources: [arn, functionArn],
      TraceHeader: formatTrace(ctx.trace),
    },
  ];
  const answer = await ctx.call('events', 'PutEvents', { Entries });
  const [entry] = (answer['Entries'] ?? []) as { ErrorCode?: string; ErrorMessage?: string }[];
  if (entry?.ErrorCode) throw new AwsError(entry.ErrorCode, entry.ErrorMessage ?? entry.ErrorCode);
}
