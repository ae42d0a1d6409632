import { conditionalRequestConflict, headerNotImplemented, noSuchKey, notModified, preconditionFailed } from '../errors.ts';
import type { VersionRecord } from './records.ts';

export interface ReadConditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: Date | undefined;
  readonly ifUnmodifiedSince?: Date | undefined;
}

interface Facts {
  readonly etag: string;
  readonly modifiedMs: number;
}

function matches(header: string, etag: string): boolean {
  return header.split(',').some((candidate) => {
    const text = candidate.trim().replace(/^W\//, '');
    return text === '*' || text.replace(/^"|"$/g, '') === etag;
  });
}

/**
 * Which condition fails: If-Match wins over If-Unmodified-Since, If-None-Match over If-Modified-Since (GetObject, "Additional considerations
 * about request headers"). A date in the future is no condition.
 */
export function failedCondition(conditions: ReadConditions, facts: Facts, nowMs: number): keyof ReadConditions | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, facts.etag)) return 'ifMatch';
  } else if (ifUnmodifiedSince !== undefined && facts.modifiedMs > ifUnmodifiedSince.getTime()) return 'ifUnmodifiedSince';
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, facts.etag)) return 'ifNoneMatch';
  } else if (ifModifiedSince !== undefined && facts.modifiedMs <= ifModifiedSince.getTime() && ifModifiedSince.getTime() <= nowMs) return 'ifModifiedSince';
  return undefined;
}

/** Throws 412 `PreconditionFailed` or 304 for a GET or HEAD. */
export function checkRead(conditions: ReadConditions, facts: Facts, nowMs: number): void {
  switch (failedCondition(conditions, facts, nowMs)) {
    case 'ifMatch':
      throw preconditionFailed('If-Match');
    case 'ifUnmodifiedSince':
      throw preconditionFailed('If-Unmodified-Since');
    case 'ifNoneMatch':
    case 'ifModifiedSince':
      throw notModified({ ETag: `"${facts.etag}"`, 'Last-Modified': new Date(facts.modifiedMs).toUTCString() });
    default:
  }
}

const COPY_CONDITION: Readonly<Record<keyof ReadConditions, string>> = {
  ifMatch: 'x-amz-copy-source-If-Match',
  ifNoneMatch: 'x-amz-copy-source-If-None-Match',
  ifModifiedSince: 'x-amz-copy-source-If-Modified-Since',
  ifUnmodifiedSince: 'x-amz-copy-source-If-Unmodified-Since',
};

/** Throws 412 for the source of a copy. */
export function checkCopySource(conditions: ReadConditions, facts: Facts, nowMs: number): void {
  const failed = failedCondition(conditions, facts, nowMs);
  if (failed) throw preconditionFailed(COPY_CONDITION[failed]);
}

export interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

/** Forms that S3 does not take: throws its 501. "How to prevent object overwrites with conditional writes". */
export function checkWriteForm({ IfMatch, IfNoneMatch }: WriteConditions): void {
  if (IfMatch !== undefined && IfNoneMatch !== undefined) {
    throw headerNotImplemented('If-Match,If-None-Match', 'Multiple conditional request headers present in the request');
  }
  if (IfNoneMatch !== undefined && IfNoneMatch !== '*') {
    throw headerNotImplemented('If-None-Match', "We don't accept the provided value of If-None-Match header for this API");
  }
  if (IfMatch === '*') throw headerNotImplemented('If-Match', "We don't accept the provided value of If-Match header for this API");
}

/**
 * Runs inside the transaction, against the current version. `upload`: the multipart upload that is being completed, with the stamp of the
 * object that the key had when it began; a change since then is a conflict.
 */
export function checkWrite(conditions: WriteConditions, key: string, current: VersionRecord | undefined, upload?: { readonly before?: string }): void {
  if (conditions.IfNoneMatch !== undefined) {
    if (current && !current.deleteMarker) throw preconditionFailed('If-None-Match');
    if (upload?.before !== undefined) throw conditionalRequestConflict('If-None-Match', key);
  }
  if (conditions.IfMatch !== undefined) {
    if (!current || current.deleteMarker) throw noSuchKey(key);
    if (current.etag !== conditions.IfMatch.replace(/^"|"$/g, '')) throw preconditionFailed('If-Match');
    if (upload && upload.before !== current.stamp) throw conditionalRequestConflict('If-Match', key);
  }
}
