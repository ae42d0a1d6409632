import { HTTP_RETRIES_MAX, HTTP_RETRY_MS_MAX } from '../limits.ts';
import { parseJson } from './json-source.ts';

/** "Creating an HTTP/S delivery policy". Delays in seconds. */
export interface RetryPolicy {
  readonly minDelayTarget: number;
  readonly maxDelayTarget: number;
  readonly numRetries: number;
  readonly numMaxDelayRetries: number;
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly backoffFunction: string;
}

export const DEFAULT_RETRY: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: 'linear',
};
export const DEFAULT_CONTENT_TYPE = 'text/plain; charset=UTF-8';

const BACKOFFS = new Set(['linear', 'arithmetic', 'geometric', 'exponential']);
const CONTENT_TYPES = new Set([
  'application/atom+xml',
  'application/json',
  'application/octet-stream',
  'application/soap+xml',
  'application/x-www-form-urlencoded',
  'application/xhtml+xml',
  'application/xml',
  'text/css',
  'text/csv',
  'text/html',
  'text/plain',
  'text/xml',
]);

type Policy = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Policy => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A policy of a topic, or of a subscription, that is refused for `reason`. */
export class DeliveryPolicyError extends Error {}
const fail = (reason: string): never => {
  throw new DeliveryPolicyError(reason);
};

function parse(text: string): Policy {
  const parsed = parseJson(text);
  if ('failure' in parsed) return fail(`failed to parse JSON. ${parsed.failure}`);
  return isObject(parsed.value) ? parsed.value : fail('failed to parse JSON.');
}

function known(policy: Policy, names: readonly string[], at: string): void {
  for (const name of Object.keys(policy)) if (!names.includes(name)) fail(`Unrecognized member [${at}${name}]`);
}

/** A topic's policy as it is kept: nothing that is null, and what is always there. Throws {@link DeliveryPolicyError}. */
export function topicPolicy(text: string): Policy | undefined {
  if (text === '') return undefined;
  const policy = parse(text);
  known(policy, ['http'], '');
  const http = policy['http'];
  if (http === null || http === undefined) return undefined;
  if (!isObject(http)) return fail('http must be an object');
  known(
    http,
    ['defaultHealthyRetryPolicy', 'defaultSicklyRetryPolicy', 'disableSubscriptionOverrides', 'defaultThrottlePolicy', 'defaultRequestPolicy'],
    'http.',
  );
  checkParts(http, { retry: 'defaultHealthyRetryPolicy', throttle: 'defaultThrottlePolicy', request: 'defaultRequestPolicy' }, 'http.');
  const kept = Object.entries(http).filter(([, value]) => value !== null);
  return { http: { disableSubscriptionOverrides: false, ...Object.fromEntries(kept) } };
}

/** A subscription's policy as it is kept; throws {@link DeliveryPolicyError}. */
export function subscriptionPolicy(text: string): Policy | undefined {
  if (text === '') return undefined;
  const policy = parse(text);
  known(policy, ['healthyRetryPolicy', 'sicklyRetryPolicy', 'throttlePolicy', 'requestPolicy', 'guaranteed'], '');
  checkParts(policy, { retry: 'healthyRetryPolicy', throttle: 'throttlePolicy', request: 'requestPolicy' }, '');
  const kept = Object.entries(policy).filter(([, value]) => value !== null);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function checkParts(policy: Policy, names: { retry: string; throttle: string; request: string }, at: string): void {
  const retry = policy[names.retry];
  if (isObject(retry)) checkRetry(retry, `${at}${names.retry}`);
  const throttle = policy[names.throttle];
  if (isObject(throttle)) {
    const rate = throttle['maxReceivesPerSecond'];
    if (rate !== null && rate !== undefined && !(typeof rate === 'number' && Number.isInteger(rate) && rate >= 1))
      fail(`${at}${names.throttle}.maxReceivesPerSecond must be greater than or equal to 1`);
  }
  const request = policy[names.request];
  if (isObject(request)) {
    const type = request['headerContentType'];
    if (type !== undefined && type !== null && !(typeof type === 'string' && CONTENT_TYPES.has(type.split(';')[0]?.trim().toLowerCase() ?? '')))
      fail(`${at}${names.request}.headerContentType: ${String(type)} is not a supported content type`);
  }
}

function checkRetry(retry: Policy, at: string): void {
  known(retry, Object.keys(DEFAULT_RETRY), `${at}.`);
  for (const [name, value] of Object.entries(retry)) {
    if (name === 'backoffFunction') {
      if (typeof value !== 'string' || !BACKOFFS.has(value)) fail(`${at}.backoffFunction must be one of linear, arithmetic, geometric or exponential`);
    } else if (value !== null && !(typeof value === 'number' && Number.isInteger(value) && value >= 0)) fail(`${at}.${name} must be a non-negative integer`);
  }
  const { minDelayTarget, maxDelayTarget, numRetries, numMaxDelayRetries, numNoDelayRetries, numMinDelayRetries } = merged(retry);
  if (minDelayTarget < 1) fail(`${at}.minDelayTarget must be greater than or equal to 1`);
  if (maxDelayTarget * 1000 > HTTP_RETRY_MS_MAX) fail(`${at}.maxDelayTarget must be less than or equal to 3600`);
  if (minDelayTarget > maxDelayTarget) fail(`${at}.minDelayTarget must be less than or equal to maxDelayTarget`);
  if (numRetries > HTTP_RETRIES_MAX) fail(`${at}.numRetries must be less than or equal to ${HTTP_RETRIES_MAX}`);
  if (numMaxDelayRetries + numNoDelayRetries + numMinDelayRetries > numRetries)
    fail(`${at}.numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries`);
}

/** Members that are absent or null take AWS's default. */
const merged = (given: Policy | undefined): RetryPolicy => ({
  ...DEFAULT_RETRY,
  ...Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null)),
});

