import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { accountOfAccessKey, newAccessKeyId } from '../../identity/access-key.ts';
import { createIds } from '../../kit/ids.ts';
import { openSession, sealSession } from './domain.ts';

let croft: TestCroft;
let sts: STSClient;
beforeAll(async () => {
  croft = await startCroft();
  sts = new STSClient(croft.sdk);
  const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }] });
  await new IAMClient(croft.sdk).send(new CreateRoleCommand({ RoleName: 'worker', Path: '/p/', AssumeRolePolicyDocument: trust }));
});
afterAll(() => croft.stop());

const RoleArn = 'arn:aws:iam::000000000000:role/p/worker';

describe('AssumeRole', () => {
  it('gives credentials that are who they say', async () => {
    const { Credentials, AssumedRoleUser } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }));
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::000000000000:assumed-role/worker/me');
    expect(Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const session = new STSClient({ ...croft.sdk, credentials });
    expect(await session.send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: AssumedRoleUser?.Arn, UserId: AssumedRoleUser?.AssumedRoleId });
    await expect(session.send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Cannot call GetSessionToken with session credentials',
    });
    await expect(session.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'again', DurationSeconds: 7200 }))).rejects.toMatchObject({
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    });
  });

  it.each([
    [
      'a role that is not there',
      { RoleArn: 'arn:aws:iam::000000000000:role/nobody', RoleSessionName: 'me' },
      'AccessDenied',
      /is not authorized to perform: sts:AssumeRole on resource: .*role\/nobody$/,
    ],
    [
      'a longer session than the role allows',
      { RoleArn, RoleSessionName: 'me', DurationSeconds: 7200 },
      'ValidationError',
      /^The requested DurationSeconds exceeds the MaxSessionDuration set for this role\.$/,
    ],
    ['what is no role', { RoleArn: 'arn:aws:iam::000000000000:user/someone', RoleSessionName: 'me' }, 'ValidationError', /is invalid$/],
    ['a session too short', { RoleArn, RoleSessionName: 'me', DurationSeconds: 60 }, 'ValidationError', /Member must have value greater than or equal to 900/],
  ])('refuses %s', async (_what, input, name, message) => {
    await expect(sts.send(new AssumeRoleCommand(input))).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });
});

describe('session tags', () => {
  const Tags = [{ Key: 'Team', Value: 'blue' }];
  const assume = (input: object, client = sts) => client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'tagged', ...input }));
  const refused = (message: string) => ({ name: 'InvalidParameterValue', message });

  it('are unique, and transitive by the keys of given tags, without regard to case', async () => {
    await expect(assume({ Tags: [...Tags, { Key: 'team', Value: 'red' }] })).rejects.toMatchObject(
      refused('Duplicate tag keys found. Please note that Tag keys are case insensitive.'),
    );
    await expect(assume({ Tags, TransitiveTagKeys: ['Other'] })).rejects.toMatchObject(
      refused('The specified transitive tag key must be included in the requested tags.'),
    );
    await expect(assume({ Tags, TransitiveTagKeys: ['team'] })).resolves.toMatchObject({ PackedPolicySize: expect.any(Number) });
  });

  it('that are transitive cannot be set again down the chain', async () => {
    const sessionOf = async (answer: ReturnType<typeof assume>) => {
      const { Credentials: { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = {} } = await answer;
      return new STSClient({ ...croft.sdk, credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken } });
    };
    const first = await sessionOf(assume({ Tags, TransitiveTagKeys: ['Team'] }));
    const second = await sessionOf(assume({ Tags: [{ Key: 'Other', Value: '1' }] }, first));
    for (const client of [first, second]) {
      await expect(assume({ Tags: [{ Key: 'team', Value: 'red' }] }, client)).rejects.toMatchObject(
        refused("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."),
      );
    }
    await expect(assume({ Tags: [{ Key: 'Other', Value: '2' }] }, second)).resolves.toBeDefined();
  });
});

describe('GetFederationToken', () => {
  it('always says how much of the packed size it took', async () => {
    expect(await sts.send(new GetFederationTokenCommand({ Name: 'guest' }))).toMatchObject({
      PackedPolicySize: 0,
      FederatedUser: { FederatedUserId: '000000000000:guest', Arn: 'arn:aws:sts::000000000000:federated-user/guest' },
    });
  });
});

describe('access key ids', () => {
  it('carry their account', async () => {
    const ids = createIds('seed');
    for (const account of ['000000000000', '123456789012', '999999999999']) {
      expect(accountOfAccessKey(newAccessKeyId(ids, 'AKIA', account))).toBe(account);
    }
    const { Account } = await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: newAccessKeyId(ids, 'ASIA', '123456789012') }));
    expect(Account).toBe('123456789012');
  });
});

describe('session tokens', () => {
  const key = Buffer.alloc(32, 7);
  const principal = { account: '123456789012', arn: 'arn', userId: 'id', type: 'assumed-role' as const };
  const token = sealSession(key, Buffer.alloc(12, 1), { accessKeyId: 'ASIAX', principal, expiresMs: 5 });

  it('open with the key that sealed them only', () => {
    expect(openSession(key, token)).toEqual({ accessKeyId: 'ASIAX', principal, expiresMs: 5 });
    expect(openSession(Buffer.alloc(32, 8), token)).toBeUndefined();
  });

  it('do not open when a bit has changed, or when they are none', () => {
    const bytes = Buffer.from(token, 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(openSession(key, changed.toString('base64'))).toBeUndefined();
    }
    for (const none of ['', 'AQ==', 'not base64 at all']) expect(openSession(key, none)).toBeUndefined();
  });
});
