import { invalidParameter } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';

/** Throws where a function would have too many tags, or some of AWS's own. */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  const names = Object.keys(tags);
  if (names.length > TAGS_MAX) throw invalidParameter('Number of tags exceeds resource tag limit.');
  if (names.some((name) => name.toLowerCase().startsWith('aws:') && !name.startsWith('aws:cloudformation:'))) {
    throw invalidParameter('Tag keys starting with aws: are reserved for internal use.');
  }
}
