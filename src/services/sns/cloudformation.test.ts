import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, fakePlatform } from '../../../test/fake-platform.ts';
import type { Properties, ResourceRequest, ResourceType } from '../service.ts';
import { createSnsRoom } from './index.ts';

type Fake = Awaited<ReturnType<typeof fakePlatform>>;
let fake: Fake;
let types: Map<string, ResourceType>;

const request = (properties: Properties, token = 'token-1'): ResourceRequest => ({
  properties,
  logicalId: 'Topic',
  stackId: 'stack-id',
  stackName: 'stack',
  generatedName: () => `stack-Topic-${token}`,
  token,
  tags: { team: 'a' },
});
const type = (name: string): ResourceType => {
  const found = types.get(`AWS::SNS::${name}`);
  if (!found) throw new Error(`no type ${name}`);
  return found;
};
const call = (operation: string, input: object) => fake.ctx.call('sns', operation, { ...input });
const attributesOf = async (TopicArn: string) => ((await call('GetTopicAttributes', { TopicArn })) as { Attributes: Record<string, string> }).Attributes;
const endpointsOf = async (TopicArn: string) =>
  ((await call('ListSubscriptionsByTopic', { TopicArn })) as { Subscriptions: { Endpoint: string }[] }).Subscriptions.map(({ Endpoint }) => Endpoint).sort();
const ARN = 'arn:aws:sns:us-east-1:000000000000';
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:queue';

beforeEach(async () => {
  const room = createSnsRoom();
  fake = await fakePlatform([room]);
  types = new Map((room.resources ?? []).map((one) => [one.type, one]));
});

describe('AWS::SNS::Topic', () => {
  it('is made once, however often the creation is tried, and never taken over', async () => {
    const properties = { TopicName: 'named', DisplayName: 'shown', Tags: [{ Key: 'own', Value: '1' }], Subscription: [{ Protocol: 'sqs', Endpoint: QUEUE }] };
    const made = await type('Topic').create(fake.ctx, request(properties));
    expect(made).toEqual({ physicalId: `${ARN}:named`, attributes: { DisplayName: 'shown', TopicArn: `${ARN}:named`, TopicName: 'named' } });
    expect(await type('Topic').create(fake.ctx, request(properties))).toEqual(made);
    expect((await errorOf(type('Topic').create(fake.ctx, request(properties, 'other')))).code).toBe('AlreadyExists');
    expect(await endpointsOf(made.physicalId)).toEqual([QUEUE]);
    expect(await call('ListTagsForResource', { ResourceArn: made.physicalId })).toEqual({
      Tags: [
        { Key: 'team', Value: 'a' },
        { Key: 'own', Value: '1' },
      ],
    });
  });

  it('changes in place, with the subscriptions written in it, and goes', async () => {
    const before: Properties = {
      FifoTopic: true,
      ContentBasedDeduplication: true,
      DisplayName: 'x',
      Subscription: [{ Protocol: 'sqs', Endpoint: `${QUEUE}.fifo` }],
    };
    const { physicalId } = await type('Topic').create(fake.ctx, request(before));
    expect(physicalId).toBe(`${ARN}:stack-Topic-token-1.fifo`);
    const after: Properties = { FifoTopic: true, DisplayName: 'y', Subscription: [{ Protocol: 'sqs', Endpoint: QUEUE }] };
    await type('Topic').update(fake.ctx, { ...request(after), physicalId, previous: before });
    expect(await attributesOf(physicalId)).toMatchObject({ DisplayName: 'y', ContentBasedDeduplication: 'false' });
    expect(await endpointsOf(physicalId)).toEqual([QUEUE]);
    const gone = { physicalId, properties: after, stackId: 'stack-id', logicalId: 'Topic' };
    await type('Topic').delete(fake.ctx, gone);
    await type('Topic').delete(fake.ctx, gone);
    expect((await errorOf(call('GetTopicAttributes', { TopicArn: physicalId }))).code).toBe('NotFound');
  });
});

it('subscriptions change their attributes in place', async () => {
  const { physicalId: TopicArn } = await type('Topic').create(fake.ctx, request({ TopicName: 't' }));
  const base = { TopicArn, Protocol: 'sqs', Endpoint: QUEUE };
  const before: Properties = { ...base, FilterPolicyScope: 'MessageBody', FilterPolicy: { a: { b: ['x'] } }, RawMessageDelivery: true };
  const made = await type('Subscription').create(fake.ctx, request(before));
  expect(made.attributes['Arn']).toBe(made.physicalId);
  const read = async () =>
    ((await call('GetSubscriptionAttributes', { SubscriptionArn: made.physicalId })) as { Attributes: Record<string, string> }).Attributes;
  expect(await read()).toMatchObject({ RawMessageDelivery: 'true', FilterPolicy: '{"a":{"b":["x"]}}', FilterPolicyScope: 'MessageBody' });
  const after: Properties = { ...base, FilterPolicy: { a: ['x'] } };
  await type('Subscription').update(fake.ctx, { ...request(after), physicalId: made.physicalId, previous: before });
  expect(await read()).toMatchObject({ RawMessageDelivery: 'false', FilterPolicy: '{"a":["x"]}', FilterPolicyScope: 'MessageAttributes' });
  await type('Subscription').delete(fake.ctx, { physicalId: made.physicalId, properties: after, stackId: 's', logicalId: 'l' });
  expect(await endpointsOf(TopicArn)).toEqual([]);
});

it('policies are set, and give way to the default one when they go', async () => {
  const { physicalId: TopicArn } = await type('Topic').create(fake.ctx, request({ TopicName: 't' }));
  const own = (await attributesOf(TopicArn))['Policy'];
  const properties = { Topics: [TopicArn], PolicyDocument: { Version: '2012-10-17', Statement: [] } };
  const made = await type('TopicPolicy').create(fake.ctx, request(properties));
  expect((await attributesOf(TopicArn))['Policy']).toBe('{"Version":"2012-10-17","Statement":[]}');
  await type('TopicPolicy').delete(fake.ctx, { physicalId: made.physicalId, properties, stackId: 's', logicalId: 'l' });
  expect((await attributesOf(TopicArn))['Policy']).toBe(own);
});
