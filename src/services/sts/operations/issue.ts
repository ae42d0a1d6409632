import type { Credentials } from '@aws-sdk/client-sts';
import { newAccessKeyId } from '../../../identity/access-key.ts';
import type { Ctx } from '../../service.ts';
import { type Session, sealSession, secretOf } from '../domain.ts';
import { malformedPolicy, packedPolicyTooLarge } from '../errors.ts';
import { PACKED_POLICY_CHARACTERS_MAX } from '../limits.ts';
import { sealingKey } from '../store.ts';

/** New temporary credentials for `principal`, valid for `seconds` of real time. */
export async function issue(ctx: Ctx, principal: Session['principal'], seconds: number): Promise<Credentials> {
  const key = await sealingKey(ctx.platform);
  const accessKeyId = newAccessKeyId(ctx.platform.ids, 'ASIA', principal.account);
  // Answers give whole seconds: the token ends when the answer says.
  const expiresMs = Math.floor(ctx.platform.clock.real() / 1000 + seconds) * 1000;
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretOf(key, accessKeyId),
    SessionToken: sealSession(key, ctx.platform.ids.bytes(12), { accessKeyId, principal, expiresMs }),
    Expiration: new Date(expiresMs),
  };
}

interface Scoping {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly unknown[] | undefined;
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
}

/** Checks what narrows a session, and answers how much of the packed size it takes, in percent. */
export function packedPolicySize(input: Scoping): number | undefined {
  if (input.Policy !== undefined) {
    try {
      JSON.parse(input.Policy);
    } catch (cause) {
      throw Object.assign(malformedPolicy('This policy contains invalid Json'), { cause });
    }
  }
  const characters = (input.Policy?.length ?? 0) + JSON.stringify(input.PolicyArns ?? '').length + JSON.stringify(input.Tags ?? '').length - 4;
  const percent = Math.ceil((characters / PACKED_POLICY_CHARACTERS_MAX) * 100);
  if (percent > 100) throw packedPolicyTooLarge('Packed policy consumes more than 100% of allotted space, please use smaller policy.');
  return percent > 0 ? percent : undefined;
}
