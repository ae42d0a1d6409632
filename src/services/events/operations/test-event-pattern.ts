import type { TestEventPatternRequest, TestEventPatternResponse } from '@aws-sdk/client-eventbridge';
import type { Operation } from '../../service.ts';
import { isObject } from '../domain/json.ts';
import { checkPattern, matcherOf } from '../domain/patterns.ts';
import { validation } from '../errors.ts';

const REQUIRED = ['id', 'account', 'source', 'time', 'region', 'detail-type'] as const;

/** "TestEventPattern": the event must have what every event has. */
export const testEventPattern: Operation<TestEventPatternRequest, TestEventPatternResponse> = async (_ctx, input) => {
  const pattern = input.EventPattern ?? '';
  let event: unknown;
  try {
    event = JSON.parse(input.Event ?? '');
  } catch {
    throw validation('Parameter Event is not valid.');
  }
  if (!isObject(event)) throw validation('Parameter Event is not valid.');
  checkPattern(pattern);
  if (REQUIRED.some((name) => event[name] === undefined)) throw validation('Parameter Event is not valid.');
  return { Result: matcherOf(pattern)(event) };
};
