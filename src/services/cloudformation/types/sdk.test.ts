import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, GetBucketTaggingCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';

let croft: TestCroft;
let cfn: CloudFormationClient;
let s3: S3Client;
beforeAll(async () => {
  croft = await startCroft();
  cfn = new CloudFormationClient(croft.sdk);
  s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
});
afterAll(() => croft.stop());

const stackOf = async (StackName: string) => (await cfn.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0];
const quiet = () => croft.server.platform.bus.quiet(20_000);

it('asks a real function, which answers by the URL it was given', async () => {
  const TemplateBody = `
Resources:
  Maker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/functions
      Code:
        ZipFile: |
          import json, urllib.request
          def handler(event, context):
              answer = {k: event[k] for k in ('StackId', 'RequestId', 'LogicalResourceId')}
              answer.update(Status='SUCCESS', PhysicalResourceId='thing', Data={'Doubled': int(event['ResourceProperties']['Number']) * 2})
              body = json.dumps(answer).encode()
              urllib.request.urlopen(urllib.request.Request(event['ResponseURL'], data=body, method='PUT', headers={'content-type': ''})).read()
  Thing:
    Type: Custom::Thing
    Properties: {ServiceToken: !GetAtt Maker.Arn, Number: 21}
Outputs:
  Doubled: {Value: !GetAtt Thing.Doubled}
  Id: {Value: !Ref Thing}
`;
  await cfn.send(new CreateStackCommand({ StackName: 'custom', TemplateBody }));
  expect(await quiet()).toBe(true);
  const stack = await stackOf('custom');
  expect(stack?.StackStatus).toBe('CREATE_COMPLETE');
  expect(stack?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])).toEqual([
    ['Doubled', '42'],
    ['Id', 'thing'],
  ]);
  await cfn.send(new DeleteStackCommand({ StackName: 'custom' }));
  expect(await quiet()).toBe(true);
  expect((await stackOf(stack?.StackId ?? ''))?.StackStatus).toBe('DELETE_COMPLETE');
}, 30_000);

async function upload(key: string, template: unknown): Promise<string> {
  await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: key, Body: JSON.stringify(template) }));
  return `${croft.endpoint}/templates/${key}`;
}
const bucket = (more: Record<string, unknown> = {}) => ({ Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'Name' }, ...more } });
const child = (resources: Record<string, unknown>) => ({
  Parameters: { Name: { Type: 'String' } },
  Resources: resources,
  Outputs: { Bucket: { Value: { Ref: 'Name' } } },
});
const parent = (TemplateURL: string, Name: string) => ({
  Resources: { Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL, Parameters: { Name }, Tags: [{ Key: 'own', Value: 'yes' }] } } },
  Outputs: { FromChild: { Value: { 'Fn::GetAtt': ['Child', 'Outputs.Bucket'] } }, Child: { Value: { Ref: 'Child' } } },
});

it('makes, changes and deletes stacks within stacks', async () => {
  const leaf = await upload('leaf.json', child({ B: bucket() }));
  const middle = await upload('middle.json', {
    ...child({ Leaf: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: leaf, Parameters: { Name: { Ref: 'Name' } } } } }),
  });
  await cfn.send(
    new CreateStackCommand({ StackName: 'outer', TemplateBody: JSON.stringify(parent(middle, 'nested-one')), Tags: [{ Key: 'team', Value: 'a' }] }),
  );
  expect(await quiet()).toBe(true);
  const outer = await stackOf('outer');
  expect(outer?.StackStatus).toBe('CREATE_COMPLETE');
  const outputs = Object.fromEntries((outer?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  expect(outputs['FromChild']).toBe('nested-one');
  const nested = await stackOf(String(outputs['Child']));
  expect(nested).toMatchObject({ ParentId: outer?.StackId, RootId: outer?.StackId, StackName: expect.stringMatching(/^outer-Child-[A-Z0-9]{12}$/) });
  const tags = (await s3.send(new GetBucketTaggingCommand({ Bucket: 'nested-one' }))).TagSet;
  expect(tags).toEqual(
    expect.arrayContaining([
      { Key: 'team', Value: 'a' },
      { Key: 'own', Value: 'yes' },
    ]),
  );
  await upload('leaf.json', child({ B: bucket(), C: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Sub': '$' + '{Name}-more' } } } }));
  await cfn.send(new UpdateStackCommand({ StackName: 'outer', UsePreviousTemplate: true }));
  expect(await quiet()).toBe(true);
  expect((await stackOf('outer'))?.StackStatus).toBe('UPDATE_COMPLETE');
  const names = async () => (await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
  expect(await names()).toEqual(['nested-one', 'nested-one-more', 'templates']);
  await cfn.send(new DeleteStackCommand({ StackName: 'outer' }));
  expect(await quiet()).toBe(true);
  expect(await names()).toEqual(['templates']);
}, 30_000);

it('fails and rolls back with a stack within it', async () => {
  const url = await upload('bad.json', child({ A: bucket(), B: { ...bucket({ Nonsense: 1 }), DependsOn: 'A' } }));
  await cfn.send(new CreateStackCommand({ StackName: 'broken', TemplateBody: JSON.stringify(parent(url, 'nested-two')) }));
  expect(await quiet()).toBe(true);
  expect((await stackOf('broken'))?.StackStatus).toBe('ROLLBACK_COMPLETE');
  const { StackEvents } = await cfn.send(new DescribeStackEventsCommand({ StackName: 'broken' }));
  const failed = StackEvents?.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED');
  expect(failed?.ResourceStatusReason).toMatch(
    /^Embedded stack arn:aws:cloudformation:us-east-1:000000000000:stack\/broken-Child-[A-Z0-9]{12}\/[0-9a-f-]+ was not successfully created: The following resource\(s\) failed to create: \[B\]\.$/,
  );
  expect((await stackOf(failed?.PhysicalResourceId ?? ''))?.StackStatus).toBe('DELETE_COMPLETE');
}, 30_000);
