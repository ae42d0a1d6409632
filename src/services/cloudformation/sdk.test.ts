import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { IAMClient, ListAttachedRolePoliciesCommand, ListRolesCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let cfn: CloudFormationClient;
beforeAll(async () => {
  croft = await startCroft();
  cfn = new CloudFormationClient(croft.sdk);
});
afterAll(() => croft.stop());

const wait = { client: undefined as never, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.1 };

it('deploys by change set with the waiters of the SDK, and deletes', async () => {
  const TemplateBody = `
Parameters:
  Who: {Type: String, Default: lambda}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: !Sub '\${Who}.amazonaws.com'}, Action: 'sts:AssumeRole'}]
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
Outputs:
  Arn: {Value: !GetAtt Role.Arn}
`;
  const { StackId, Id } = await cfn.send(
    new CreateChangeSetCommand({ StackName: 'app', ChangeSetName: 'first', ChangeSetType: 'CREATE', TemplateBody, Capabilities: ['CAPABILITY_IAM'] }),
  );
  await waitUntilChangeSetCreateComplete({ ...wait, client: cfn }, { ChangeSetName: Id });
  await cfn.send(new ExecuteChangeSetCommand({ ChangeSetName: Id }));
  await waitUntilStackCreateComplete({ ...wait, client: cfn }, { StackName: 'app' });
  const { Stacks } = await cfn.send(new DescribeStacksCommand({ StackName: 'app' }));
  expect(Stacks?.[0]?.Outputs?.[0]?.OutputValue).toMatch(/^arn:aws:iam::000000000000:role\/app-Role-[A-Z0-9]{12}$/);
  const { StackEvents } = await cfn.send(new DescribeStackEventsCommand({ StackName: 'app' }));
  expect(StackEvents?.map((event) => event.ResourceStatus)).toEqual([
    'CREATE_COMPLETE',
    'CREATE_COMPLETE',
    'CREATE_IN_PROGRESS',
    'CREATE_IN_PROGRESS',
    'CREATE_IN_PROGRESS',
    'REVIEW_IN_PROGRESS',
  ]);
  const iam = new IAMClient(croft.sdk);
  const roles = await iam.send(new ListRolesCommand({}));
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: roles.Roles?.[0]?.RoleName }));
  expect(attached.AttachedPolicies?.map((policy) => policy.PolicyName)).toEqual(['AWSLambdaBasicExecutionRole']);
  expect((await cfn.send(new GetTemplateCommand({ StackName: 'app' }))).TemplateBody).toBe(TemplateBody);
  await cfn.send(new DeleteStackCommand({ StackName: 'app' }));
  await waitUntilStackDeleteComplete({ ...wait, client: cfn }, { StackName: StackId ?? '' });
  expect((await iam.send(new ListRolesCommand({}))).Roles).toEqual([]);
});

it('reads a template from a bucket, and transforms it', async () => {
  const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
  const template = 'Transform: AWS::Serverless-2016-10-31\nResources:\n  Table:\n    Type: AWS::Serverless::SimpleTable\n';
  await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: 'app/t.yaml', Body: template }));
  const TemplateURL = `${croft.endpoint}/templates/app/t.yaml`;
  await expect(cfn.send(new CreateStackCommand({ StackName: 'sam', TemplateURL }))).rejects.toMatchObject({
    message: 'Requires capabilities : [CAPABILITY_AUTO_EXPAND]',
  });
  await cfn.send(new CreateStackCommand({ StackName: 'sam', TemplateURL, Capabilities: ['CAPABILITY_AUTO_EXPAND'] }));
  await waitUntilStackCreateComplete({ ...wait, client: cfn }, { StackName: 'sam' });
  const { StackResources } = await cfn.send(new DescribeStackResourcesCommand({ StackName: 'sam' }));
  expect(StackResources?.map((resource) => [resource.LogicalResourceId, resource.ResourceType])).toEqual([['Table', 'AWS::DynamoDB::Table']]);
  const processed = await cfn.send(new GetTemplateCommand({ StackName: 'sam', TemplateStage: 'Processed' }));
  expect(JSON.parse(processed.TemplateBody ?? '')).toMatchObject({ Resources: { Table: { Type: 'AWS::DynamoDB::Table' } } });
  await expect(cfn.send(new CreateStackCommand({ StackName: 'none', TemplateURL: `${TemplateURL}x` }))).rejects.toMatchObject({
    message: expect.stringContaining('S3 error: The specified key does not exist.'),
  });
});

it('answers for a stack that is not there as the waiters expect', async () => {
  await expect(cfn.send(new DescribeStacksCommand({ StackName: 'nothing' }))).rejects.toMatchObject({
    name: 'ValidationError',
    message: 'Stack with id nothing does not exist',
  });
});
