import type { Attempt, Outcome } from '../../../bus/bus.ts';
import type { Platform } from '../../service.ts';
import { unpackText } from '../domain/event.ts';
import { DeliveryError, type Failure, failureOf } from '../domain/failures.ts';
import { InvalidInput, inputOf } from '../domain/input.ts';
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, EVENT_AGE_SECONDS_DEFAULT, RETRY_ATTEMPTS_DEFAULT } from '../limits.ts';
import { callAs, queueUrlOf } from './calls.ts';
import type { DeliverPayload } from './payloads.ts';
import { type Sending, send } from './send.ts';

type Exhausted = 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';

/** Sends an event to a target: again after failures that may pass, by the target's RetryPolicy; then to its dead-letter queue, or nowhere. */
export async function deliver(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as DeliverPayload;
  const event = unpackText(payload.event);
  try {
    await send({ platform, attempt, payload, event, input: inputFor(payload, event) });
    return { done: true };
  } catch (error) {
    const failure = failureOf(error);
    const again = retryAt(platform, attempt, payload, failure);
    if (typeof again === 'number') return { retry: { atMs: again } };
    await deadLetter({ platform, attempt, payload, event, input: '' }, failure, again);
    return { done: true };
  }
}

function inputFor({ target, ruleArn, ruleName, ingestedMs }: DeliverPayload, event: string): string {
  try {
    return inputOf(target, event, { ruleArn, ruleName, ingestedMs });
  } catch (error) {
    if (error instanceof InvalidInput) throw new DeliveryError({ code: 'INVALID_JSON', message: error.message, retry: false });
    throw error;
  }
}

/** When a failed delivery is tried again, or which limit ends it; undefined where trying again is of no use. "How EventBridge retries delivering events". */
function retryAt({ clock, ids }: Platform, attempt: Attempt, { target, ingestedMs }: DeliverPayload, failure: Failure): number | Exhausted | undefined {
  if (!failure.retry) return undefined;
  const { MaximumRetryAttempts = RETRY_ATTEMPTS_DEFAULT, MaximumEventAgeInSeconds = EVENT_AGE_SECONDS_DEFAULT } = target.RetryPolicy ?? {};
  const retries = attempt.attempt - 1;
  if (retries >= MaximumRetryAttempts) return 'MaximumRetryAttempts';
  const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(retries, 20)) * (0.75 + ids.float() / 2);
  const atMs = clock.virtual() + Math.max(failure.afterMs ?? 0, backoffMs);
  return atMs > ingestedMs + MaximumEventAgeInSeconds * 1000 ? 'MaximumEventAgeInSeconds' : atMs;
}

/** The event itself, with what became of it as message attributes. A dead-letter queue that cannot be written to loses it, as on AWS. */
async function deadLetter({ platform, attempt, payload, event }: Sending, failure: Failure, exhausted: Exhausted | undefined): Promise<void> {
  const { target, ruleArn, traceHeader } = payload;
  const fields = { account: attempt.account, rule: ruleArn, target: target.Arn, code: failure.code, reason: failure.message };
  const queueArn = target.DeadLetterConfig?.Arn;
  const queue = queueArn === undefined ? undefined : queueUrlOf(queueArn);
  if (!queue) {
    platform.log.warn(fields, 'an event could not be delivered and was dropped: its target has no dead-letter queue');
    return;
  }
  const attributes = {
    RULE_ARN: ruleArn,
    TARGET_ARN: target.Arn ?? '',
    ERROR_CODE: failure.code,
    ERROR_MESSAGE: failure.message || failure.code,
    ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
    RETRY_ATTEMPTS: String(attempt.attempt - 1),
  };
  try {
    await callAs(platform, queue, attempt.trace).call('sqs', 'SendMessage', {
      QueueUrl: queue.url,
      MessageBody: event,
      MessageAttributes: Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])),
      ...(traceHeader === undefined ? {} : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }),
    });
  } catch (error) {
    failureOf(error);
    platform.log.warn(
      { ...fields, err: error, queue: queueArn },
      'an event could not be delivered and was dropped: its dead-letter queue cannot be written to',
    );
  }
}
