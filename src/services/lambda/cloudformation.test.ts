import { GetFunctionCommand, GetPolicyCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import type { Ctx, Properties, ResourceType } from '../service.ts';
import { resources } from './cloudformation.ts';
import { lambdaContext } from './principal.ts';
import { ROLE } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let ctx: Ctx;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
  ctx = lambdaContext(croft.server.platform, { account: '000000000000', region: 'us-east-1' });
});
afterAll(() => croft.stop());

function typeOf(name: string): ResourceType {
  const found = resources.find(({ type }) => type === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

const stack = {
  logicalId: 'Fn',
  stackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/s/1',
  stackName: 's',
  token: 't',
  tags: { team: 'a' },
  generatedName: () => 's-Fn-ABC',
};
const code = (text: string) => ({ ZipFile: text });

describe('a stack’s function', () => {
  const base: Properties = {
    Runtime: 'python3.11',
    Handler: 'index.handler',
    Role: ROLE,
    Timeout: '10',
    Code: code('def handler(event, context):\n    return 1\n'),
  };
  const run = async () => Buffer.from((await lambda.send(new InvokeCommand({ FunctionName: 's-Fn-ABC' }))).Payload ?? []).toString();

  it('is made from inline text, changed, and deleted; each step may be repeated', async () => {
    const fn = typeOf('AWS::Lambda::Function');
    const made = await fn.create(ctx, { ...stack, properties: base });
    expect(made).toMatchObject({ physicalId: 's-Fn-ABC', attributes: { Arn: 'arn:aws:lambda:us-east-1:000000000000:function:s-Fn-ABC' } });
    expect(await fn.create(ctx, { ...stack, properties: base })).toEqual(made);
    await expect(fn.create(ctx, { ...stack, logicalId: 'Other', properties: base })).rejects.toMatchObject({ code: 'ResourceConflictException' });
    expect(await run()).toBe('1');
    const next = {
      ...base,
      Timeout: undefined,
      Environment: { Variables: { NUMBER: 2 } },
      Code: code('import os\ndef handler(event, context):\n    return os.environ["NUMBER"]\n'),
      Tags: [{ Key: 'own', Value: 'x' }],
    };
    await fn.update(ctx, { ...stack, physicalId: made.physicalId, previous: base, properties: next });
    expect(await run()).toBe('"2"');
    const { Configuration, Tags } = await lambda.send(new GetFunctionCommand({ FunctionName: 's-Fn-ABC' }));
    expect(Configuration?.Timeout).toBe(3);
    expect(Tags).toMatchObject({ team: 'a', own: 'x', 'aws:cloudformation:logical-id': 'Fn' });
  });

  it('has versions, aliases and permissions beside it', async () => {
    const version = await typeOf('AWS::Lambda::Version').create(ctx, { ...stack, properties: { FunctionName: 's-Fn-ABC' } });
    expect(version).toEqual({ physicalId: expect.stringMatching(/:function:s-Fn-ABC:1$/), attributes: { FunctionArn: version.physicalId, Version: '1' } });
    const properties = { FunctionName: 's-Fn-ABC', Name: 'live', FunctionVersion: '1' };
    const alias = typeOf('AWS::Lambda::Alias');
    const made = await alias.create(ctx, { ...stack, properties });
    expect(await alias.create(ctx, { ...stack, properties })).toEqual(made);
    expect(made.physicalId).toMatch(/:function:s-Fn-ABC:live$/);
    const permission = typeOf('AWS::Lambda::Permission');
    const granted = { FunctionName: 's-Fn-ABC', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' };
    const { physicalId } = await permission.create(ctx, { ...stack, generatedName: () => 's-Permission-ABC', properties: granted });
    expect((await lambda.send(new GetPolicyCommand({ FunctionName: 's-Fn-ABC' }))).Policy).toContain('"Sid":"s-Permission-ABC"');
    const gone = { stackId: stack.stackId, logicalId: 'x' };
    for (let time = 0; time < 2; time++) {
      await permission.delete(ctx, { ...gone, physicalId, properties: granted });
      await alias.delete(ctx, { ...gone, physicalId: made.physicalId, properties });
      await typeOf('AWS::Lambda::Version').delete(ctx, { ...gone, physicalId: version.physicalId, properties: {} });
      await typeOf('AWS::Lambda::Function').delete(ctx, { ...gone, physicalId: 's-Fn-ABC', properties: {} });
    }
    await expect(run()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
