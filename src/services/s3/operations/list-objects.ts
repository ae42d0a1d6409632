import type {
  _Object,
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
  ListObjectVersionsOutput,
  ListObjectVersionsRequest,
} from '@aws-sdk/client-s3';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { Ctx } from '../../service.ts';
import { defined } from '../attributes.ts';
import { openBucket } from '../buckets.ts';
import { decodeToken, encoderFor, encodeToken, pageSize } from '../domain/listing.ts';
import { canonicalUserId } from '../domain/names.ts';
import type { ObjectRecord, VersionRecord } from '../domain/records.ts';
import { invalidArgument } from '../errors.ts';
import { type ListedVersion, walkObjects, walkVersions } from '../walk.ts';

type Encode = (text: string) => string;

const ownerOf = (record: VersionRecord) => ({ ID: canonicalUserId(record.account) });

function listed(key: string, record: ObjectRecord, encode: Encode, withOwner: boolean): _Object {
  return {
    Key: encode(key),
    LastModified: new Date(record.modifiedMs),
    ETag: `"${record.etag}"`,
    ...(record.checksum ? { ChecksumAlgorithm: [record.checksum.algorithm], ChecksumType: record.checksum.type } : {}),
    Size: record.size,
    ...(withOwner ? { Owner: ownerOf(record) } : {}),
    StorageClass: record.storageClass as NonNullable<_Object['StorageClass']>,
  };
}

/**
 * S3 puts what is listed last, after what it is listed of, and older SDKs (Java) read it in that order; the models have it by member. A name of an
 * element stands nowhere in the text but for that element: what clients write is escaped.
 */
function lastly(response: WireResponse, elements: readonly string[]): WireResponse {
  let text = String(response.body);
  let moved = '';
  for (const name of elements) {
    const from = text.indexOf(`<${name}>`);
    if (from < 0) continue;
    const to = text.lastIndexOf(`</${name}>`) + name.length + 3;
    moved += text.slice(from, to);
    text = text.slice(0, from) + text.slice(to);
  }
  const end = text.lastIndexOf('</');
  return { ...response, body: text.slice(0, end) + moved + text.slice(end) };
}

/** Lists tell the bucket's region in a header, which the model leaves out. */
export function respondList(_ctx: Ctx, output: Record<string, unknown>, response: WireResponse): WireResponse {
  const ordered = lastly(response, ['Contents', 'CommonPrefixes']);
  return { ...ordered, headers: { ...response.headers, 'x-amz-bucket-region': String(output['BucketRegion']) } };
}

export function respondVersions(_ctx: Ctx, _output: Record<string, unknown>, response: WireResponse): WireResponse {
  return lastly(response, ['Version', 'DeleteMarker', 'CommonPrefixes']);
}

/** The owner comes before the buckets. */
export function respondBuckets(_ctx: Ctx, _output: Record<string, unknown>, response: WireResponse): WireResponse {
  return lastly(response, ['Buckets', 'ContinuationToken', 'Prefix']);
}

export async function listObjects(ctx: Ctx, input: ListObjectsRequest): Promise<ListObjectsOutput> {
  const encode = encoderFor(input.EncodingType);
  const limit = pageSize(input.MaxKeys, 'maxKeys');
  const bucket = await openBucket(ctx, input);
  const prefix = input.Prefix ?? '';
  const delimiter = input.Delimiter || undefined;
  const page = await walkObjects(ctx.platform.store, bucket.id, { prefix, delimiter, after: input.Marker || undefined, limit });
  return defined({
    IsTruncated: page.truncated,
    Marker: encode(input.Marker ?? ''),
    // Without a delimiter the client goes on from the last key by itself.
    NextMarker: page.truncated && delimiter !== undefined ? encode(page.last ?? '') : undefined,
    Contents: page.items.map(({ key, record }) => listed(key, record, encode, true)),
    Name: bucket.name,
    BucketRegion: bucket.region,
    Prefix: encode(prefix),
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    MaxKeys: limit,
    CommonPrefixes: page.prefixes.map((one) => ({ Prefix: encode(one) })),
    EncodingType: input.EncodingType,
  });
}

export async function listObjectsV2(ctx: Ctx, input: ListObjectsV2Request): Promise<ListObjectsV2Output> {
  const encode = encoderFor(input.EncodingType);
  const limit = pageSize(input.MaxKeys, 'maxKeys');
  const bucket = await openBucket(ctx, input);
  if (input.ContinuationToken === '') throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  const after = input.ContinuationToken === undefined ? input.StartAfter : decodeToken(input.ContinuationToken);
  const prefix = input.Prefix ?? '';
  const delimiter = input.Delimiter || undefined;
  const page = await walkObjects(ctx.platform.store, bucket.id, { prefix, delimiter, after: after || undefined, limit });
  return defined({
    IsTruncated: page.truncated,
    Contents: page.items.map(({ key, record }) => listed(key, record, encode, input.FetchOwner === true)),
    Name: bucket.name,
    BucketRegion: bucket.region,
    Prefix: encode(prefix),
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    MaxKeys: limit,
    CommonPrefixes: page.prefixes.map((one) => ({ Prefix: encode(one) })),
    EncodingType: input.EncodingType,
    KeyCount: page.items.length + page.prefixes.length,
    ContinuationToken: input.ContinuationToken,
    NextContinuationToken: page.truncated ? encodeToken(page.last ?? '') : undefined,
    StartAfter: input.ContinuationToken !== undefined || !input.StartAfter ? undefined : encode(input.StartAfter),
  });
}

export async function listObjectVersions(ctx: Ctx, input: ListObjectVersionsRequest): Promise<ListObjectVersionsOutput> {
  const encode = encoderFor(input.EncodingType);
  const limit = pageSize(input.MaxKeys, 'maxKeys');
  const bucket = await openBucket(ctx, input);
  const marker = input.KeyMarker || undefined;
  if (input.VersionIdMarker && marker === undefined) {
    throw invalidArgument('A version-id marker cannot be specified without a key marker.', 'version-id-marker', input.VersionIdMarker);
  }
  const prefix = input.Prefix ?? '';
  const delimiter = input.Delimiter || undefined;
  const walk = { prefix, delimiter, after: marker, afterVersion: input.VersionIdMarker || undefined, limit };
  const page = await walkVersions(ctx.platform.store, bucket, walk);
  const common = ({ key, record, isLatest }: ListedVersion) => ({ Key: encode(key), VersionId: record.versionId, IsLatest: isLatest, Owner: ownerOf(record) });
  return defined({
    IsTruncated: page.truncated,
    KeyMarker: encode(marker ?? ''),
    VersionIdMarker: input.VersionIdMarker ?? '',
    NextKeyMarker: page.truncated ? encode(page.last?.key ?? '') : undefined,
    NextVersionIdMarker: page.truncated ? page.last?.versionId : undefined,
    Versions: page.versions.flatMap((one) =>
      one.record.deleteMarker ? [] : [{ ...(listed(one.key, one.record, encode, false) as { StorageClass: 'STANDARD' }), ...common(one) }],
    ),
    DeleteMarkers: page.versions.flatMap((one) => (one.record.deleteMarker ? [{ ...common(one), LastModified: new Date(one.record.modifiedMs) }] : [])),
    Name: bucket.name,
    BucketRegion: bucket.region,
    Prefix: encode(prefix),
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    MaxKeys: limit,
    CommonPrefixes: page.prefixes.map((one) => ({ Prefix: encode(one) })),
    EncodingType: input.EncodingType,
  });
}
