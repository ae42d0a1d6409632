import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Principal } from '../../identity/principal.ts';

/** What a session token says. Sealed by the server's key: no session needs a row in the store. */
export interface Session {
  readonly accessKeyId: string;
  readonly principal: Omit<Principal, 'accessKeyId'>;
  /** Real time, milliseconds. */
  readonly expiresMs: number;
}

/** Keeps tokens of another form apart from ours, and says which layout follows. */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The session as an opaque token: AES-256-GCM over its JSON. `nonce` is 12 random bytes. */
export function sealSession(key: Buffer, nonce: Buffer, session: Session): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]).toString('base64');
}

/** Reads {@link sealSession} back; undefined where the token was made or changed by somebody else. */
export function openSession(key: Buffer, token: string): Session | undefined {
  const sealed = Buffer.from(token, 'base64');
  if (sealed.length <= 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES));
  try {
    const body = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(body.toString('utf8')) as Session;
  } catch {
    // A wrong tag is what a forged token looks like; nothing more is known about it.
    return undefined;
  }
}

/** The 40-character secret of a session's access key: derived, so that it need not be kept. */
export const secretOf = (key: Buffer, accessKeyId: string): string =>
  createHmac('sha256', key).update(`secret:${accessKeyId}`).digest().subarray(0, 30).toString('base64');

/** The role's name and path of a role's ARN, or undefined where it is none. */
export function parseRoleArn(arn: string): { account: string; name: string } | undefined {
  const match = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:[!-~]*\/)?([\w+=,.@-]{1,64})$/.exec(arn);
  return match?.[1] && match[2] ? { account: match[1], name: match[2] } : undefined;
}
