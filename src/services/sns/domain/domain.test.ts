import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY, effectiveSubscriptionPolicy, retryDelaySeconds, subscriptionPolicy, topicPolicy } from './delivery-policy.ts';
import { parseJson } from './json-source.ts';

describe('delivery policies', () => {
  it('default to three retries, twenty seconds apart', () => {
    expect([1, 2, 3, 4].map((n) => retryDelaySeconds(DEFAULT_RETRY, n))).toEqual([20, 20, 20, undefined]);
  });

  it('go through their four phases', () => {
    const policy = {
      ...DEFAULT_RETRY,
      minDelayTarget: 1,
      maxDelayTarget: 60,
      numRetries: 10,
      numNoDelayRetries: 1,
      numMinDelayRetries: 2,
      numMaxDelayRetries: 3,
    };
    const delays = (backoffFunction: string) =>
      Array.from({ length: 11 }, (_, i) => retryDelaySeconds({ ...policy, backoffFunction }, i + 1)).map((s) => s && Math.round(s));
    expect(delays('linear')).toEqual([0, 1, 1, 1, 21, 40, 60, 60, 60, 60, undefined]);
    expect(delays('geometric')).toEqual([0, 1, 1, 1, 2, 4, 8, 60, 60, 60, undefined]);
    expect(delays('exponential')).toEqual([0, 1, 1, 1, 4, 15, 60, 60, 60, 60, undefined]);
  });

  it("let a subscription's own override the topic's, unless that is forbidden", () => {
    const own = subscriptionPolicy('{"healthyRetryPolicy":{"numRetries":1},"requestPolicy":{"headerContentType":"application/json"}}');
    const topic = topicPolicy('{"http":{"defaultHealthyRetryPolicy":{"numRetries":9}}}');
    expect(effectiveSubscriptionPolicy(own, topic)).toMatchObject({
      healthyRetryPolicy: { numRetries: 1 },
      requestPolicy: { headerContentType: 'application/json' },
    });
    const strict = topicPolicy('{"http":{"defaultHealthyRetryPolicy":{"numRetries":9},"disableSubscriptionOverrides":true}}');
    expect(effectiveSubscriptionPolicy(own, strict).healthyRetryPolicy.numRetries).toBe(9);
  });

  it.each([
    ['{"http":{"x":1}}', 'Unrecognized member [http.x]'],
    ['{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}', 'http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100'],
    [
      '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":30}}}',
      'http.defaultHealthyRetryPolicy.minDelayTarget must be less than or equal to maxDelayTarget',
    ],
  ])('refuse %s', (text, message) => {
    expect(() => topicPolicy(text)).toThrow(message);
  });
});

it.each([
  ['{invalid}', "Unexpected character ('i' (code 105)): was expecting double-quote to start field name", 2],
  ['invalid-json', "Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 8],
])('complains about %s as AWS does', (text, message, column) => {
  expect(parseJson(text)).toEqual({
    failure: `${message}\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`,
  });
});

it('bears JSON of any depth', () => {
  expect(parseJson('['.repeat(100_000))).toHaveProperty('failure');
});
