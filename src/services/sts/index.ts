import type { Credential } from '../../identity/principal.ts';
import type { Platform, Service } from '../service.ts';
import { openSession, secretOf } from './domain.ts';
import { assumeRole } from './operations/assume-role.ts';
import { getAccessKeyInfo, getCallerIdentity, getFederationToken, getSessionToken } from './operations/sessions.ts';
import { sealingKey } from './store.ts';

/** The Security Token Service room. See README.md. */
export function createStsRoom(): Service {
  return {
    name: 'sts',
    operations: {
      AssumeRole: {
        run: assumeRole,
        access: { resource: (_ctx, input) => String(input['RoleArn']) },
        recorded: ['Policy', 'PolicyArns', 'Tags', 'SourceIdentity', 'ExternalId'],
      },
      GetAccessKeyInfo: { run: getAccessKeyInfo },
      GetCallerIdentity: { run: getCallerIdentity },
      GetFederationToken: { run: getFederationToken, recorded: ['Policy', 'PolicyArns', 'Tags'] },
      GetSessionToken: { run: getSessionToken },
    },
    wording: { validationCode: 'ValidationError' },
    usage: {},
    credential,
    start: async (platform) => {
      await sealingKey(platform);
    },
  };
}

/** A session's key pair, read from its token: whoever presents no token, or another's, is unknown. */
async function credential(platform: Platform, accessKeyId: string, sessionToken: string | undefined): Promise<Credential | undefined> {
  if (!accessKeyId.startsWith('ASIA') || sessionToken === undefined) return undefined;
  const key = await sealingKey(platform);
  const session = openSession(key, sessionToken);
  if (session?.accessKeyId !== accessKeyId) return undefined;
  return {
    accessKeyId,
    secretAccessKey: secretOf(key, accessKeyId),
    sessionToken,
    expiresMs: session.expiresMs,
    principal: { ...session.principal, accessKeyId },
  };
}
