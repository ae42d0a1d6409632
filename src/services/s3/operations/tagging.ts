import type {
  DeleteBucketTaggingRequest,
  DeleteObjectTaggingOutput,
  DeleteObjectTaggingRequest,
  GetBucketTaggingOutput,
  GetBucketTaggingRequest,
  GetObjectTaggingOutput,
  GetObjectTaggingRequest,
  PutBucketTaggingRequest,
  PutObjectTaggingOutput,
  PutObjectTaggingRequest,
} from '@aws-sdk/client-s3';
import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { checkKey } from '../domain/names.ts';
import { type Tags, tagSet, tagsFromSet } from '../domain/tags.ts';
import { malformedXml, noSuchKey, notFoundConfiguration } from '../errors.ts';
import { announce, happening } from '../notify.ts';
import { checkVersionId, requireTarget } from '../objects.ts';
import { inBucket, inObject, keys, readConfig, readVersion } from '../store.ts';

export async function putBucketTagging(ctx: Ctx, input: PutBucketTaggingRequest): Promise<Record<string, never>> {
  if (!input.Tagging) throw malformedXml();
  const tags = tagsFromSet(input.Tagging.TagSet ?? [], 'bucket');
  await setBucketTags(ctx, input, tags);
  return {};
}

export async function deleteBucketTagging(ctx: Ctx, input: DeleteBucketTaggingRequest): Promise<Record<string, never>> {
  await setBucketTags(ctx, input, {});
  return {};
}

/** No tags and no tag set are the same thing. */
async function setBucketTags(ctx: Ctx, input: { Bucket?: string | undefined; ExpectedBucketOwner?: string | undefined }, tags: Tags): Promise<void> {
  const bucket = await openBucket(ctx, input);
  const row = keys.config(bucket.id, 'tagging');
  await inBucket(ctx, bucket, { keys: [row] }, (tx) => {
    if (Object.keys(tags).length > 0) tx.put(row, encodeJson(tags));
    else tx.delete(row);
  });
}

export async function getBucketTagging(ctx: Ctx, input: GetBucketTaggingRequest): Promise<GetBucketTaggingOutput> {
  const bucket = await openBucket(ctx, input);
  const tags = await readConfig<Tags>(ctx.platform.store, bucket.id, 'tagging');
  if (!tags) throw notFoundConfiguration('NoSuchTagSet', 'The TagSet does not exist', bucket.name);
  return { TagSet: tagSet(tags) };
}

export async function putObjectTagging(ctx: Ctx, input: PutObjectTaggingRequest): Promise<PutObjectTaggingOutput> {
  if (!input.Tagging) throw malformedXml();
  return setObjectTags(ctx, input, tagsFromSet(input.Tagging.TagSet ?? [], 'object'), 'PUT');
}

export function deleteObjectTagging(ctx: Ctx, input: DeleteObjectTaggingRequest): Promise<DeleteObjectTaggingOutput> {
  return setObjectTags(ctx, input, {}, 'DELETE');
}

async function setObjectTags(
  ctx: Ctx,
  input: PutObjectTaggingRequest | DeleteObjectTaggingRequest,
  tags: Tags,
  method: 'PUT' | 'DELETE',
): Promise<{ VersionId?: string }> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  checkVersionId(input.VersionId);
  const what = happening(ctx, method === 'PUT' ? 'ObjectTagging:Put' : 'ObjectTagging:Delete');
  return inObject(ctx, bucket, key, {}, (object, tx) => {
    const record = requireTarget(object.find(input.VersionId), key, input.VersionId, method);
    object.replace({ ...record, tags });
    announce(ctx, tx, object.bucket, key, what, record);
    return object.bucket.versioning ? { VersionId: record.versionId } : {};
  });
}

export async function getObjectTagging(ctx: Ctx, input: GetObjectTaggingRequest): Promise<GetObjectTaggingOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  checkVersionId(input.VersionId);
  const found = await readVersion(ctx.platform.store, bucket.id, key, input.VersionId);
  // This one answer of S3 names the bucket with the key.
  if (!found && input.VersionId === undefined) throw noSuchKey(`${bucket.name}/${key}`);
  const record = requireTarget(found, key, input.VersionId, 'GET');
  return { TagSet: tagSet(record.tags), ...(bucket.versioning ? { VersionId: record.versionId } : {}) };
}
