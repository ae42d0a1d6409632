import { AwsError } from '../../../kit/errors.ts';
import { validation } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';

export interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

/** Tags by key; throws ValidationException. */
export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  const all: Record<string, string> = {};
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (/^aws:/i.test(Key)) throw validation('aws: prefixed tag key names are not allowed for external use.');
    all[Key] = Value;
  }
  return all;
}

export function checkTagCount(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > TAGS_MAX)
    throw new AwsError('TooManyTagsError', `The number of tags exceeds the maximum of ${TAGS_MAX}. Remove tags, and try again.`);
}
