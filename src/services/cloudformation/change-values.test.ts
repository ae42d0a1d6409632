import * as cfn from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let client: cfn.CloudFormationClient;

beforeAll(async () => {
  croft = await startCroft();
  client = new cfn.CloudFormationClient(croft.sdk);
});
afterAll(async () => {
  client.destroy();
  await croft.stop();
});

const template = (properties: object, more: object = {}) =>
  JSON.stringify({
    Parameters: { Secret: { Type: 'String', NoEcho: true } },
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: properties }, ...more },
  });
const Parameters = [{ ParameterKey: 'Secret', ParameterValue: 'hush' }];

async function changes(ChangeSetType: 'CREATE' | 'UPDATE', TemplateBody: string, IncludePropertyValues: boolean) {
  const { Id: ChangeSetName } = await client.send(
    new cfn.CreateChangeSetCommand({ StackName: 's', ChangeSetName: 'same', ChangeSetType, TemplateBody, Parameters }),
  );
  const { Changes = [] } = await client.send(new cfn.DescribeChangeSetCommand({ ChangeSetName, IncludePropertyValues }));
  await client.send(new cfn.ExecuteChangeSetCommand({ ChangeSetName }));
  expect(await croft.server.platform.bus.quiet(10_000)).toBe(true);
  return Changes.map(({ ResourceChange: one }) => ({
    ...one,
    Before: JSON.parse(one?.BeforeContext ?? 'null') as unknown,
    After: JSON.parse(one?.AfterContext ?? 'null') as unknown,
  }));
}

it('change sets show the values that they change, but no secrets, to those who ask', async () => {
  const [made] = await changes('CREATE', template({ TopicName: 'named', DisplayName: { Ref: 'Secret' } }), true);
  expect(made).toMatchObject({ Action: 'Add', Before: null, After: { Properties: { TopicName: 'named', DisplayName: '****' } } });
  const other = { Other: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { 'Fn::GetAtt': ['Topic', 'TopicArn'] } } } };
  const [added, modified] = await changes('UPDATE', template({ TopicName: 'renamed', DisplayName: 'shown' }, other), true);
  expect(modified).toMatchObject({
    Action: 'Modify',
    Before: { Properties: { TopicName: 'named', DisplayName: '****' } },
    After: { Properties: { TopicName: 'renamed', DisplayName: 'shown' } },
  });
  expect(modified?.Details?.find(({ Target }) => Target?.Name === 'TopicName')?.Target).toMatchObject({
    Path: '/Properties/TopicName',
    BeforeValue: 'named',
    AfterValue: 'renamed',
    AttributeChangeType: 'Modify',
  });
  expect(added).toMatchObject({ LogicalResourceId: 'Other', After: { Properties: { DisplayName: '{{changeSet:KNOWN_AFTER_APPLY}}' } } });
  const [, plain] = await changes('UPDATE', template({ TopicName: 'renamed', DisplayName: 'again' }), false);
  expect(plain).toMatchObject({ Action: 'Modify', Before: null, After: null });
});
