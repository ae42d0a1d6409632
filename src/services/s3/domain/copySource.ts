import { invalidArgument } from '../errors.ts';
import { isBucketName } from './names.ts';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** `x-amz-copy-source`: `[/]bucket/key[?versionId=…]`, the key URL-encoded. Throws `InvalidArgument`. CopyObject. */
export function parseCopySource(header: string): CopySource {
  // `?versionId=` is looked for before decoding: a key may hold an encoded question mark.
  const query = header.lastIndexOf('?versionId=');
  const path = query < 0 ? header : header.slice(0, query);
  const versionId = query < 0 ? undefined : header.slice(query + '?versionId='.length);
  // S3 takes a whole URL as well.
  const decoded = decode(path.replace(/^https?:\/\/[^/]+/, '')).replace(/^\//, '');
  const slash = decoded.indexOf('/');
  const bucket = slash < 0 ? '' : decoded.slice(0, slash);
  const key = slash < 0 ? '' : decoded.slice(slash + 1);
  if (key === '') throw invalidArgument('Invalid copy source object key', 'x-amz-copy-source', 'x-amz-copy-source');
  if (!isBucketName(bucket)) throw invalidArgument('Invalid copy source bucket name', 'x-amz-copy-source', 'x-amz-copy-source');
  return { bucket, key, ...(versionId === undefined || versionId === '' ? {} : { versionId }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidArgument('Invalid copy source encoding', 'x-amz-copy-source', 'x-amz-copy-source');
  }
}
