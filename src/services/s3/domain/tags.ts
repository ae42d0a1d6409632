import { badRequest, invalidArgument, invalidTag, malformedXml } from '../errors.ts';
import { BUCKET_TAGS_MAX, OBJECT_TAGS_MAX, TAG_KEY_MAX, TAG_VALUE_MAX } from '../limits.ts';

export type Tags = Readonly<Record<string, string>>;

const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const HEADER_FORM = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";

/** A `TagSet` element. Throws `InvalidTag`, `BadRequest` (too many) or `MalformedXML`. "Categorizing your objects using tags". */
export function tagsFromSet(set: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined, of: 'bucket' | 'object'): Tags {
  if (!set) throw malformedXml();
  const tags = new Map<string, string>();
  for (const { Key, Value } of set) {
    if (Key === undefined || Value === undefined) throw malformedXml();
    if (tags.has(Key)) throw invalidTag('Cannot provide multiple Tags with the same key', { TagKey: Key });
    checkTag(Key, Value, of);
    tags.set(Key, Value);
  }
  checkCount(tags.size, of);
  return Object.fromEntries(tags);
}

/** The `x-amz-tagging` header: `Key1=Value1&Key2=Value2`, URL-encoded. */
export function tagsFromHeader(header: string | undefined): Tags {
  if (!header) return {};
  const tags = new Map<string, string>();
  for (const pair of header.split('&')) {
    if (pair === '') continue;
    const [key, value = '', ...rest] = pair.split('=').map(decode);
    if (key === undefined || key === '' || rest.length > 0 || pair.includes(',') || tags.has(key)) {
      throw invalidArgument(HEADER_FORM, 'x-amz-tagging', header);
    }
    checkTag(key, value, 'object');
    tags.set(key, value);
  }
  checkCount(tags.size, 'object');
  return Object.fromEntries(tags);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidArgument(HEADER_FORM, 'x-amz-tagging', text);
  }
}

function checkTag(key: string, value: string, of: 'bucket' | 'object'): void {
  if (key.startsWith('aws:')) {
    const message = of === 'bucket' ? 'System tags cannot be added/updated by requester' : 'Your TagKey cannot be prefixed with aws:';
    throw invalidTag(message, { TagKey: key });
  }
  if (key.length === 0 || key.length > TAG_KEY_MAX || !ALLOWED.test(key)) throw invalidTag('The TagKey you have provided is invalid', { TagKey: key });
  if (value.length > TAG_VALUE_MAX || !ALLOWED.test(value)) {
    throw invalidTag('The TagValue you have provided is invalid', { TagKey: key, TagValue: value });
  }
}

function checkCount(count: number, of: 'bucket' | 'object'): void {
  if (of === 'object' && count > OBJECT_TAGS_MAX) throw badRequest(`Object tags cannot be greater than ${OBJECT_TAGS_MAX}`);
  if (of === 'bucket' && count > BUCKET_TAGS_MAX) throw badRequest(`Bucket tag count cannot be greater than ${BUCKET_TAGS_MAX}`);
}

/** In the order AWS lists them: by key. */
export function tagSet(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
}
