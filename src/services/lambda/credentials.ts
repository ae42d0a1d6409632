import type { FunctionCredentials } from '../../compute/types.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Platform } from '../service.ts';
import type { Place } from './domain/names.ts';
import { CREDENTIALS_MARGIN_MS, CREDENTIALS_MAX, SESSION_NAME_LENGTH_MIN } from './limits.ts';
import { lambdaContext, lambdaPrincipal } from './principal.ts';

/** Temporary credentials of execution roles: each execution environment has its own, as on AWS. */
export interface RoleCredentials {
  get(place: Place, role: string, functionName: string): Promise<FunctionCredentials>;
}

interface Kept {
  readonly credentials: FunctionCredentials;
  /** Real time. */
  readonly expiresMs: number;
}

export function createRoleCredentials(platform: () => Platform): RoleCredentials {
  /** For the next environment of a function: nobody waits for them while it starts. */
  const ahead = new Map<string, Promise<Kept | undefined>>();

  const assume = async (place: Place, role: string, functionName: string): Promise<Kept> => {
    const request = { RoleArn: role, RoleSessionName: functionName.length < SESSION_NAME_LENGTH_MIN ? `${functionName}@lambda_function` : functionName };
    let answer: Record<string, unknown>;
    try {
      answer = await lambdaContext(platform(), place).call('sts', 'AssumeRole', request, { principal: lambdaPrincipal(place.account) });
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      throw new AwsError('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.', { status: 403, cause: error });
    }
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer['Credentials'] as Record<string, unknown>;
    const expiresMs = Expiration instanceof Date ? Expiration.getTime() : Number.POSITIVE_INFINITY;
    return {
      credentials: { accessKeyId: String(AccessKeyId), secretAccessKey: String(SecretAccessKey), sessionToken: String(SessionToken), expiresMs },
      expiresMs,
    };
  };

  return {
    async get(place, role, functionName) {
      const key = `${place.account} ${place.region} ${role} ${functionName}`;
      const ready = ahead.get(key);
      ahead.delete(key);
      const known = await ready;
      const isFresh = known !== undefined && known.expiresMs - CREDENTIALS_MARGIN_MS > platform().clock.real();
      const { credentials } = isFresh ? known : await assume(place, role, functionName);
      if (ahead.size >= CREDENTIALS_MAX) ahead.clear();
      // What fails here is found again, and told, by who needs it next.
      if (!ahead.has(key))
        ahead.set(
          key,
          assume(place, role, functionName).catch(() => undefined),
        );
      return credentials;
    },
  };
}
