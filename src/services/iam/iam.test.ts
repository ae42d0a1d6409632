import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let iam: IAMClient;
beforeAll(async () => {
  croft = await startCroft();
  iam = new IAMClient(croft.sdk);
});
afterAll(() => croft.stop());

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
const document = (Action: unknown = 's3:*') => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
const BASIC = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
const failure = (name: string, message: string, status: number) => ({ name, message, $metadata: { httpStatusCode: status } });

describe('roles', () => {
  it('are created, described, listed and named once', async () => {
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: 'app', Path: '/team/', AssumeRolePolicyDocument: trust, Tags: [{ Key: 'a', Value: '1' }] }),
    );
    expect(Role).toMatchObject({ Arn: 'arn:aws:iam::000000000000:role/team/app', Path: '/team/', Tags: [{ Key: 'a', Value: '1' }] });
    expect([Role?.MaxSessionDuration, Role?.RoleLastUsed]).toEqual([undefined, undefined]);
    expect((await iam.send(new GetRoleCommand({ RoleName: 'app' }))).Role).toMatchObject({ MaxSessionDuration: 3600, RoleLastUsed: {} });
    expect(Role?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toBe(trust);
    await expect(iam.send(new CreateRoleCommand({ RoleName: 'APP', AssumeRolePolicyDocument: trust }))).rejects.toMatchObject(
      failure('EntityAlreadyExistsException', 'Role with name APP already exists.', 409),
    );
    await expect(iam.send(new GetRoleCommand({ RoleName: 'nobody' }))).rejects.toMatchObject(
      failure('NoSuchEntityException', 'The role with name nobody cannot be found.', 404),
    );
    expect((await iam.send(new ListRolesCommand({ PathPrefix: '/team/' }))).Roles?.map((role) => role.RoleName)).toEqual(['app']);
    await iam.send(new TagRoleCommand({ RoleName: 'app', Tags: [{ Key: 'A', Value: '2' }] }));
    expect((await iam.send(new ListRoleTagsCommand({ RoleName: 'app' }))).Tags).toEqual([{ Key: 'A', Value: '2' }]);
  });

  it('keep inline and attached policies, and cannot go before them', async () => {
    await iam.send(new CreateRoleCommand({ RoleName: 'busy', AssumeRolePolicyDocument: trust }));
    await iam.send(new PutRolePolicyCommand({ RoleName: 'busy', PolicyName: 'p', PolicyDocument: document() }));
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'busy', PolicyArn: BASIC }));
    const inline = await iam.send(new GetRolePolicyCommand({ RoleName: 'busy', PolicyName: 'p' }));
    expect(decodeURIComponent(inline.PolicyDocument ?? '')).toBe(document());
    expect((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: 'busy' }))).AttachedPolicies).toEqual([
      { PolicyName: 'AWSLambdaBasicExecutionRole', PolicyArn: BASIC },
    ]);
    expect((await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: BASIC }))).PolicyRoles?.map((role) => role.RoleName)).toEqual(['busy']);
    const remove = () => iam.send(new DeleteRoleCommand({ RoleName: 'busy' }));
    await expect(remove()).rejects.toMatchObject(failure('DeleteConflictException', 'Cannot delete entity, must detach all policies first.', 409));
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'busy', PolicyArn: BASIC }));
    await expect(remove()).rejects.toMatchObject(failure('DeleteConflictException', 'Cannot delete entity, must delete policies first.', 409));
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'busy', PolicyName: 'p' }));
    await remove();
    await expect(remove()).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });

  it('page by marker, each role once', async () => {
    for (const name of ['page-1', 'page-2', 'page-3'])
      await iam.send(new CreateRoleCommand({ RoleName: name, Path: '/page/', AssumeRolePolicyDocument: trust }));
    const first = await iam.send(new ListRolesCommand({ PathPrefix: '/page/', MaxItems: 2 }));
    expect(first.IsTruncated).toBe(true);
    const second = await iam.send(new ListRolesCommand({ PathPrefix: '/page/', MaxItems: 2, Marker: first.Marker }));
    expect(second.IsTruncated).toBe(false);
    expect([...(first.Roles ?? []), ...(second.Roles ?? [])].map((role) => role.RoleName)).toEqual(['page-1', 'page-2', 'page-3']);
  });
});

