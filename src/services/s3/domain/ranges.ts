import { invalidArgument, invalidRange, invalidRequest } from '../errors.ts';

/** Bytes `start`..`end`, both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The `Range` header of a GET against a body of `size` bytes. Undefined where S3 ignores it (no byte range, several ranges, backwards);
 * throws `InvalidRange` where it lies outside. RFC 9110 "Range Requests"; GetObject.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,19})-(\d{0,19})$/.exec(header?.trim() ?? '');
  if (!header || !match || (match[1] === '' && match[2] === '')) return undefined;
  const first = match[1] === '' ? undefined : Number(match[1]);
  const second = match[2] === '' ? undefined : Number(match[2]);
  if (first === undefined) {
    const count = Math.min(second ?? 0, size);
    if (count === 0) throw invalidRange(header, size);
    return { start: size - count, end: size - 1 };
  }
  if (second !== undefined && second < first) return undefined;
  if (first >= size) throw invalidRange(header, size);
  return { start: first, end: Math.min(second ?? size - 1, size - 1) };
}

const COPY_RANGE_FORM =
  'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy';

/** `x-amz-copy-source-range` of UploadPartCopy, stricter than a GET's. */
export function parseCopyRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (!match || start > end) throw invalidArgument(COPY_RANGE_FORM, 'x-amz-copy-source-range', header);
  if (start >= size) throw invalidRequest('The specified copy range is invalid for the source object size');
  if (end >= size) throw invalidArgument(`Range specified is not valid for source object of size: ${size}`, 'x-amz-copy-source-range', header);
  return { start, end };
}
