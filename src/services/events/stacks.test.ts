import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import * as sdk from '@aws-sdk/client-eventbridge';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { zipFiles } from '../../compute/testing.ts';
import { projectRoot } from '../../kit/root.ts';

const APPS = join(projectRoot(), '../shared/seed-apps');
let croft: TestCroft;
let stacks: CloudFormationClient;
let events: sdk.EventBridgeClient;

beforeAll(async () => {
  croft = await startCroft();
  stacks = new CloudFormationClient(croft.sdk);
  events = new sdk.EventBridgeClient(croft.sdk);
  croft.server.platform.clock.freeze(Date.UTC(2026, 0, 1));
});
afterAll(async () => {
  stacks.destroy();
  events.destroy();
  await croft.stop();
});

const waiter = () => ({ client: stacks, maxWaitTime: 60, minDelay: 1, maxDelay: 1 });

async function deploy(StackName: string, template: unknown): Promise<void> {
  const created = await stacks.send(
    new CreateChangeSetCommand({
      StackName,
      ChangeSetName: 'c',
      ChangeSetType: 'CREATE',
      TemplateBody: JSON.stringify(template),
      Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'],
    }),
  );
  await waitUntilChangeSetCreateComplete(waiter(), { StackName, ChangeSetName: created.Id });
  await stacks.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: 'c' }));
  await waitUntilStackCreateComplete(waiter(), { StackName });
}

