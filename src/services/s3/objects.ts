import { AwsError } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';
import { defined, encryptionMembers } from './attributes.ts';
import { checksumMember } from './domain/checksums.ts';
import { isVersionId } from './domain/names.ts';
import type { BucketRecord, ObjectRecord, VersionRecord } from './domain/records.ts';
import { deleteMarkerNotAllowed, invalidArgument, noSuchKey, noSuchVersion } from './errors.ts';
import { readVersion } from './store.ts';

/** Whole seconds of virtual time: S3 keeps no finer time. */
export function nowSeconds(ctx: Ctx): number {
  return Math.floor(ctx.platform.clock.virtual() / 1000) * 1000;
}

/** Throws `InvalidArgument` for an id that S3 never gave out. */
export function checkVersionId(versionId: string | undefined): void {
  if (versionId !== undefined && !isVersionId(versionId)) throw invalidArgument('Invalid version id specified', 'versionId', versionId);
}

export function deleteMarkerHeaders(marker: VersionRecord): Record<string, string> {
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId };
}

/** The object that a request is about. Throws `NoSuchKey`, `NoSuchVersion`, and `MethodNotAllowed` for a delete marker by its id. */
export async function findObject(ctx: Ctx, bucket: BucketRecord, key: string, versionId: string | undefined, method: string): Promise<ObjectRecord> {
  checkVersionId(versionId);
  return requireObject(await readVersion(ctx.platform.store, bucket.id, key, versionId), key, versionId, method);
}

export function requireObject(record: VersionRecord | undefined, key: string, versionId: string | undefined, method: string): ObjectRecord {
  if (!record) throw versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
  if (!record.deleteMarker) return record;
  if (versionId === undefined) throw noSuchKey(key, deleteMarkerHeaders(record));
  throw deleteMarkerNotAllowed(method, { ...deleteMarkerHeaders(record), Allow: 'DELETE', 'Last-Modified': new Date(record.modifiedMs).toUTCString() });
}

/** {@link requireObject} for what changes an object: there the current delete marker, too, is `MethodNotAllowed`. */
export function requireTarget(record: VersionRecord | undefined, key: string, versionId: string | undefined, method: string): ObjectRecord {
  return requireObject(record, key, record?.deleteMarker ? record.versionId : versionId, method);
}

const ARCHIVED: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

export function isArchived({ storageClass }: ObjectRecord): boolean {
  return ARCHIVED.has(storageClass);
}

/** Throws `InvalidObjectState` for an archived object that has not been restored. */
export function checkReadable(record: ObjectRecord, nowMs: number): void {
  if (!isArchived(record) || (record.restore?.untilMs ?? 0) > nowMs) return;
  throw new AwsError('InvalidObjectState', "The operation is not valid for the object's storage class", {
    status: 403,
    members: { StorageClass: record.storageClass },
  });
}

/** The header `x-amz-restore`. */
function restoreHeader({ restore }: ObjectRecord, nowMs: number): string | undefined {
  if (!restore) return undefined;
  if (restore.untilMs === undefined) return 'ongoing-request="true"';
  return restore.untilMs > nowMs ? `ongoing-request="false", expiry-date="${new Date(restore.untilMs).toUTCString()}"` : undefined;
}

export interface ResponseOverrides {
  readonly ResponseCacheControl?: string | undefined;
  readonly ResponseContentDisposition?: string | undefined;
  readonly ResponseContentEncoding?: string | undefined;
  readonly ResponseContentLanguage?: string | undefined;
  readonly ResponseContentType?: string | undefined;
  readonly ResponseExpires?: Date | undefined;
}

const OVERRIDES = {
  ResponseCacheControl: 'response-cache-control',
  ResponseContentDisposition: 'response-content-disposition',
  ResponseContentEncoding: 'response-content-encoding',
  ResponseContentLanguage: 'response-content-language',
  ResponseContentType: 'response-content-type',
} as const;

/** Throws `InvalidArgument` for what no header can carry. */
function checkOverrides(overrides: ResponseOverrides): void {
  for (const [member, name] of Object.entries(OVERRIDES)) {
    const value = overrides[member as keyof typeof OVERRIDES];
    if (value !== undefined && /[^\t -\xff]/.test(value)) throw invalidArgument('Header value cannot be represented using ISO-8859-1.', name, value);
  }
}

/** The headers of GetObject and HeadObject. */
export function describeObject(
  bucket: BucketRecord,
  record: ObjectRecord,
  overrides: ResponseOverrides,
  withChecksum: boolean,
  nowMs: number,
): Record<string, unknown> {
  checkOverrides(overrides);
  const { headers, checksum } = record;
  const tagCount = Object.keys(record.tags).length;
  return defined({
    AcceptRanges: 'bytes',
    LastModified: new Date(record.modifiedMs),
    ContentLength: record.size,
    ETag: `"${record.etag}"`,
    ...(withChecksum && checksum ? { ...checksumMember(checksum.algorithm, checksum.value), ChecksumType: checksum.type } : {}),
    VersionId: bucket.versioning === undefined ? undefined : record.versionId,
    CacheControl: overrides.ResponseCacheControl ?? headers.CacheControl,
    ContentDisposition: overrides.ResponseContentDisposition ?? headers.ContentDisposition,
    ContentEncoding: overrides.ResponseContentEncoding ?? headers.ContentEncoding,
    ContentLanguage: overrides.ResponseContentLanguage ?? headers.ContentLanguage,
    ContentType: overrides.ResponseContentType ?? headers.ContentType,
    Expires: overrides.ResponseExpires?.toUTCString() ?? headers.Expires,
    WebsiteRedirectLocation: headers.WebsiteRedirectLocation,
    Metadata: record.metadata,
    ...encryptionMembers(record.encryption),
    StorageClass: record.storageClass === 'STANDARD' ? undefined : record.storageClass,
    Restore: restoreHeader(record, nowMs),
    ObjectLockMode: record.lock?.mode,
    ObjectLockRetainUntilDate: record.lock && new Date(record.lock.untilMs),
    ObjectLockLegalHoldStatus: record.legalHold,
    TagCount: tagCount > 0 ? tagCount : undefined,
  });
}
