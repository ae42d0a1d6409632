import * as cfn from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import type { Ctx } from '../service.ts';

let croft: TestCroft;
let client: cfn.CloudFormationClient;
let ctx: Ctx;

beforeAll(async () => {
  croft = await startCroft();
  client = new cfn.CloudFormationClient(croft.sdk);
  ctx = croft.server.platform.contextFor({ account: '000000000000', region: 'us-east-1' });
});
afterAll(async () => {
  client.destroy();
  await croft.stop();
});

const put = (Name: string, Value: string, Type = 'String') => ctx.call('ssm', 'PutParameter', { Name, Value, Type, Overwrite: true });
const storedValue = async (Name: string) => ((await ctx.call('ssm', 'GetParameter', { Name })) as { Parameter: { Value: string } }).Parameter.Value;
const resource = (Value: unknown) => ({ Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value } });
const messageOf = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a rejection');
};

async function create(StackName: string, template: object, Parameters: cfn.Parameter[] = []) {
  await client.send(new cfn.CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template), Parameters }));
  expect(await croft.server.platform.bus.quiet(10_000)).toBe(true);
  return stackOf(StackName);
}
const stackOf = async (StackName: string) => (await client.send(new cfn.DescribeStacksCommand({ StackName }))).Stacks?.[0];
const physicalId = async (StackName: string, LogicalResourceId: string) =>
  (await client.send(new cfn.DescribeStackResourceCommand({ StackName, LogicalResourceId }))).StackResourceDetail?.PhysicalResourceId ?? '';

it('template parameters can name stored ones, texts and lists, read again at each update', async () => {
  await put('/in/text', 'one');
  await put('/in/list', 'a,b', 'StringList');
  const template = {
    Parameters: {
      Text: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/in/text' },
      List: { Type: 'AWS::SSM::Parameter::Value<List<String>>' },
      Name: { Type: 'AWS::SSM::Parameter::Name', Default: '/in/text' },
    },
    Resources: { Out: resource({ 'Fn::Join': ['|', [{ Ref: 'Text' }, { 'Fn::Select': [1, { Ref: 'List' }] }, { Ref: 'Name' }]] }) },
  };
  const stack = await create('stored', template, [{ ParameterKey: 'List', ParameterValue: '/in/list' }]);
  expect(stack?.StackStatus).toBe('CREATE_COMPLETE');
  expect(stack?.Parameters).toEqual([
    { ParameterKey: 'Text', ParameterValue: '/in/text', ResolvedValue: 'one' },
    { ParameterKey: 'List', ParameterValue: '/in/list', ResolvedValue: 'a,b' },
    { ParameterKey: 'Name', ParameterValue: '/in/text' },
  ]);
  const out = await physicalId('stored', 'Out');
  expect(out).toMatch(/^CFN-Out-/);
  expect(await storedValue(out)).toBe('one|b|/in/text');
  await put('/in/text', 'two');
  const again = {
    StackName: 'stored',
    UsePreviousTemplate: true,
    Parameters: ['Text', 'List', 'Name'].map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true })),
  };
  await client.send(new cfn.UpdateStackCommand(again));
  await croft.server.platform.bus.quiet(10_000);
  expect(await storedValue(out)).toBe('two|b|/in/text');
  const missing = create('missing', {
    ...template,
    Parameters: { ...template.Parameters, List: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/not/there' } },
  });
  expect(await messageOf(missing)).toBe('Parameter List should either have input value or default value');
});

it('dynamic references get their values when a resource is made, and stay references in the stack', async () => {
  await put('/ref/text', 'first');
  await put('/ref/text', 'second');
  await put('/ref/secret', 's3cret', 'SecureString');
  const template = {
    Resources: {
      Newest: resource({ 'Fn::Join': ['-', ['x', '{{resolve:ssm:/ref/text}}', { Ref: 'AWS::Region' }]] }),
      First: resource('{{resolve:ssm:/ref/text:1}}'),
      Secret: resource('{{resolve:ssm-secure:/ref/secret}}'),
    },
  };
  expect((await create('references', template))?.StackStatus).toBe('CREATE_COMPLETE');
  const values = await Promise.all(['Newest', 'First', 'Secret'].map(async (id) => storedValue(await physicalId('references', id))));
  expect(values).toEqual(['x-second-us-east-1', 'first', 's3cret']);
  const events = await client.send(new cfn.DescribeStackEventsCommand({ StackName: 'references' }));
  expect(JSON.stringify(events.StackEvents)).not.toContain('s3cret');
  const failed = await create('dangling', { Resources: { A: resource('{{resolve:ssm:/not/there}}') } });
  expect(failed?.StackStatus).toBe('ROLLBACK_COMPLETE');
});
