import { createHash } from 'node:crypto';
import { AwsError } from '../../../kit/errors.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';
import type { Encryption } from './records.ts';

/** "Using server-side encryption with customer-provided keys (SSE-C)": what a request says of its key. */
export interface CustomerKeyInput {
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

const HEADER = 'x-amz-server-side-encryption';

/** What a request says to be the MD5 (Base64) of its key; undefined where it brings none. Throws `InvalidArgument`, `InvalidEncryptionAlgorithmError`. */
export function claimedKey(input: CustomerKeyInput): string | undefined {
  const { SSECustomerAlgorithm: algorithm, SSECustomerKey: key } = input;
  if (!key && !algorithm) return undefined;
  const needs = 'Requests specifying Server Side Encryption with Customer provided keys must provide';
  if (input.ServerSideEncryption) {
    throw invalidArgument(
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
      HEADER,
      input.ServerSideEncryption,
    );
  }
  if (!algorithm) throw invalidArgument(`${needs} a valid encryption algorithm.`, HEADER);
  if (!key) throw invalidArgument(`${needs} an appropriate secret key.`, HEADER);
  if (algorithm !== 'AES256') {
    throw new AwsError('InvalidEncryptionAlgorithmError', 'The Encryption request you specified is not valid. Supported value: AES256.', {
      members: { ArgumentName: HEADER, ArgumentValue: algorithm },
    });
  }
  return input.SSECustomerKeyMD5 ?? '';
}

/** Throws `InvalidArgument` for a key that is none, or not the one of its MD5. */
function verifyKey({ SSECustomerKey: key = '', SSECustomerKeyMD5: md5 }: CustomerKeyInput): void {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== 32) throw invalidArgument('The secret key was invalid for the specified algorithm.', HEADER);
  if (createHash('md5').update(bytes).digest('base64') !== md5) {
    throw invalidArgument('The calculated MD5 hash of the key did not match the hash that was provided.', HEADER);
  }
}

/** {@link claimedKey} of a writer, whose key is then as it says. */
export function customerKeyOf(input: CustomerKeyInput): string | undefined {
  const claimed = claimedKey(input);
  if (claimed !== undefined) verifyKey(input);
  return claimed;
}

/** Lets only those read whose key the object was written with. What the request says of its key is compared first, as S3 does. */
export function checkCustomerKey(encryption: Encryption, input: CustomerKeyInput): void {
  const { customerKeyMd5: expected } = encryption;
  const given = claimedKey(input);
  if (expected === undefined && given === undefined) return;
  if (expected === undefined) throw invalidRequest('The encryption parameters are not applicable to this object.');
  if (given === undefined) {
    throw invalidRequest('The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.');
  }
  if (given !== expected) {
    throw new AwsError('AccessDenied', 'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.', {
      status: 403,
    });
  }
  verifyKey(input);
}

/** The parts of an upload are written with the key that it was begun with. */
export function checkPartKey(encryption: Encryption, given: string | undefined): void {
  if (encryption.customerKeyMd5 === given) return;
  if (given !== undefined && encryption.customerKeyMd5 !== undefined) {
    throw invalidRequest('The provided encryption parameters did not match the ones used originally.');
  }
  throw invalidRequest('The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.');
}
