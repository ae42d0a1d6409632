import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, fakePlatform } from '../../../test/fake-platform.ts';
import type { Properties, ResourceRequest, ResourceType } from '../service.ts';
import { createSqsRoom } from './index.ts';

type Fake = Awaited<ReturnType<typeof fakePlatform>>;
let fake: Fake;
let types: Map<string, ResourceType>;

const request = (properties: Properties, token = 'token-1'): ResourceRequest => ({
  properties,
  logicalId: 'Queue',
  stackId: 'stack-id',
  stackName: 'stack',
  generatedName: () => `stack-Queue-${token}`,
  token,
  tags: { team: 'a' },
});
const type = (name: string): ResourceType => {
  const found = types.get(`AWS::SQS::${name}`);
  if (!found) throw new Error(`no type ${name}`);
  return found;
};
const call = (operation: string, input: object) => fake.ctx.call('sqs', operation, { ...input });
const attributesOf = async (QueueUrl: string) =>
  ((await call('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })) as { Attributes: Record<string, string> }).Attributes;

beforeEach(async () => {
  const room = createSqsRoom();
  fake = await fakePlatform([room]);
  types = new Map((room.resources ?? []).map((one) => [one.type, one]));
});

describe('AWS::SQS::Queue', () => {
  const properties: Properties = { VisibilityTimeout: 60, Tags: [{ Key: 'own', Value: '1' }] };

  it('is made once, however often the creation is tried, and never taken over', async () => {
    const made = await type('Queue').create(fake.ctx, request({ ...properties, QueueName: 'named' }));
    expect(made).toEqual({
      physicalId: 'http://localhost:4566/000000000000/named',
      attributes: { Arn: 'arn:aws:sqs:us-east-1:000000000000:named', QueueName: 'named', QueueUrl: 'http://localhost:4566/000000000000/named' },
    });
    expect(await type('Queue').create(fake.ctx, request({ ...properties, QueueName: 'named' }))).toEqual(made);
    expect((await errorOf(type('Queue').create(fake.ctx, request({ ...properties, QueueName: 'named' }, 'other')))).code).toBe('AlreadyExists');
    expect(await call('ListQueueTags', { QueueUrl: made.physicalId })).toEqual({ Tags: { team: 'a', own: '1' } });
  });

  it('changes in place, goes back to defaults, and leaves its name free', async () => {
    const dead = await type('Queue').create(fake.ctx, request({ FifoQueue: 'true' }, 'dead'));
    expect(dead.attributes['QueueName']).toBe('stack-Queue-dead.fifo');
    const before: Properties = {
      FifoQueue: true,
      DelaySeconds: '5',
      RedrivePolicy: { deadLetterTargetArn: dead.attributes['Arn'], maxReceiveCount: 3 },
    };
    const { physicalId } = await type('Queue').create(fake.ctx, request(before));
    expect(JSON.parse((await attributesOf(physicalId))['RedrivePolicy'] ?? '')).toMatchObject({ maxReceiveCount: 3 });
    const after: Properties = { FifoQueue: true, ContentBasedDeduplication: 'true' };
    await type('Queue').update(fake.ctx, { ...request(after), physicalId, previous: before });
    expect(await attributesOf(physicalId)).toMatchObject({ DelaySeconds: '0', ContentBasedDeduplication: 'true' });
    expect(await attributesOf(physicalId)).not.toHaveProperty('RedrivePolicy');
    const gone = { physicalId, properties: after, stackId: 'stack-id', logicalId: 'Queue' };
    await type('Queue').delete(fake.ctx, gone);
    await type('Queue').delete(fake.ctx, gone);
    expect((await type('Queue').create(fake.ctx, request(after))).physicalId).toBe(physicalId);
  });
});

describe('policies', () => {
  it('are set on their queues and taken away', async () => {
    const urls = await Promise.all(['a', 'b'].map(async (QueueName) => String((await call('CreateQueue', { QueueName }))['QueueUrl'])));
    const [a = '', b = ''] = urls;
    const PolicyDocument = { Version: '2012-10-17', Statement: [] };
    const both: Properties = { Queues: urls, PolicyDocument };
    const { physicalId } = await type('QueuePolicy').create(fake.ctx, request(both));
    expect(await attributesOf(b)).toMatchObject({ Policy: JSON.stringify(PolicyDocument) });
    await type('QueuePolicy').update(fake.ctx, { ...request({ Queues: [a], PolicyDocument }), physicalId, previous: both });
    expect(await attributesOf(b)).not.toHaveProperty('Policy');
    await type('QueuePolicy').delete(fake.ctx, { physicalId, properties: { Queues: [a] }, stackId: 's', logicalId: 'l' });
    expect(await attributesOf(a)).not.toHaveProperty('Policy');
    const inline = await type('QueueInlinePolicy').create(fake.ctx, request({ Queue: b, PolicyDocument }));
    expect(inline.physicalId).toBe(b);
    expect(await attributesOf(b)).toHaveProperty('Policy');
  });
});
