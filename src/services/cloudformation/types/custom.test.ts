import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../kit/clock.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { EndpointRequest, Service } from '../../service.ts';
import { createCloudFormationRoom } from '../index.ts';
import { type Bench, type FakeType, fakeType, newStore, openBench } from '../testkit.ts';
import { answerEndpoint } from './answers.ts';
import { waitCondition, waitConditionHandle } from './wait-condition.ts';

interface Request {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Record<string, unknown>;
  readonly OldResourceProperties?: Record<string, unknown>;
}

let bench: Bench;
let fake: FakeType;
let asked: Request[];
const clock = systemClock();

/** Puts to a response URL, as the gateway would hand it over. */
async function put(url: string, body: unknown): Promise<number> {
  const { pathname, search } = new URL(url);
  const id = pathname.split('/').at(-1) ?? '';
  const request = { method: 'PUT', id, query: search.slice(1), body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
  return (await answerEndpoint(bench.ctx, request as unknown as EndpointRequest)).status;
}

/** The function: its reply to each request, or undefined to stay silent. */
type Reply = (request: Request) => Record<string, unknown> | undefined;

async function open(reply: Reply): Promise<void> {
  fake = fakeType('AWS::Fake::Thing');
  asked = [];
  const lambda: Service = {
    name: 'lambda',
    operations: {
      Invoke: {
        run: async (_ctx, { Payload }: { Payload: Uint8Array }) => {
          const request = decodeJson<Request>(Payload);
          asked.push(request);
          const { StackId, RequestId, LogicalResourceId } = request;
          const answer = reply(request);
          if (answer) setImmediate(() => void put(request.ResponseURL, { StackId, RequestId, LogicalResourceId, ...answer }));
          return { StatusCode: 202 };
        },
      },
    },
  };
  const types = new Map([fake, waitCondition, waitConditionHandle].map((type) => [type.type, type]));
  bench = await openBench([lambda, createCloudFormationRoom({ resourceTypes: () => types })], newStore(), clock);
}

afterEach(() => bench.stop());

const cfn = (operation: string, input: Record<string, unknown> = {}) => bench.call('cloudformation', operation, input);
const TOKEN = 'arn:aws:lambda:us-east-1:000000000000:function:maker';
const custom = (properties: Record<string, unknown> = {}) => ({ Type: 'Custom::Maker', Properties: { ServiceToken: TOKEN, ...properties } });
const reader = (attribute: string) => ({ Type: 'AWS::Fake::Thing', Properties: { Name: 'reader', Value: { 'Fn::GetAtt': ['C', attribute] } } });

async function events(): Promise<string[]> {
  const { StackEvents } = (await cfn('DescribeStackEvents', { StackName: 's' })) as {
    StackEvents: { LogicalResourceId: string; ResourceStatus: string; ResourceStatusReason?: string }[];
  };
  return StackEvents.reverse().map((event) => [event.LogicalResourceId, event.ResourceStatus, event.ResourceStatusReason].filter(Boolean).join(' '));
}

async function deploy(operation: 'CreateStack' | 'UpdateStack', Resources: Record<string, unknown>, Parameters?: Record<string, unknown>): Promise<void> {
  await cfn(operation, { StackName: 's', TemplateBody: JSON.stringify({ Resources, ...(Parameters ? { Parameters } : {}) }) });
  await bench.quiet();
}

/** Lets virtual time pass while an operation waits for it. */
async function pass(seconds: number, until: () => boolean): Promise<void> {
  while (!until()) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(seconds * 1000);
  await bench.quiet();
}

describe('a custom resource', () => {
  it('is made by its function, and gives what that answers', async () => {
    await open(({ RequestType }) => ({
      Status: 'SUCCESS',
      ...(RequestType === 'Create' ? { PhysicalResourceId: 'made-1', Data: { Colour: 'red', Deep: { er: 1 } } } : {}),
    }));
    await deploy('CreateStack', { C: custom({ Count: 1, Flags: [true, 'x'] }), R: reader('Colour') });
    expect(asked[0]).toMatchObject({
      RequestType: 'Create',
      ServiceToken: TOKEN,
      ResourceType: 'Custom::Maker',
      LogicalResourceId: 'C',
      ResourceProperties: { ServiceToken: TOKEN, Count: '1', Flags: ['true', 'x'] },
    });
    expect(asked[0]).not.toHaveProperty('PhysicalResourceId');
    expect(fake.standing.get('reader')).toEqual({ Name: 'reader', Value: 'red' });
    expect((await events()).filter((event) => event.startsWith('C '))).toEqual([
      'C CREATE_IN_PROGRESS',
      'C CREATE_IN_PROGRESS Resource creation Initiated',
      'C CREATE_COMPLETE',
    ]);
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    expect(asked[1]).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'made-1', ResourceProperties: { Count: '1' } });
  });

  it('is replaced where an update answers another physical id: the old one is deleted last', async () => {
    await open(({ RequestType, ResourceProperties }) => ({
      Status: 'SUCCESS',
      ...(RequestType === 'Delete' ? {} : { PhysicalResourceId: `made-${String(ResourceProperties['Size'])}`, Data: { Size: ResourceProperties['Size'] } }),
    }));
    await deploy('CreateStack', { C: custom({ Size: 1 }), R: reader('Size') });
    await deploy('UpdateStack', { C: custom({ Size: 2 }), R: reader('Size') });
    expect(asked.map(({ RequestType, PhysicalResourceId }) => [RequestType, PhysicalResourceId])).toEqual([
      ['Create', undefined],
      ['Update', 'made-1'],
      ['Delete', 'made-1'],
    ]);
    expect(asked[1]?.OldResourceProperties).toMatchObject({ Size: '1' });
    expect(fake.standing.get('reader')).toMatchObject({ Value: '2' });
    expect((await events()).slice(-8)).toEqual([
      'C UPDATE_IN_PROGRESS Requested update required the provider to create a new physical resource',
      'C UPDATE_COMPLETE',
      'R UPDATE_IN_PROGRESS',
      'R UPDATE_COMPLETE',
      's UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'C DELETE_IN_PROGRESS',
      'C DELETE_COMPLETE',
      's UPDATE_COMPLETE',
    ]);
  });

  it('goes back to what it was when the update fails elsewhere', async () => {
    await open(({ RequestType, ResourceProperties }) => ({
      Status: 'SUCCESS',
      ...(RequestType === 'Delete' ? {} : { PhysicalResourceId: `made-${String(ResourceProperties['Size'])}`, Data: { Size: ResourceProperties['Size'] } }),
    }));
    await deploy('CreateStack', { C: custom({ Size: 1 }), R: reader('Size') });
    const failing = { Type: 'AWS::Fake::Thing', DependsOn: 'C', Properties: { Name: 'reader', FailUpdate: 'no' } };
    await deploy('UpdateStack', { C: custom({ Size: 2 }), R: failing });
    expect(asked.map(({ RequestType, PhysicalResourceId }) => [RequestType, PhysicalResourceId])).toEqual([
      ['Create', undefined],
      ['Update', 'made-1'],
      ['Update', 'made-2'],
      ['Delete', 'made-2'],
    ]);
    const { StackResources } = (await cfn('DescribeStackResources', { StackName: 's', LogicalResourceId: 'C' })) as { StackResources: unknown[] };
    expect(StackResources[0]).toMatchObject({ PhysicalResourceId: 'made-1', ResourceStatus: 'UPDATE_COMPLETE' });
    expect((await events()).at(-1)).toBe('s UPDATE_ROLLBACK_COMPLETE');
  });

  it('fails with the reason it answers, and is deleted by the id it answers', async () => {
    await open(({ RequestType }) =>
      RequestType === 'Create' ? { Status: 'FAILED', Reason: 'no paint', PhysicalResourceId: 'half-made' } : { Status: 'SUCCESS' },
    );
    await deploy('CreateStack', { C: custom() });
    const [first, second] = asked;
    expect(await events()).toContain(
      `C CREATE_FAILED Received response status [FAILED] from custom resource. Message returned: no paint (RequestId: ${first?.RequestId})`,
    );
    expect(second).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'half-made' });
  });

  it('fails when nothing is answered in time', async () => {
    await open(({ RequestType }) => (RequestType === 'Create' ? undefined : { Status: 'SUCCESS' }));
    await cfn('CreateStack', { StackName: 's', TemplateBody: JSON.stringify({ Resources: { C: custom({ ServiceTimeout: 60 }) } }) });
    await pass(61, () => asked.length > 0);
    expect((await events()).find((event) => event.startsWith('C CREATE_FAILED'))).toMatch(
      /^C CREATE_FAILED CloudFormation did not receive a response from your Custom Resource\. Please check your logs for requestId \[[0-9a-f-]{36}\]\./,
    );
    expect(asked[1]?.PhysicalResourceId).toMatch(/^s-C-[A-Z0-9]{12}$/);
  });

  it('is given up by a deletion that takes the stack over', async () => {
    await open(({ RequestType }) => (RequestType === 'Create' ? undefined : { Status: 'SUCCESS' }));
    await cfn('CreateStack', { StackName: 's', TemplateBody: JSON.stringify({ Resources: { C: custom() } }) });
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    expect(asked.map(({ RequestType }) => RequestType)).toEqual(['Create', 'Delete']);
    await expect(cfn('DescribeStacks', { StackName: 's' })).rejects.toThrow('does not exist');
  });

  it('says which attribute was not answered, and takes answers from nobody else', async () => {
    await open(() => ({ Status: 'SUCCESS' }));
    await deploy('CreateStack', { C: custom(), R: reader('Nope') });
    expect((await events()).join('\n')).toContain("CustomResource attribute error: Vendor response doesn't contain Nope key in object arn:aws:cloudformation:");
    expect(await put(String(asked[0]?.ResponseURL).replace(/Signature=.*/, 'Signature=00'), {})).toBe(403);
  });

  it('hides in events what it answers with NoEcho, and NoEcho parameters', async () => {
    await open(() => ({ Status: 'SUCCESS', NoEcho: true, Data: { Secret: 'hush' } }));
    const Parameters = { P: { Type: 'String', Default: 'quiet', NoEcho: true } };
    await deploy('CreateStack', { C: custom({ P: { Ref: 'P' } }), R: reader('Secret') }, Parameters);
    expect(asked[0]?.ResourceProperties).toMatchObject({ P: 'quiet' });
    expect(fake.standing.get('reader')).toMatchObject({ Value: 'hush' });
    const { StackEvents } = (await cfn('DescribeStackEvents', { StackName: 's' })) as { StackEvents: { ResourceProperties?: string }[] };
    const shown = StackEvents.map(({ ResourceProperties }) => ResourceProperties).join();
    expect(shown).not.toMatch(/hush|quiet/);
    expect(shown).toContain('"Value":"****"');
  });
});

