import type { CompleteMultipartUploadOutput, CompleteMultipartUploadRequest } from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { encryptionMembers } from '../attributes.ts';
import { checksumMember } from '../domain/checksums.ts';
import { checkMode, checkWhole, chooseParts, multipartChecksum, multipartEtag, type NamedPart } from '../domain/completion.ts';
import { checkWrite, checkWriteForm } from '../domain/conditions.ts';
import { newStamp } from '../domain/names.ts';
import type { BucketRecord, PartRecord, UploadRecord, VersionRecord } from '../domain/records.ts';
import { noSuchUpload, slowDown } from '../errors.ts';
import { expirationOf } from '../lifecycle.ts';
import { COMPLETE_ATTEMPTS_MAX } from '../limits.ts';
import { announce, happening } from '../notify.ts';
import { nowSeconds } from '../objects.ts';
import { type Draft, endUpload, inObject, keys, readUploadParts, uploadKeys } from '../store.ts';
import { openUpload } from './multipart.ts';

/** The parts' blobs become the object's: nothing is copied, however large it is. */
export async function completeMultipartUpload(ctx: Ctx, input: CompleteMultipartUploadRequest): Promise<CompleteMultipartUploadOutput> {
  checkWriteForm(input);
  const { bucket, upload } = await openUpload(ctx, input);
  const named = input.MultipartUpload?.Parts;
  checkMode(upload, input.ChecksumType);
  for (let attempt = 1; attempt <= COMPLETE_ATTEMPTS_MAX; attempt++) {
    const { parts: uploaded, count } = await readUploadParts(ctx.platform.store, bucket.id, upload.uploadId);
    const parts = chooseParts(upload, uploaded, (named ?? []) as NamedPart[]);
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const checksum = multipartChecksum(upload, parts);
    checkWhole(upload, input as Parameters<typeof checkWhole>[1], checksum, size);
    const etag = multipartEtag(parts);
    const written = await commit(ctx, input, { bucket, upload, parts, count, draft: { etag, size, checksum } });
    if (written === 'changed') continue;
    if (written === 'absent') throw noSuchUpload(upload.uploadId);
    const Expiration = written.version.deleteMarker ? undefined : await expirationOf(ctx, bucket, upload.key, written.version);
    return {
      ...(Expiration === undefined ? {} : { Expiration }),
      Location: locationOf(ctx, bucket, upload.key),
      Bucket: bucket.name,
      Key: upload.key,
      ETag: `"${etag}"`,
      ...(isHidden(upload) ? {} : { ...checksumMember(checksum.algorithm, checksum.value), ChecksumType: checksum.type }),
      ...encryptionMembers(upload.encryption),
      ...(written.versioning === 'Enabled' ? { VersionId: written.version.versionId } : {}),
    } as CompleteMultipartUploadOutput;
  }
  throw slowDown();
}

/** With a client's key S3 keeps no checksum that was not asked for: it would tell of what is encrypted. */
const isHidden = ({ encryption, checksum }: UploadRecord) => encryption.customerKeyMd5 !== undefined && !checksum;

interface Completion {
  readonly bucket: BucketRecord;
  readonly upload: UploadRecord;
  readonly parts: readonly PartRecord[];
  /** What the parts were read at. */
  readonly count: string;
  readonly draft: Pick<Extract<VersionRecord, { deleteMarker?: undefined }>, 'etag' | 'size'> & { checksum: ReturnType<typeof multipartChecksum> };
}

function commit(ctx: Ctx, input: CompleteMultipartUploadRequest, { bucket, upload, parts, count, draft }: Completion) {
  const { uploadId: _id, key, initiatedMs: _at, initiator: _who, before: _before, checksum, ...attributes } = upload;
  const listId = ctx.platform.ids.text(16);
  const body = { kind: 'parts', id: listId } as const;
  const { checksum: whole, ...facts } = draft;
  const object: Draft = { ...attributes, ...facts, ...(isHidden(upload) ? {} : { checksum: whole }), body, parts: parts.length, modifiedMs: nowSeconds(ctx) };
  const list = parts.map((part, index) => {
    const value = checksum && part.checksums[checksum.algorithm];
    return { number: index + 1, blob: part.blob, size: part.size, ...(value === undefined ? {} : { checksum: value }) };
  });
  const stamp = newStamp(ctx.platform.ids);
  const what = happening(ctx, 'ObjectCreated:CompleteMultipartUpload');
  const more = { keys: [...uploadKeys(bucket, upload), keys.parts(bucket.id, listId)] };
  return inObject(ctx, bucket, key, more, (target, tx) => {
    checkWrite(input, key, target.current, upload);
    const ended = endUpload(ctx, tx, bucket, upload, { count, keep: listId });
    if (ended !== 'ended') return ended;
    const version = target.write(object, stamp, { body, parts: list });
    announce(ctx, tx, target.bucket, key, what, version);
    return { version, versioning: target.bucket.versioning };
  });
}

function locationOf(ctx: Ctx, bucket: BucketRecord, key: string): string {
  const { scheme, host, port } = ctx.platform.address();
  const base = ctx.http?.host ? `${scheme}://${ctx.http.host}` : `${scheme}://${host}:${port}`;
  return `${base}/${bucket.name}/${encodeURIComponent(key)}`;
}
