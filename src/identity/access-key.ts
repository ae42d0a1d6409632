import type { Ids } from '../kit/ids.ts';

/** RFC 4648 base 32, the alphabet of access key ids and of unique ids (`AROA…`). */
export const ALPHABET_BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What an access key id belongs to: a user's long-term key, or a session. */
export type AccessKeyPrefix = 'AKIA' | 'ASIA';

const ID_BYTES = 10;
const ACCOUNT_SHIFT = 7n;
/** Set in the keys that AWS has issued since 2019: the account stands in the next 40 bits. */
const ACCOUNT_MARK = 1n << 47n;
const ACCOUNT_MASK = 0x7fff_ffff_ff80n;

/** A new access key id. Like AWS's, it carries its account in its first 48 bits, so that {@link accountOfAccessKey} needs no look-up. */
export function newAccessKeyId(ids: Ids, prefix: AccessKeyPrefix, account: string): string {
  const random = ids.bytes(ID_BYTES);
  const head = ACCOUNT_MARK | (BigInt(account) << ACCOUNT_SHIFT) | BigInt((random[5] ?? 0) & 0x7f);
  random.writeUIntBE(Number(head), 0, 6);
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += ALPHABET_BASE32[Number((bits >> shift) & 31n)];
  return prefix + text;
}

/** The 12-digit account that an access key id of AWS's form carries, or undefined where it is of another form. */
export function accountOfAccessKey(accessKeyId: string): string | undefined {
  if (!/^A[A-Z]{3}[A-Z2-7]{16}$/.test(accessKeyId)) return undefined;
  let bits = 0n;
  for (const character of accessKeyId.slice(4, 14)) bits = (bits << 5n) | BigInt(ALPHABET_BASE32.indexOf(character));
  const head = bits >> 2n;
  if ((head & ACCOUNT_MARK) === 0n) return undefined;
  const account = (head & ACCOUNT_MASK) >> ACCOUNT_SHIFT;
  return account < 1_000_000_000_000n ? account.toString().padStart(12, '0') : undefined;
}
