import type { Tag } from '@aws-sdk/client-sns';
import { invalidParameter, tagLimitExceeded } from '../errors.ts';
import { TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX } from '../limits.ts';

const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** "Amazon SNS topic tagging": throws InvalidParameter. */
export function checkTags(tags: readonly Tag[] | undefined): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (Key in checked) throw invalidParameter('Duplicated keys are not allowed.');
    if (Key === '' || Key.length > TAG_KEY_CHARS_MAX || !ALLOWED.test(Key) || /^aws:/i.test(Key)) throw invalidParameter('Tag keys');
    if (Value.length > TAG_VALUE_CHARS_MAX || !ALLOWED.test(Value)) throw invalidParameter('Tag values');
    checked[Key] = Value;
  }
  return checked;
}

/** Throws TagLimitExceeded. */
export function checkTagCount(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > TAGS_MAX) throw tagLimitExceeded();
}

export const tagList = (tags: Readonly<Record<string, string>>): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
