import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, DeleteStackCommand, DescribeStacksCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient, ListEventSourceMappingsCommand, ListTagsCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';
import { projectRoot } from '../../../kit/root.ts';
import { zipFiles } from '../testing.ts';

const APPS = join(projectRoot(), '../shared/seed-apps');
const SDK = join(projectRoot(), 'runtimes/python/vendor/boto3');
const PATIENT = { timeout: 20_000, interval: 50 };
const StackName = 'events';

const template = (batchSize: number) => `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.12
    Handler: lambda_function.lambda_handler
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: dead
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: orders
      VisibilityTimeout: 30
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 1
  Users:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: users
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Consumer:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: consumer
      CodeUri: {Bucket: code, Key: sqs-consumer.zip}
      Events:
        Orders:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: ${batchSize}
            FunctionResponseTypes: [ReportBatchItemFailures]
  Watcher:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: watcher
      CodeUri: {Bucket: code, Key: dynamodb_stream.zip}
      Events:
        Users:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Users.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
  Enqueuer:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: enqueuer
      Handler: lambda_function.enqueue_handler
      Timeout: 20
      CodeUri: {Bucket: code, Key: long-running.zip}
      Environment: {Variables: {QUEUE_URL: !Ref Orders}}
`;

let croft: TestCroft;
let stacks: CloudFormationClient;
let lambda: LambdaClient;
beforeAll(async () => {
  croft = await startCroft();
  stacks = new CloudFormationClient(croft.sdk);
  lambda = new LambdaClient(croft.sdk);
});
afterAll(() => croft.stop());

async function upload(app: string, Key: string): Promise<void> {
  const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  const Body = await zipFiles({ 'lambda_function.py': await readFile(join(APPS, app)) });
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key, Body }));
}

const status = async () => (await stacks.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus;

async function printed(functionName: string): Promise<string> {
  const logs = new CloudWatchLogsClient(croft.sdk);
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${functionName}` })).catch(() => ({ events: [] }));
  return events.map(({ message }) => message).join('\n');
}

// The guides' own apps are beside the project, not in it: a clone alone has none.
describe.skipIf(!existsSync(APPS))('the guides’ apps behind a queue and a table’s stream, unmodified, deployed by a SAM template', () => {
  it('are called, changed, and taken down with their stack', async () => {
    await new S3Client({ ...croft.sdk, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'code' }));
    await upload('sqs-consumer/lambda_function.py', 'sqs-consumer.zip');
    await upload('triggers/dynamodb_stream.py', 'dynamodb_stream.zip');
    await upload('long-running/lambda_function.py', 'long-running.zip');
    const Capabilities = ['CAPABILITY_AUTO_EXPAND' as const, 'CAPABILITY_IAM' as const];
    await stacks.send(new CreateStackCommand({ StackName, TemplateBody: template(10), Capabilities }));
    await expect.poll(status, PATIENT).toBe('CREATE_COMPLETE');

    const sqs = new SQSClient(croft.sdk);
    const QueueUrl = `${croft.endpoint}/000000000000/orders`;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"id": 7}' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"id": 8, "poison": true}' }));
    await expect.poll(() => printed('consumer'), PATIENT).toContain('order 7');
    await expect.poll(() => printed('consumer'), PATIENT).toContain('failed poison');
    croft.server.platform.clock.advance(31_000);
    const dead = async () => {
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: `${croft.endpoint}/000000000000/dead`, AttributeNames: ['All'] }));
      return Attributes?.['ApproximateNumberOfMessages'];
    };
    await expect.poll(dead, PATIENT).toBe('1');

    const tables = new DynamoDBClient(croft.sdk);
    for (const name of ['Ada', 'Eve']) await tables.send(new PutItemCommand({ TableName: 'users', Item: { id: { S: '1' }, name: { S: name } } }));
    await expect.poll(() => printed('watcher'), PATIENT).toContain("new user {'id': {'S': '1'}, 'name': {'S': 'Ada'}}");

    if (existsSync(SDK)) {
      const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'enqueuer', Payload: Buffer.from('{"id": 9}') }));
      expect([FunctionError, Buffer.from(Payload ?? []).toString()]).toEqual([undefined, 'null']);
      await expect.poll(() => printed('consumer'), PATIENT).toContain('order 9');
    }

    const mapping = async () => (await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: 'consumer' }))).EventSourceMappings?.[0];
    const before = await mapping();
    await stacks.send(new UpdateStackCommand({ StackName, TemplateBody: template(3), Capabilities }));
    await expect.poll(status, PATIENT).toBe('UPDATE_COMPLETE');
    expect(await mapping()).toMatchObject({ UUID: before?.UUID, BatchSize: 3, State: 'Enabled', FunctionResponseTypes: ['ReportBatchItemFailures'] });
    const { Tags } = await lambda.send(new ListTagsCommand({ Resource: before?.EventSourceMappingArn }));
    expect(Tags).toMatchObject({ 'aws:cloudformation:stack-name': StackName, 'aws:cloudformation:logical-id': 'ConsumerOrders' });

    await stacks.send(new DeleteStackCommand({ StackName }));
    await expect.poll(() => status().catch((error: Error) => error.message), PATIENT).toMatch(/DELETE_COMPLETE|does not exist/);
    expect((await lambda.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings).toEqual([]);
  }, 90_000);
});
