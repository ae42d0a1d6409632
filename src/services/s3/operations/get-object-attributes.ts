import type { GetObjectAttributesOutput, GetObjectAttributesRequest } from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { checksumMember } from '../domain/checksums.ts';
import { checkCustomerKey, claimedKey } from '../domain/customer-key.ts';
import { pageSize } from '../domain/listing.ts';
import { checkKey } from '../domain/names.ts';
import type { BucketRecord, ObjectRecord } from '../domain/records.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';
import { findObject } from '../objects.ts';
import { readParts } from '../store.ts';

const ATTRIBUTES: ReadonlySet<string> = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']);

export async function getObjectAttributes(ctx: Ctx, input: GetObjectAttributesRequest): Promise<GetObjectAttributesOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  claimedKey(input);
  const wanted = new Set<string>(input.ObjectAttributes ?? []);
  if (wanted.size === 0) {
    throw invalidRequest('The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty');
  }
  for (const name of wanted) if (!ATTRIBUTES.has(name)) throw invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes', name);
  const bucket = await openBucket(ctx, input);
  const record = await findObject(ctx, bucket, key, input.VersionId, 'GET');
  checkCustomerKey(record.encryption, input);
  const { checksum } = record;
  return {
    LastModified: new Date(record.modifiedMs),
    ...(bucket.versioning ? { VersionId: record.versionId } : {}),
    ...(wanted.has('ETag') ? { ETag: record.etag } : {}),
    ...(wanted.has('Checksum') && checksum
      ? { Checksum: { ...checksumMember(checksum.algorithm, checksum.value.replace(/-\d+$/, '')), ChecksumType: checksum.type } }
      : {}),
    ...(wanted.has('ObjectParts') && record.parts !== undefined ? { ObjectParts: await partsOf(ctx, bucket, record, input) } : {}),
    ...(wanted.has('StorageClass') ? { StorageClass: record.storageClass as NonNullable<GetObjectAttributesOutput['StorageClass']> } : {}),
    ...(wanted.has('ObjectSize') ? { ObjectSize: record.size } : {}),
  };
}

/** Parts are listed one by one only where each has a checksum of its own. */
async function partsOf(ctx: Ctx, bucket: BucketRecord, record: ObjectRecord, input: GetObjectAttributesRequest) {
  const TotalPartsCount = record.parts ?? 0;
  const { checksum, body } = record;
  if (checksum?.type !== 'COMPOSITE' || body.kind !== 'parts') return { TotalPartsCount };
  const marker = Number(input.PartNumberMarker ?? 0);
  const limit = pageSize(input.MaxParts, 'max-parts');
  const rest = ((await readParts(ctx.platform.store, bucket.id, body.id)) ?? []).filter((part) => part.number > marker);
  const page = rest.slice(0, limit);
  return {
    TotalPartsCount,
    PartNumberMarker: marker as unknown as string,
    NextPartNumberMarker: (page.at(-1)?.number ?? 0) as unknown as string,
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    Parts: page.map((part) => ({ PartNumber: part.number, Size: part.size, ...checksumMember(checksum.algorithm, part.checksum) })),
  };
}
