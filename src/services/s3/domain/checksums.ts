import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES, type ChecksumAlgorithm } from '../../../kit/checksums.ts';
import { AwsError } from '../../../kit/errors.ts';
import { invalidDigest, invalidRequest, notImplemented } from '../errors.ts';

/** AWS's default where a client sends no checksum. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = 'CRC64NVME';

const KNOWN: readonly string[] = CHECKSUM_ALGORITHMS;
const UNBUILT = ['XXHASH64', 'XXHASH3', 'XXHASH128'] as const;
const UNSUPPORTED =
  'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]';

/** The algorithm of that name in any case. Throws `InvalidRequest`. */
export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const upper = name.toUpperCase();
  if ((UNBUILT as readonly string[]).includes(upper)) throw notImplemented(`The checksum algorithm ${upper}`);
  if (!KNOWN.includes(upper)) throw invalidRequest(UNSUPPORTED);
  return upper as ChecksumAlgorithm;
}

/** The modelled member that carries a checksum, e.g. `ChecksumCRC32`. */
export function memberOf(algorithm: ChecksumAlgorithm): `Checksum${ChecksumAlgorithm}` {
  return `Checksum${algorithm}`;
}

export type ChecksumMembers = Partial<Record<`Checksum${ChecksumAlgorithm}`, string>>;

/** As an output member; nothing for nothing. */
export function checksumMember(algorithm: ChecksumAlgorithm | undefined, value: string | undefined): ChecksumMembers {
  return algorithm === undefined || value === undefined ? {} : { [memberOf(algorithm)]: value };
}

function isDigest(value: string, bytes: number): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return false;
  const decoded = Buffer.from(value, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === value;
}

/** Throws `InvalidRequest` naming the header. */
export function checkDigestForm(algorithm: ChecksumAlgorithm, value: string): void {
  if (!isDigest(value, CHECKSUM_BYTES[algorithm])) throw invalidRequest(`Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
}

/** `Content-MD5`. Throws `InvalidDigest`. */
export function checkMd5Form(value: string | undefined): void {
  if (value !== undefined && !isDigest(value, CHECKSUM_BYTES.MD5)) throw invalidDigest(value);
}

export interface ChecksumPlan {
  readonly algorithm: ChecksumAlgorithm;
  /** From a header; where absent, the trailer of that name has it, or nobody does. */
  readonly expected?: string;
  readonly trailer?: string;
}

/**
 * Which checksum an upload carries, and where. Undefined where the client sends none. "Checking object integrity for data uploads".
 * @param headers lower-case names of the request.
 */
export function planChecksum(input: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string | undefined>>): ChecksumPlan | undefined {
  for (const name of UNBUILT) if (input[`Checksum${name}`] !== undefined) throw notImplemented(`The checksum algorithm ${name}`);
  const given = CHECKSUM_ALGORITHMS.filter((algorithm) => input[memberOf(algorithm)] !== undefined);
  const trailers = (headers['x-amz-trailer'] ?? '').split(',').flatMap((name) => {
    const match = /^\s*x-amz-checksum-([a-z0-9]+)\s*$/i.exec(name);
    return match?.[1] ? [match[1]] : [];
  });
  if (given.length + trailers.length > 1) {
    throw invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const [trailer] = trailers;
  if (trailer !== undefined) return { algorithm: trailerAlgorithm(trailer), trailer: `x-amz-checksum-${trailer.toLowerCase()}` };
  const [algorithm] = given;
  if (algorithm !== undefined) {
    const expected = String(input[memberOf(algorithm)]);
    checkDigestForm(algorithm, expected);
    return { algorithm, expected };
  }
  if (input['ChecksumAlgorithm'] !== undefined && headers['x-amz-sdk-checksum-algorithm'] !== undefined) {
    throw invalidRequest('x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.');
  }
  return undefined;
}

function trailerAlgorithm(name: string): ChecksumAlgorithm {
  try {
    return parseAlgorithm(name);
  } catch (error) {
    if (error instanceof AwsError && error.status === 501) throw error;
    throw invalidRequest('The value specified in the x-amz-trailer header is not supported');
  }
}