describe('policy documents', () => {
  it.each([
    ['not JSON', '{', 'This policy contains invalid Json'],
    [
      'a resource',
      JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' }] }),
      'Has prohibited field Resource',
    ],
    ['no principal', JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole' }] }), 'Missing required field Principal'],
    [
      'another action',
      JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject' }] }),
      'AssumeRole policy may only specify STS AssumeRole actions.',
    ],
  ])('of trust are refused with %s', async (_what, policy, message) => {
    await expect(iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'app', PolicyDocument: policy }))).rejects.toMatchObject(
      failure('MalformedPolicyDocumentException', message, 400),
    );
  });

  it('of trust take an effect in any case', async () => {
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'app', PolicyDocument: trust.replace('Allow', 'ALLOW') }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'app' }));
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toContain('"ALLOW"');
  });

  it.each([
    ['not JSON', '{]', 'Syntax errors in policy.'],
    [
      'an old version',
      JSON.stringify({ Version: '2008-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }),
      'Policy document must be version 2012-10-17 or greater.',
    ],
    ['no action', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Resource: '*' }] }), 'Policy statement must contain actions.'],
    ['no resource', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*' }] }), 'Policy statement must contain resources.'],
    ['an action without vendor', document('GetObject'), 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'],
    ['an unknown effect', document().replace('Allow', 'allow'), 'Syntax errors in policy.'],
    ['a hundred levels', `{"Version":"2012-10-17","Statement":${'['.repeat(100)}${']'.repeat(100)}}`, 'Syntax errors in policy.'],
  ])('of permissions are refused with %s', async (_what, policy, message) => {
    await expect(iam.send(new PutRolePolicyCommand({ RoleName: 'app', PolicyName: 'p', PolicyDocument: policy }))).rejects.toMatchObject(
      failure('MalformedPolicyDocumentException', message, 400),
    );
  });
});

describe('managed policies', () => {
  it('have at most five versions, and go when nothing has them', async () => {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: document() }));
    const PolicyArn = Policy?.Arn ?? '';
    expect(Policy?.Tags).toBeUndefined();
    expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.Tags).toEqual([]);
    expect(PolicyArn).toBe('arn:aws:iam::000000000000:policy/mine');
    for (let version = 2; version <= 5; version++) {
      const made = await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: document(`s3:Get${version}`), SetAsDefault: true }));
      expect(made.PolicyVersion?.VersionId).toBe(`v${version}`);
    }
    await expect(iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: document() }))).rejects.toMatchObject({ name: 'LimitExceededException' });
    expect((await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))).Versions?.map((each) => each.VersionId)).toEqual(['v5', 'v4', 'v3', 'v2', 'v1']);
    expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.DefaultVersionId).toBe('v5');
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({ name: 'DeleteConflictException' });
  });

  it('of AWS are known by ARN, with their documents', async () => {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: BASIC }));
    const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn: BASIC, VersionId: Policy?.DefaultVersionId }));
    expect(JSON.parse(decodeURIComponent(version.PolicyVersion?.Document ?? ''))).toMatchObject({
      Statement: [{ Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow' }],
    });
    expect((await iam.send(new ListPoliciesCommand({ Scope: 'Local' }))).Policies?.map((policy) => policy.PolicyName)).toEqual(['mine']);
    await expect(iam.send(new AttachRolePolicyCommand({ RoleName: 'app', PolicyArn: 'arn:aws:iam::aws:policy/Nothing' }))).rejects.toMatchObject(
      failure('NoSuchEntityException', 'Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable.', 404),
    );
  });
});

describe('users', () => {
  it('have a boundary whose type is the word that AWS sends', async () => {
    const { User } = await iam.send(new CreateUserCommand({ UserName: 'bounded', PermissionsBoundary: BASIC }));
    expect(User?.PermissionsBoundary).toEqual({ PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: BASIC });
  });

  it('cannot be attached what is no ARN', async () => {
    await iam.send(new CreateUserCommand({ UserName: 'attached' }));
    await expect(iam.send(new AttachUserPolicyCommand({ UserName: 'attached', PolicyArn: 'a-name-that-is-long-enough' }))).rejects.toMatchObject(
      failure('ValidationError', 'Invalid ARN:  Could not be parsed!', 400),
    );
  });

  it('are who their access key says', async () => {
    await iam.send(new CreateUserCommand({ UserName: 'ada' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ada' }));
    const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
    expect(credentials.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    const who = await new STSClient({ ...croft.sdk, credentials }).send(new GetCallerIdentityCommand({}));
    expect(who.Arn).toBe('arn:aws:iam::000000000000:user/ada');
    expect((await new IAMClient({ ...croft.sdk, credentials }).send(new GetUserCommand({}))).User?.UserName).toBe('ada');
  });
});
