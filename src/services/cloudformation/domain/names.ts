import { createHash } from 'node:crypto';

const SUFFIX_LENGTH = 12;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A physical name as CloudFormation makes them, `stack-LogicalId-XXXXXXXXXXXX`; the same for the same token, at most `maxLength` characters. */
export function generatedName(stackName: string, logicalId: string, token: string, maxLength = 255): string {
  const digest = createHash('sha256').update(token).digest();
  const suffix = Array.from(digest.subarray(0, SUFFIX_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  const room = maxLength - SUFFIX_LENGTH - 2;
  if (room < 2) return suffix.slice(0, maxLength);
  const half = Math.floor(room / 2);
  const stack = stackName.length + logicalId.length <= room ? stackName : stackName.slice(0, Math.max(half, room - logicalId.length));
  return `${stack}-${logicalId.slice(0, room - stack.length)}-${suffix}`;
}

/** The token of one resource operation: the same at each retry, of a UUID's form. */
export function tokenOf(operationId: string, logicalId: string, action: string): string {
  const hex = createHash('sha256').update(`${operationId}/${logicalId}/${action}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
