import type { PutObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { attributesOf, encryptionMembers } from '../attributes.ts';
import { announcedBytes, naming, receive, type Source } from '../body.ts';
import { openBucket } from '../buckets.ts';
import { checkMd5Form, checksumMember, DEFAULT_ALGORITHM, planChecksum } from '../domain/checksums.ts';
import { checkWrite, checkWriteForm } from '../domain/conditions.ts';
import { checkKey, newStamp } from '../domain/names.ts';
import { notImplemented } from '../errors.ts';
import { announce, happening } from '../notify.ts';
import { nowSeconds } from '../objects.ts';
import { inObject, keys } from '../store.ts';

export type PutObjectInput = Omit<PutObjectRequest, 'Body'> & { Body?: Source };

export async function putObject(ctx: Ctx, input: PutObjectInput): Promise<PutObjectOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  checkWriteForm(input);
  checkMd5Form(input.ContentMD5);
  if (input.WriteOffsetBytes !== undefined) throw notImplemented('Appending to an object (x-amz-write-offset-bytes)');
  const plan = planChecksum(input, ctx.http?.headers ?? {});
  const expectedBytes = announcedBytes(ctx, input.ContentLength);
  const bucket = await openBucket(ctx, input);
  const attributes = attributesOf(bucket, input);
  const algorithm = plan?.algorithm ?? DEFAULT_ALGORITHM;
  const received = await receive(ctx, input.Body, { algorithms: [algorithm], plan, expectedBytes, contentMd5: input.ContentMD5 });
  const checksum = { algorithm, value: received.checksums[algorithm] ?? '', type: 'FULL_OBJECT' as const };
  const { body } = received.content;
  const draft = { ...attributes, etag: received.md5, size: received.size, body, checksum, modifiedMs: nowSeconds(ctx), account: bucket.account };
  const stamp = newStamp(ctx.platform.ids);
  const what = happening(ctx, 'ObjectCreated:Put');
  const more = body.kind === 'inline' ? { keys: [keys.inline(bucket.id, body.id)] } : body.kind === 'blob' ? { keys: [keys.blob(body.id)] } : {};
  const written = await naming(ctx, received.content, () =>
    inObject(ctx, bucket, key, more, (object, tx) => {
      checkWrite(input, key, object.current);
      ctx.meter('BytesIn', received.size);
      const version = object.write(draft, stamp, received.content);
      announce(ctx, tx, object.bucket, key, what, version);
      return { version, versioning: object.bucket.versioning };
    }),
  );
  return {
    ETag: `"${received.md5}"`,
    ...checksumMember(algorithm, checksum.value),
    ChecksumType: checksum.type,
    ...encryptionMembers(attributes.encryption),
    ...(written.versioning === 'Enabled' ? { VersionId: written.version.versionId } : {}),
  } as PutObjectOutput;
}
