import type {
  GetAccessKeyInfoRequest,
  GetAccessKeyInfoResponse,
  GetCallerIdentityResponse,
  GetFederationTokenRequest,
  GetFederationTokenResponse,
  GetSessionTokenRequest,
  GetSessionTokenResponse,
} from '@aws-sdk/client-sts';
import { accountOfAccessKey } from '../../../identity/access-key.ts';
import { partitionOf } from '../../../kit/arn.ts';
import type { Ctx, Operation } from '../../service.ts';
import { accessDenied, validationError } from '../errors.ts';
import { ROOT_SESSION_SECONDS_MAX, SESSION_SECONDS_DEFAULT } from '../limits.ts';
import { issue, packedPolicySize } from './issue.ts';
import { checkTagKeys } from './tags.ts';

/** "GetCallerIdentity" in the AWS STS API Reference. */
export const getCallerIdentity: Operation<Record<string, never>, GetCallerIdentityResponse> = async ({ principal }) => ({
  UserId: principal.userId,
  Account: principal.account,
  Arn: principal.arn,
});

const isSession = (ctx: Ctx): boolean => ctx.principal.type === 'assumed-role' || ctx.principal.accessKeyId.startsWith('ASIA');

/** Root's sessions last an hour, whatever was asked. */
const secondsFor = (ctx: Ctx, asked: number | undefined): number =>
  Math.min(asked ?? SESSION_SECONDS_DEFAULT, ctx.principal.type === 'root' ? ROOT_SESSION_SECONDS_MAX : Number.POSITIVE_INFINITY);

/** "GetSessionToken" in the AWS STS API Reference. Multi-factor codes are refused: no device can be registered. */
export const getSessionToken: Operation<GetSessionTokenRequest, GetSessionTokenResponse> = async (ctx, input) => {
  if (isSession(ctx)) throw accessDenied('Cannot call GetSessionToken with session credentials');
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined) {
    throw accessDenied('MultiFactorAuthentication failed with invalid MFA one time pass code.');
  }
  const { account, arn, userId, type } = ctx.principal;
  return { Credentials: await issue(ctx, { account, arn, userId, type }, secondsFor(ctx, input.DurationSeconds)) };
};

/** "GetFederationToken" in the AWS STS API Reference. */
export const getFederationToken: Operation<GetFederationTokenRequest, GetFederationTokenResponse> = async (ctx, input) => {
  if (isSession(ctx)) throw accessDenied('Cannot call GetFederationToken with session credentials');
  const packed = packedPolicySize(input);
  checkTagKeys(input.Tags);
  const { account } = ctx.principal;
  const user = { FederatedUserId: `${account}:${input.Name}`, Arn: `arn:${partitionOf(ctx.region)}:sts::${account}:federated-user/${input.Name}` };
  return {
    Credentials: await issue(ctx, { account, arn: user.Arn, userId: user.FederatedUserId, type: 'user' }, secondsFor(ctx, input.DurationSeconds)),
    FederatedUser: user,
    PackedPolicySize: packed ?? 0,
  };
};

/** "GetAccessKeyInfo" in the AWS STS API Reference: the account stands in the id. */
export const getAccessKeyInfo: Operation<GetAccessKeyInfoRequest, GetAccessKeyInfoResponse> = async (_ctx, input) => {
  const account = accountOfAccessKey(input.AccessKeyId ?? '');
  if (account === undefined) throw validationError(`Invalid access key id: ${input.AccessKeyId ?? ''}`);
  return { Account: account };
};
