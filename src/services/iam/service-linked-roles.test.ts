import {
  CreateInstanceProfileCommand,
  CreateServiceLinkedRoleCommand,
  DeleteRoleCommand,
  DeleteServiceLinkedRoleCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfileTagsCommand,
  PutRolePolicyCommand,
  TagInstanceProfileCommand,
  UntagInstanceProfileCommand,
  UpdateRoleDescriptionCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import table from './domain/service-linked-roles.json' with { type: 'json' };

let croft: TestCroft;
let iam: IAMClient;
beforeAll(async () => {
  croft = await startCroft();
  iam = new IAMClient({ ...croft.sdk, maxAttempts: 1 });
});
afterAll(() => croft.stop());

const create = (AWSServiceName: string, CustomSuffix?: string) => iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName, CustomSuffix }));
const failure = (name: string, message: string, status: number) => ({ name, message, $metadata: { httpStatusCode: status } });

describe('service-linked roles', () => {
  it("have AWS's name, trust and policy", async () => {
    const { Role } = await create('elasticbeanstalk.amazonaws.com');
    const RoleName = 'AWSServiceRoleForElasticBeanstalk';
    expect(Role).toMatchObject({ RoleName, Arn: `arn:aws:iam::000000000000:role/aws-service-role/elasticbeanstalk.amazonaws.com/${RoleName}` });
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))).toEqual({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'elasticbeanstalk.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    });
    expect((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies).toEqual([
      { PolicyName: 'AWSElasticBeanstalkServiceRolePolicy', PolicyArn: 'arn:aws:iam::aws:policy/aws-service-role/AWSElasticBeanstalkServiceRolePolicy' },
    ]);
  });

  it('have a suffix where the service allows it, and are there once', async () => {
    expect((await create('autoscaling.amazonaws.com', 'blue')).Role?.RoleName).toBe('AWSServiceRoleForAutoScaling_blue');
    await expect(create('autoscaling.amazonaws.com', 'blue')).rejects.toMatchObject(
      failure(
        'InvalidInputException',
        'Service role name AWSServiceRoleForAutoScaling_blue has been taken in this account, please try a different suffix.',
        400,
      ),
    );
    await expect(create('batch.amazonaws.com', 'blue')).rejects.toMatchObject(
      failure('InvalidInputException', 'Custom suffix is not allowed for batch.amazonaws.com', 400),
    );
    await expect(create('nobody.amazonaws.com')).rejects.toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
  });

  it('are changed by AWS alone, but for the description', async () => {
    const RoleName = (await create('ecs.amazonaws.com')).Role?.RoleName;
    const PolicyArn = 'arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy';
    const refused = failure(
      'UnmodifiableEntityException',
      "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS",
      400,
    );
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toMatchObject(refused);
    await expect(iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))).rejects.toMatchObject(refused);
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
    await expect(iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }))).rejects.toMatchObject(refused);
    await iam.send(new UpdateRoleDescriptionCommand({ RoleName, Description: 'ours' }));
    expect((await iam.send(new GetRoleCommand({ RoleName }))).Role?.Description).toBe('ours');
  });

  it('go by a task, and may come again', async () => {
    const RoleName = (await create('dms.amazonaws.com')).Role?.RoleName;
    const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName }));
    expect(DeletionTaskId).toMatch(/^task\/aws-service-role\/dms\.amazonaws\.com\/AWSServiceRoleForDMSServerless\/[0-9a-f-]{36}$/);
    expect((await iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }))).Status).toBe('SUCCEEDED');
    await expect(iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: 'task/none' }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
    });
    await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
    await expect(create('dms.amazonaws.com')).resolves.toBeDefined();
  });

  it('are named once each, as role names may be', () => {
    const names = Object.values(table).map(({ role }) => role);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^AWSServiceRoleFor[\w-]{2,46}$/);
  });
});

describe('instance profiles', () => {
  it('carry tags', async () => {
    const InstanceProfileName = 'tagged';
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName, Tags: [{ Key: 'a', Value: '1' }] }));
    await iam.send(new TagInstanceProfileCommand({ InstanceProfileName, Tags: [{ Key: 'b', Value: '2' }] }));
    await iam.send(new UntagInstanceProfileCommand({ InstanceProfileName, TagKeys: ['a'] }));
    expect((await iam.send(new ListInstanceProfileTagsCommand({ InstanceProfileName }))).Tags).toEqual([{ Key: 'b', Value: '2' }]);
  });
});
