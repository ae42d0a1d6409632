import { lookup as lookUp } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import type { Attempt, Outcome } from '../../bus/bus.ts';
import type { Platform } from '../service.ts';
import { type RetryPolicy, retryDelaySeconds } from './domain/delivery-policy.ts';
import { HTTP_ANSWER_BYTES_MAX, HTTP_RETRY_MS_MAX, HTTP_TIMEOUT_MS } from './limits.ts';
import { type QueueDelivery, toQueue } from './queues.ts';

/** A message for an HTTP or HTTPS endpoint. */
export const HTTP_TARGET = 'sns:http';

export interface HttpPayload {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly policy: RetryPolicy;
  /** Failed retries so far. */
  readonly retries: number;
  /** The queue for it when all fails. */
  readonly deadLetter?: QueueDelivery;
}

/** "Amazon SNS message delivery retries": what the server answers for is tried again, what is the request's own fault is not. */
export async function deliverHttp(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as HttpPayload;
  const failure = await post(payload, attempt);
  if (failure === undefined) return { done: true };
  const retry = payload.retries + 1;
  const delaySeconds = failure.permanent ? undefined : retryDelaySeconds(payload.policy, retry);
  if (delaySeconds !== undefined) {
    // Jitter spreads the retries of many endpoints that failed together.
    const atMs = platform.clock.virtual() + delaySeconds * 1000 * (1 + 0.1 * platform.ids.float());
    if (atMs <= attempt.enqueuedMs + HTTP_RETRY_MS_MAX) return { retry: { atMs, payload: { ...payload, retries: retry } } };
  }
  platform.log.warn({ url: redacted(payload.url), reason: failure.reason }, 'an SNS message could not be delivered');
  const { deadLetter } = payload;
  if (deadLetter) {
    await platform.store.transact({}, (tx) => {
      toQueue(platform.bus, tx, deadLetter, attempt.trace);
      attempt.settle(tx);
    });
  }
  return { done: true };
}

const redacted = (url: string): string => url.replace(/\/\/[^/@]*@/, '//');

/** Names that stand for this machine, and that no DNS need know. */
const OWN_NAMES = /(^|\.)(localhost|localhost\.localstack\.cloud)$/i;
const lookup: LookupFunction = (name, options, callback) => lookUp(OWN_NAMES.test(name) ? 'localhost' : name, options, callback);
const agent = new Agent({ connect: { lookup } });

interface Failure {
  readonly permanent: boolean;
  readonly reason: string;
}

async function post({ url, headers, body }: HttpPayload, { signal }: Attempt): Promise<Failure | undefined> {
  const target = new URL(url);
  const { username, password } = target;
  const authorization =
    username === '' ? {} : { authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}` };
  target.username = '';
  target.password = '';
  try {
    const answer = await request(target, {
      method: 'POST',
      dispatcher: agent,
      headers: {
        ...headers,
        ...authorization,
        'user-agent': 'Amazon Simple Notification Service Agent',
        'accept-encoding': 'gzip,deflate',
      },
      body,
      headersTimeout: HTTP_TIMEOUT_MS,
      bodyTimeout: HTTP_TIMEOUT_MS,
      signal: AbortSignal.any([signal, AbortSignal.timeout(HTTP_TIMEOUT_MS)]),
    });
    await answer.body.dump({ limit: HTTP_ANSWER_BYTES_MAX });
    const { statusCode } = answer;
    if (statusCode >= 200 && statusCode < 300) return undefined;
    return { permanent: statusCode >= 400 && statusCode < 500 && statusCode !== 429, reason: `status ${statusCode}` };
  } catch (error) {
    return { permanent: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
