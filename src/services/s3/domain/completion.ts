import { createHash } from 'node:crypto';
import { type ChecksumAlgorithm, type CrcAlgorithm, checksumOf, combineCrc } from '../../../kit/checksums.ts';
import { badChecksum, badPartChecksum, entityTooSmall, invalidArgument, invalidPart, invalidPartOrder, invalidRequest } from '../errors.ts';
import { PART_BYTES_MIN, PART_NUMBER_MAX } from '../limits.ts';
import { type ChecksumMembers, DEFAULT_ALGORITHM, memberOf } from './checksums.ts';
import type { PartRecord, StoredChecksum, UploadRecord } from './records.ts';

/** A part as the completion names it. */
export type NamedPart = ChecksumMembers & { readonly PartNumber?: number | undefined; readonly ETag?: string | undefined };

/**
 * The parts of the object, in order: every named one must be there with that ETag and checksum, in ascending order, and all but the last
 * of 5 MiB or more. Throws `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`, `InvalidRequest`. CompleteMultipartUpload.
 */
export function chooseParts(upload: UploadRecord, uploaded: readonly PartRecord[], named: readonly NamedPart[]): PartRecord[] {
  if (named.length === 0) throw invalidRequest('You must specify at least one part');
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  const chosen: PartRecord[] = [];
  let previous = 0;
  for (const name of named) {
    const number = name.PartNumber ?? 0;
    if (!Number.isInteger(number) || number < 1 || number > PART_NUMBER_MAX) throw invalidArgument('PartNumber must be >= 1', 'PartNumber', String(number));
    if (number <= previous) throw invalidPartOrder(upload.uploadId);
    previous = number;
    chosen.push(choose(upload, byNumber.get(number), name, number));
  }
  for (const part of chosen.slice(0, -1)) {
    if (part.size < PART_BYTES_MIN) throw entityTooSmall(part.size, part.number, part.etag);
  }
  return chosen;
}

function choose(upload: UploadRecord, part: PartRecord | undefined, name: NamedPart, number: number): PartRecord {
  const etag = (name.ETag ?? '').replace(/^"|"$/g, '');
  if (!part || part.etag !== etag) throw invalidPart(upload.uploadId, number, etag);
  const given = Object.entries(name).filter(([member, value]) => member.startsWith('Checksum') && value !== undefined);
  const asked = upload.checksum;
  if (asked?.type === 'COMPOSITE' && given.length === 0) {
    const algorithm = asked.algorithm.toLowerCase();
    throw invalidRequest(
      `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  for (const [member, value] of given) {
    const algorithm = asked?.algorithm;
    if (algorithm && member !== memberOf(algorithm)) throw badPartChecksum(member.replace('Checksum', '').toLowerCase(), number);
    if (!algorithm || part.checksums[algorithm] !== value) throw invalidPart(upload.uploadId, number, etag);
  }
  return part;
}

/** MD5 of the parts' MD5s, and how many there are. */
export function multipartEtag(parts: readonly PartRecord[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(Buffer.from(part.etag, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

const isCrc = (algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm => algorithm.startsWith('CRC');

/** The object's checksum from those of its parts: the whole's own for full objects, a checksum of checksums for composites. */
export function multipartChecksum(upload: UploadRecord, parts: readonly PartRecord[]): StoredChecksum {
  const algorithm = upload.checksum?.algorithm ?? DEFAULT_ALGORITHM;
  const type = upload.checksum?.type ?? 'FULL_OBJECT';
  const digests = parts.map((part) => ({ digest: Buffer.from(part.checksums[algorithm] ?? '', 'base64'), size: part.size }));
  if (type === 'FULL_OBJECT' && isCrc(algorithm)) return { algorithm, type, value: combineCrc(algorithm, digests).toString('base64') };
  const composite = checksumOf(algorithm, Buffer.concat(digests.map(({ digest }) => digest))).toString('base64');
  return { algorithm, type, value: `${composite}-${parts.length}` };
}

/** Throws `InvalidRequest` where a completion names another kind of checksum than the upload's. */
export function checkMode(upload: UploadRecord, checksumType: string | undefined): void {
  const type = checksumType?.toUpperCase();
  if (type === undefined || type === upload.checksum?.type) return;
  const mode = upload.checksum?.type ?? 'null';
  throw invalidRequest(`The upload was created using the ${mode} checksum mode. The complete request must use the same checksum mode.`);
}

/** What a completion says about the whole object. Throws `InvalidRequest` or `BadDigest`. */
export function checkWhole(
  upload: UploadRecord,
  input: ChecksumMembers & { readonly ChecksumType?: string | undefined; readonly MpuObjectSize?: number | string | undefined },
  checksum: StoredChecksum,
  size: number,
): void {
  const type = input.ChecksumType?.toUpperCase();
  if (input.MpuObjectSize !== undefined && Number(input.MpuObjectSize) !== size) {
    throw invalidRequest(`The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${size}`);
  }
  const given = Object.keys(input).filter((member) => /^Checksum(?!Type$)/.test(member) && input[member as keyof ChecksumMembers] !== undefined);
  const member = memberOf(checksum.algorithm);
  // An upload that was begun without an algorithm looks at its own default only.
  if (given.length === 0 || (!upload.checksum && !given.includes(member))) return;
  // Without its type a checksum is taken for a composite one.
  const sameType = checksum.type === 'COMPOSITE' || type === 'FULL_OBJECT' || upload.checksum === undefined;
  const value = input[member];
  const matches = value === checksum.value || value === checksum.value.replace(/-\d+$/, '');
  if (!sameType || given.some((one) => one !== member) || !matches) throw badChecksum(checksum.algorithm.toLowerCase());
}