const logged = async (functionName: string) => {
  const logs = new CloudWatchLogsClient(croft.sdk);
  const { events: lines = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${functionName}` })).catch((error: Error) => {
    if (error.name === 'ResourceNotFoundException') return { events: [] };
    throw error;
  });
  return lines.map(({ message = '' }) => message.trim());
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const GENERAL = {
  Resources: {
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'orders', Description: 'd', Tags: [{ Key: 'k', Value: 'v' }] } },
    Policy: {
      Type: 'AWS::Events::EventBusPolicy',
      Properties: { EventBusName: { Ref: 'Bus' }, StatementId: 'other', Action: 'events:PutEvents', Principal: '111111111111' },
    },
    Queue: { Type: 'AWS::SQS::Queue' },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventBusName: { Ref: 'Bus' },
        EventPattern: { source: ['shop'] },
        Targets: [{ Id: 'q', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] }, RetryPolicy: { MaximumRetryAttempts: '3' } }],
      },
    },
    Archive: { Type: 'AWS::Events::Archive', Properties: { SourceArn: { 'Fn::GetAtt': ['Bus', 'Arn'] }, RetentionDays: '3' } },
    Connection: {
      Type: 'AWS::Events::Connection',
      Properties: { AuthorizationType: 'API_KEY', AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'k', ApiKeyValue: 'v' } } },
    },
    Destination: {
      Type: 'AWS::Events::ApiDestination',
      Properties: {
        ConnectionArn: { 'Fn::GetAtt': ['Connection', 'Arn'] },
        InvocationEndpoint: 'https://example.com/*',
        HttpMethod: 'POST',
        InvocationRateLimitPerSecond: '5',
      },
    },
    Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'nightly' } },
    Schedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        GroupName: { Ref: 'Group' },
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        StartDate: '2030-01-01T00:00:00Z',
        Target: { Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] }, RoleArn: 'arn:aws:iam::000000000000:role/r', RetryPolicy: { MaximumRetryAttempts: '2' } },
      },
    },
  },
  Outputs: { Rule: { Value: { Ref: 'Rule' } }, Arn: { Value: { 'Fn::GetAtt': ['Rule', 'Arn'] } } },
};

// scripts/runtimes.sh brings boto3.
describe.skipIf(!existsSync(APPS) || !existsSync(join(projectRoot(), 'runtimes/python/vendor/boto3')))('the guides’ warm-table', () => {
  it('is kept warm by a rule of five minutes, unmodified: one environment, imported once', async () => {
    const code = readFileSync(join(APPS, 'warm-table/lambda_function.py'));
    const ZipFile = await zipFiles({ 'lambda_function.py': code });
    const { FunctionArn } = await new LambdaClient(croft.sdk).send(
      new CreateFunctionCommand({
        FunctionName: 'warm',
        Runtime: 'python3.12',
        Handler: 'lambda_function.lambda_handler',
        Role: 'arn:aws:iam::000000000000:role/f',
        Code: { ZipFile },
        Timeout: 30,
        Environment: { Variables: { TABLE_NAME: 't' } },
      }),
    );
    await events.send(new sdk.PutRuleCommand({ Name: 'warm', ScheduleExpression: 'rate(5 minutes)' }));
    await events.send(new sdk.PutTargetsCommand({ Rule: 'warm', Targets: [{ Id: 'f', Arn: FunctionArn }] }));
    const reports = async () => (await logged('warm')).filter((line) => line.startsWith('REPORT'));
    for (const pings of [1, 2, 3]) {
      croft.server.platform.clock.advance(300_000);
      await until(async () => (await reports()).length === pings);
    }
    expect((await reports()).filter((line) => line.includes('Init Duration'))).toHaveLength(1);
    expect((await logged('warm')).filter((line) => line.includes('ERROR'))).toEqual([]);
    await events.send(new sdk.DisableRuleCommand({ Name: 'warm' }));
  }, 120_000);
});

describe('stacks', () => {
  it('make buses, rules, archives, destinations and schedules, and take them away', async () => {
    await deploy('general', GENERAL);
    const { StackResources = [] } = await stacks.send(new DescribeStackResourcesCommand({ StackName: 'general' }));
    expect(StackResources.every(({ ResourceStatus }) => ResourceStatus === 'CREATE_COMPLETE')).toBe(true);
    const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName: 'general' }));
    const outputs = Object.fromEntries((Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
    const name = String(outputs['Rule']).split('|')[1];
    expect(outputs).toEqual({ Rule: `orders|${name}`, Arn: `arn:aws:events:us-east-1:000000000000:rule/orders/${name}` });
    const { Targets } = await events.send(new sdk.ListTargetsByRuleCommand({ Rule: name, EventBusName: 'orders' }));
    expect(Targets).toMatchObject([{ Id: 'q', RetryPolicy: { MaximumRetryAttempts: 3 } }]);
    const bus = await events.send(new sdk.DescribeEventBusCommand({ Name: 'orders' }));
    expect(JSON.parse(bus.Policy ?? '{}').Statement).toMatchObject([{ Sid: 'other', Principal: { AWS: 'arn:aws:iam::111111111111:root' } }]);
    expect((await new SchedulerClient(croft.sdk).send(new ListSchedulesCommand({ GroupName: 'nightly' }))).Schedules).toHaveLength(1);
    await stacks.send(new DeleteStackCommand({ StackName: 'general' }));
    await waitUntilStackDeleteComplete(waiter(), { StackName: 'general' });
    expect((await events.send(new sdk.ListEventBusesCommand({}))).EventBuses?.map(({ Name }) => Name)).toEqual(['default']);
    expect((await events.send(new sdk.ListConnectionsCommand({}))).Connections).toEqual([]);
  }, 60_000);

  it.skipIf(!existsSync(APPS))(
    'run the guides’ function at 2 a.m., and others by every event source of SAM',
    async () => {
      const InlineCode = readFileSync(join(APPS, 'triggers/schedule.py'), 'utf8');
      const echo = 'import json\ndef handler(event, context):\n    print("EVENT " + json.dumps(event))\n';
      const of = (code: string, Handler: string, Events: object) => ({
        Type: 'AWS::Serverless::Function',
        Properties: { Runtime: 'python3.12', Handler, InlineCode: code, Events },
      });
      await deploy('triggers', {
        Transform: 'AWS::Serverless-2016-10-31',
        Resources: {
          Backup: of(InlineCode, 'index.lambda_handler', { Nightly: { Type: 'Schedule', Properties: { Schedule: 'cron(0 2 * * ? *)' } } }),
          Echo: of(echo, 'index.handler', {
            New: { Type: 'ScheduleV2', Properties: { ScheduleExpression: 'cron(30 2 * * ? *)', Input: '{"v":2}' } },
            Order: { Type: 'EventBridgeRule', Properties: { Pattern: { source: ['shop'] }, InputPath: '$.detail' } },
            Old: { Type: 'CloudWatchEvent', Properties: { Pattern: { source: ['old'] }, Input: '{"old":true}' } },
          }),
        },
      });
      const { StackResources = [] } = await stacks.send(new DescribeStackResourcesCommand({ StackName: 'triggers' }));
      const nameOf = (id: string) => StackResources.find(({ LogicalResourceId }) => LogicalResourceId === id)?.PhysicalResourceId ?? '';
      const entry = { DetailType: 't', Detail: '{"order":7}' };
      await events.send(
        new sdk.PutEventsCommand({
          Entries: [
            { ...entry, Source: 'shop' },
            { ...entry, Source: 'old' },
          ],
        }),
      );
      const answer = await fetch(`${croft.endpoint}/_croft/clock/advance`, { method: 'POST', body: JSON.stringify({ byMs: 10_800_000 }) });
      expect(answer.status).toBe(200);
      await until(async () => (await logged(nameOf('Backup'))).includes('backup done'));
      const echoes = async () => (await logged(nameOf('Echo'))).filter((line) => line.startsWith('EVENT ')).sort();
      await until(async () => (await echoes()).length === 3);
      expect(await echoes()).toEqual(['EVENT {"old": true}', 'EVENT {"order": 7}', 'EVENT {"v": 2}']);
    },
    60_000,
  );
});