/** What applies where a topic has this policy: GetTopicAttributes' `EffectiveDeliveryPolicy`. */
export function effectiveTopicPolicy(policy: Policy | undefined) {
  const http = isObject(policy?.['http']) ? policy['http'] : {};
  const retry = isObject(http['defaultHealthyRetryPolicy']) ? http['defaultHealthyRetryPolicy'] : undefined;
  const throttle = http['defaultThrottlePolicy'];
  const request = isObject(http['defaultRequestPolicy']) ? http['defaultRequestPolicy'] : {};
  return {
    http: {
      defaultHealthyRetryPolicy: merged(retry),
      disableSubscriptionOverrides: http['disableSubscriptionOverrides'] === true,
      ...(isObject(throttle) ? { defaultThrottlePolicy: throttle } : {}),
      defaultRequestPolicy: { headerContentType: DEFAULT_CONTENT_TYPE, ...request },
    },
  };
}

/** What applies to a subscription: its own policy over its topic's, unless the topic forbids that. */
export function effectiveSubscriptionPolicy(own: Policy | undefined, topic: Policy | undefined) {
  const { http } = effectiveTopicPolicy(topic);
  const mine: Policy = http.disableSubscriptionOverrides ? {} : (own ?? {});
  const [retry, throttle, request] = [mine['healthyRetryPolicy'], mine['throttlePolicy'], mine['requestPolicy']];
  return {
    healthyRetryPolicy: isObject(retry) ? merged(retry) : http.defaultHealthyRetryPolicy,
    sicklyRetryPolicy: null,
    throttlePolicy: isObject(throttle) ? throttle : (http.defaultThrottlePolicy ?? null),
    requestPolicy: { ...http.defaultRequestPolicy, ...(isObject(request) ? request : {}) },
    guaranteed: mine['guaranteed'] === true,
  };
}

/** Seconds to wait before retry `n` (from 1); undefined where there is none any more. "Delivery policy stages". */
export function retryDelaySeconds(policy: RetryPolicy, n: number): number | undefined {
  const { minDelayTarget: min, maxDelayTarget: max, numRetries, numMaxDelayRetries, numNoDelayRetries, numMinDelayRetries } = policy;
  if (n > numRetries) return undefined;
  if (n <= numNoDelayRetries) return 0;
  if (n <= numNoDelayRetries + numMinDelayRetries) return min;
  if (n > numRetries - numMaxDelayRetries) return max;
  const steps = numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries;
  const step = n - numNoDelayRetries - numMinDelayRetries;
  if (steps <= 1) return min;
  const part = (step - 1) / (steps - 1);
  switch (policy.backoffFunction) {
    case 'exponential':
      return min * (max / min) ** part;
    case 'geometric':
      return Math.min(max, min * 2 ** (step - 1));
    case 'arithmetic':
      return min + ((max - min) * step * (step - 1)) / (steps * (steps - 1));
    default:
      return min + (max - min) * part;
  }
}
