import type { FunctionCredentials } from '../../compute/types.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Platform } from '../service.ts';
import type { Place } from './domain/names.ts';
import { CREDENTIALS_MARGIN_MS, CREDENTIALS_MAX, SESSION_NAME_LENGTH_MIN } from './limits.ts';
import { lambdaContext, lambdaPrincipal } from './principal.ts';

/** Temporary credentials of execution roles, kept until shortly before they end. */
export interface RoleCredentials {
  get(place: Place, role: string, functionName: string): Promise<FunctionCredentials>;
}

interface Kept {
  readonly credentials: FunctionCredentials;
  /** Real time. */
  readonly expiresMs: number;
}

export function createRoleCredentials(platform: () => Platform): RoleCredentials {
  const kept = new Map<string, Promise<Kept>>();

  const assume = async (place: Place, role: string, functionName: string): Promise<Kept> => {
    const request = { RoleArn: role, RoleSessionName: functionName.padEnd(SESSION_NAME_LENGTH_MIN, '-') };
    let answer: Record<string, unknown>;
    try {
      answer = await lambdaContext(platform(), place).call('sts', 'AssumeRole', request, { principal: lambdaPrincipal(place.account) });
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      throw new AwsError('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.', { status: 403, cause: error });
    }
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer['Credentials'] as Record<string, unknown>;
    return {
      credentials: { accessKeyId: String(AccessKeyId), secretAccessKey: String(SecretAccessKey), sessionToken: String(SessionToken) },
      expiresMs: Expiration instanceof Date ? Expiration.getTime() : Number.POSITIVE_INFINITY,
    };
  };

  return {
    async get(place, role, functionName) {
      const key = `${place.account} ${place.region} ${role} ${functionName}`;
      const known = await kept.get(key);
      if (known && known.expiresMs - CREDENTIALS_MARGIN_MS > platform().clock.real()) return known.credentials;
      if (kept.size >= CREDENTIALS_MAX) kept.clear();
      const renewed = assume(place, role, functionName);
      kept.set(key, renewed);
      try {
        return (await renewed).credentials;
      } catch (error) {
        kept.delete(key);
        throw error;
      }
    },
  };
}
