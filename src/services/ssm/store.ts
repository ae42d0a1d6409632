import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Ids } from '../../kit/ids.ts';
import { type Key, keyOf, part, uint64, utf8 } from '../../kit/key.ts';
import type { Store } from '../../store/store.ts';
import { claimKey, load as find, rangeOf, read, unclaimKey, write } from '../rows.ts';
import type { Scope } from './domain/names.ts';

/** One version of a parameter. */
export interface VersionRow {
  readonly version: number;
  readonly type: string;
  /** SecureString: encrypted, base64. */
  readonly value: string;
  readonly description?: string;
  readonly keyId?: string;
  readonly allowedPattern?: string;
  readonly tier: string;
  readonly dataType: string;
  readonly modifiedMs: number;
  readonly modifiedBy: string;
  readonly labels: readonly string[];
}

/** A parameter: its newest version, and what is not of versions. */
export interface ParameterRow extends VersionRow {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

const base = (scope: Scope): Key => keyOf('ssm', scope.account, scope.region);

export const keys = {
  parameters: (scope: Scope): Key => base(scope) + keyOf('p'),
  parameter: (scope: Scope, name: string): Key => base(scope) + keyOf('p', name),
  /** All parameters whose name begins so. */
  beginning: (scope: Scope, prefix: string): Key => base(scope) + keyOf('p') + part(utf8(prefix)).slice(0, -2),
  versions: (scope: Scope, name: string): Key => base(scope) + keyOf('v', name),
  version: (scope: Scope, name: string, version: number): Key => base(scope) + keyOf('v', name) + uint64(version),
  /** The stack operation that made a parameter. */
  claim: (scope: Scope, name: string): Key => base(scope) + keyOf('t', name),
  /** What SecureStrings are encrypted with. */
  secret: keyOf('ssm', 'secret'),
};

export { find, rangeOf, read, write };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The key of this installation's SecureStrings, made when first needed; the first to write it wins. */
export async function secretKey(store: Store, ids: Ids): Promise<Buffer> {
  const had = await store.get(keys.secret);
  if (had) return Buffer.from(had);
  const made = ids.bytes(32);
  return store.transact({ keys: [keys.secret] }, (tx) => {
    const now = tx.get(keys.secret);
    if (now) return Buffer.from(now);
    tx.put(keys.secret, made);
    return made;
  });
}

/** AES-256-GCM, bound to the parameter's name. */
export function encrypt(key: Buffer, nonce: Buffer, name: string, value: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64');
}

export function decrypt(key: Buffer, name: string, text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(name));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()]).toString('utf8');
}

export const NONCE = NONCE_BYTES;

/** See {@link claimKey}: for the parameter of that name. */
export function claim(store: Store, scope: Scope, name: string, token: string): Promise<boolean> {
  const row = keys.parameter(scope, name);
  return claimKey(store, keys.claim(scope, name), token, (tx) => tx.get(row) !== undefined, [row]);
}

export const unclaim = (store: Store, scope: Scope, name: string): Promise<void> => unclaimKey(store, keys.claim(scope, name));
