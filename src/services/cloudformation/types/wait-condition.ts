import type { Properties, ResourceType } from '../../service.ts';
import { signalsOf } from '../domain/custom.ts';
import { type Json, sameJson, scalarText } from '../domain/json.ts';
import { WAIT_TIMEOUT_SECONDS_MAX } from '../limits.ts';
import { answerPlace } from '../store.ts';
import { answerUrl, closeAnswers, openAnswers, placeOfUrl, readAnswers, waitForAnswers } from './answers.ts';

/** "AWS::CloudFormation::WaitConditionHandle": `Ref` is the URL that signals are put to. */
export const waitConditionHandle: ResourceType = {
  type: 'AWS::CloudFormation::WaitConditionHandle',
  properties: [],
  replaceOn: [],
  async create(ctx, { token, stackId, logicalId }) {
    const opened = await openAnswers(ctx.platform, ctx, answerPlace(stackId, token), { stackId, logicalId });
    return { physicalId: answerUrl(ctx.platform, ctx, answerPlace(stackId, token), opened), attributes: {} };
  },
  update: async (_ctx, { physicalId }) => ({ physicalId, attributes: {} }),
  async delete(ctx, { physicalId }) {
    const place = placeOfUrl(physicalId);
    if (place !== undefined) await closeAnswers(ctx.platform, ctx, place);
  },
};

function wholeNumber(properties: Properties, name: string, fallback: number | undefined, max: number): number {
  const value = properties[name] === undefined ? fallback : Number(scalarText(properties[name] as Json));
  if (value === undefined) throw new Error(`Property ${name} is required`);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new Error(`Value of property ${name} must be an integer from 1 to ${max}`);
  return value;
}

/** "AWS::CloudFormation::WaitCondition": complete once its handle has been sent as many successes as asked for. */
export const waitCondition: ResourceType = {
  type: 'AWS::CloudFormation::WaitCondition',
  properties: ['Handle', 'Timeout', 'Count'],
  replaceOn: [],
  async create(ctx, { properties, token, stackId, logicalId, signal }) {
    const { platform } = ctx;
    const count = wholeNumber(properties, 'Count', 1, Number.MAX_SAFE_INTEGER);
    const timeoutMs = wholeNumber(properties, 'Timeout', undefined, WAIT_TIMEOUT_SECONDS_MAX) * 1000;
    const handle = placeOfUrl(String(properties['Handle'] ?? ''));
    const opened = handle === undefined ? undefined : await readAnswers(platform, ctx, handle);
    if (handle === undefined || opened?.stackId !== stackId) throw new Error('Value of property Handle must refer to a WaitConditionHandle of the stack');
    // The end of the wait outlives a restart.
    const { untilMs = 0 } = await openAnswers(platform, ctx, answerPlace(stackId, token), {
      stackId,
      logicalId,
      untilMs: platform.clock.virtual() + timeoutMs,
    });
    const answers = await waitForAnswers(platform, ctx, handle, {
      untilMs,
      signal,
      enough: ({ bodies }) => {
        const signals = [...signalsOf(bodies).values()];
        return signals.length >= count || signals.some(({ status }) => status !== 'SUCCESS');
      },
    });
    const signals = [...signalsOf(answers?.bodies ?? []).values()];
    const bad = signals.find(({ status }) => status !== 'SUCCESS');
    if (bad) throw new Error(`WaitCondition received failed message: '${bad.reason}' for uniqueId: ${bad.uniqueId}`);
    if (signals.length < count) throw new Error(`WaitCondition timed out. Received ${signals.length} conditions when expecting ${count}`);
    const data = JSON.stringify(Object.fromEntries(signals.map((each) => [each.uniqueId, each.data])));
    return { physicalId: `${stackId}/${opened.logicalId}`, attributes: { Data: data } };
  },
  async update(_ctx, { properties, previous, physicalId }) {
    if (!sameJson(properties, previous)) throw new Error('Update to resource type AWS::CloudFormation::WaitCondition is not supported.');
    return { physicalId, attributes: {} };
  },
  delete: async () => undefined,
  abandoned: async () => undefined,
};
