import { invalidParameter } from '../errors.ts';
import { TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX } from '../limits.ts';

const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** "Amazon SQS cost allocation tags": keys, values and their number; throws InvalidParameterValue. */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > TAGS_MAX) throw invalidParameter(`Too many tags added for queue. Maximum number of tags is ${TAGS_MAX}.`);
  for (const [key, value] of entries) {
    if (key === '' || key.length > TAG_KEY_CHARS_MAX) throw invalidParameter(`Tag keys must be between 1 and ${TAG_KEY_CHARS_MAX} characters in length.`);
    if (value.length > TAG_VALUE_CHARS_MAX) throw invalidParameter(`Tag values must be between 0 and ${TAG_VALUE_CHARS_MAX} characters in length.`);
    if (!ALLOWED.test(key) || !ALLOWED.test(value)) throw invalidParameter('Tag keys and values contain invalid characters.');
    if (/^aws:/i.test(key)) throw invalidParameter('aws: prefixed tag key names are not allowed for external use.');
  }
}