describe('a wait condition', () => {
  const resources = (Count: number) => ({
    H: { Type: 'AWS::CloudFormation::WaitConditionHandle' },
    R: { Type: 'AWS::Fake::Thing', Properties: { Name: { Ref: 'H' } } },
    W: { Type: 'AWS::CloudFormation::WaitCondition', DependsOn: 'R', Properties: { Handle: { Ref: 'H' }, Timeout: '300', Count } },
    After: { Type: 'AWS::Fake::Thing', Properties: { Name: 'after', Value: { 'Fn::GetAtt': ['W', 'Data'] } } },
  });
  const begin = async (count: number) => {
    await open(() => undefined);
    await cfn('CreateStack', { StackName: 's', TemplateBody: JSON.stringify({ Resources: resources(count) }) });
    while (fake.standing.size === 0) await new Promise((resolve) => setImmediate(resolve));
    return [...fake.standing.keys()][0] ?? '';
  };
  const signal = (UniqueId: string, Status = 'SUCCESS') => ({ Status, UniqueId, Data: `data ${UniqueId}`, Reason: 'r' });

  it('is complete once enough signals came', async () => {
    const url = await begin(2);
    for (const id of ['a', 'a', 'b']) expect(await put(url, signal(id))).toBe(200);
    await bench.quiet();
    expect((await events()).at(-1)).toBe('s CREATE_COMPLETE');
    expect(fake.standing.get('after')).toMatchObject({ Value: '{"a":"data a","b":"data b"}' });
  });

  it('fails at a failure', async () => {
    const url = await begin(2);
    await put(url, signal('a', 'FAILURE'));
    await bench.quiet();
    expect(await events()).toContain("W CREATE_FAILED WaitCondition received failed message: 'r' for uniqueId: a");
  });

  it('fails when too few came in time', async () => {
    const url = await begin(2);
    await put(url, signal('a'));
    await pass(301, () => true);
    expect(await events()).toContain('W CREATE_FAILED WaitCondition timed out. Received 1 conditions when expecting 2');
  });
});
