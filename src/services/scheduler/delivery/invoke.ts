import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import { withoutLineage } from '../../../kit/trace.ts';
import type { Ctx, Platform } from '../../service.ts';
import { isoTime, type Run } from '../domain/input.ts';
import { type Scope, scheduleArn } from '../domain/names.ts';
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, EVENT_AGE_SECONDS_DEFAULT, LAMBDA_INLINE_BYTES_MAX, RETRY_ATTEMPTS_DEFAULT } from '../limits.ts';
import { invocationsOf } from '../usage.ts';
import type { InvokePayload } from './payloads.ts';
import { type Request, requestOf } from './request.ts';

type Exhausted = 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';

/** Scheduler acting by itself in an account. */
function contextOf(platform: Platform, { account, region }: Scope, attempt: Attempt): Ctx {
  return platform.contextFor({
    account,
    region,
    trace: attempt.trace,
    service: 'scheduler',
    principal: { account, accessKeyId: '', arn: 'scheduler.amazonaws.com', userId: 'scheduler.amazonaws.com', type: 'service' },
  });
}

/** Calls a schedule's target: again after failures that may pass, by its RetryPolicy; then tells its dead-letter queue, or nobody. */
export async function invoke(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as InvokePayload;
  const { account, region } = attempt;
  const run: Run = {
    account,
    region,
    group: payload.group,
    name: payload.name,
    scheduledMs: payload.scheduledMs,
    executionId: payload.executionId,
    attempt: attempt.attempt,
  };
  let request: Request | undefined;
  try {
    request = await requestOf(payload.target, run);
    await send(platform, attempt, request);
    return { done: true };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const again = retryAt(platform, attempt, payload, error);
    if (typeof again === 'number') return { retry: { atMs: again } };
    await deadLetter(platform, attempt, run, payload, request, error, again);
    return { done: true };
  }
}

async function send(platform: Platform, attempt: Attempt, request: Request): Promise<void> {
  const ctx = contextOf(platform, request.scope, attempt);
  ctx.meter('Invocations', invocationsOf(Buffer.byteLength(request.shown)));
  const event = request.event === undefined ? undefined : Buffer.from(request.event, 'utf8');
  if (event === undefined || event.length > LAMBDA_INLINE_BYTES_MAX) {
    checkEntries(await ctx.call(request.service, request.operation, request.input));
    return;
  }
  // The function is asked whether it is there; then its invocation takes this delivery's place in one commit.
  const arn = String(request.input['FunctionName']);
  await ctx.call('lambda', 'Invoke', { FunctionName: arn, InvocationType: 'DryRun', Payload: event });
  const [name = '', qualifier] = (parseArn(arn)?.resource ?? '').slice('function:'.length).split(':');
  const requestId = platform.ids.uuid();
  await platform.store.transact({}, (tx) => {
    platform.bus.enqueue(tx, {
      target: 'lambda:invoke',
      ...request.scope,
      // Whoever made the schedule is not in a loop with what it runs.
      trace: withoutLineage(attempt.trace),
      payload: { functionName: name, ...(qualifier === undefined ? {} : { qualifier }), requestId, event: request.event },
    });
    attempt.settle(tx);
  });
}

/** PutEvents succeeds though its only entry fails. */
function checkEntries(output: Record<string, unknown>): void {
  if (!output['FailedEntryCount'] || !Array.isArray(output['Entries'])) return;
  const [failed] = (output['Entries'] as { ErrorCode?: string; ErrorMessage?: string }[]).filter(({ ErrorCode }) => ErrorCode !== undefined);
  if (failed) throw new AwsError(failed.ErrorCode ?? 'ValidationException', failed.ErrorMessage ?? '');
}

const PASSING = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable|ResourceConflict/;

/** When a failed run is tried again, or which limit ends it; undefined where trying again is of no use. */
function retryAt({ clock, ids }: Platform, attempt: Attempt, { target, scheduledMs }: InvokePayload, error: AwsError): number | Exhausted | undefined {
  if (!PASSING.test(error.code) && (error.status < 500 || error.status === 501)) return undefined;
  const { MaximumRetryAttempts = RETRY_ATTEMPTS_DEFAULT, MaximumEventAgeInSeconds = EVENT_AGE_SECONDS_DEFAULT } = target.RetryPolicy ?? {};
  const retries = attempt.attempt - 1;
  if (retries >= MaximumRetryAttempts) return 'MaximumRetryAttempts';
  const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(retries, 20)) * (0.75 + ids.float() / 2);
  const atMs = clock.virtual() + backoffMs;
  return atMs > Math.max(scheduledMs, attempt.enqueuedMs) + MaximumEventAgeInSeconds * 1000 ? 'MaximumEventAgeInSeconds' : atMs;
}

/** Error codes as the query protocol has them, which is what dead letters state. */
const QUERY_CODES: Readonly<Record<string, string>> = { QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue' };

/** "Configuring a schedule's dead-letter queue": the request as the body, what became of it as message attributes. */
async function deadLetter(
  platform: Platform,
  attempt: Attempt,
  run: Run,
  { target }: InvokePayload,
  request: Request | undefined,
  error: AwsError,
  exhausted: Exhausted | undefined,
): Promise<void> {
  const fields = { schedule: scheduleArn(run, run.group, run.name), target: target.Arn, code: error.code, reason: error.message };
  const queue = parseArn(target.DeadLetterConfig?.Arn ?? '');
  if (queue?.service !== 'sqs') {
    platform.log.warn(fields, 'a schedule could not invoke its target: it has no dead-letter queue');
    return;
  }
  const attributes = {
    ERROR_CODE: QUERY_CODES[error.code] ?? error.code,
    ERROR_MESSAGE: error.message || error.code,
    EXECUTION_ID: run.executionId,
    ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
    IS_PAYLOAD_TRUNCATED: 'false',
    RETRY_ATTEMPTS: String(attempt.attempt - 1),
    SCHEDULED_TIME: isoTime(run.scheduledMs),
    SCHEDULE_ARN: fields.schedule,
    TARGET_ARN: target.Arn ?? '',
  };
  const { account, region, resource } = queue;
  try {
    await contextOf(platform, { account, region }, attempt).call('sqs', 'SendMessage', {
      QueueUrl: `https://sqs.${region}.amazonaws.com/${account}/${resource}`,
      MessageBody: request?.shown || target.Input || '{}',
      MessageAttributes: Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])),
    });
  } catch (failed) {
    if (!(failed instanceof AwsError)) throw failed;
    platform.log.warn({ ...fields, err: failed }, 'a schedule could not invoke its target: its dead-letter queue cannot be written to');
  }
}
