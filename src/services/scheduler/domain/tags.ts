import type { Tag } from '@aws-sdk/client-scheduler';
import { validation } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';

type Tags = Readonly<Record<string, string>>;

export function tagsOf(tags: readonly Tag[] | undefined, had: Tags = {}): Record<string, string> {
  const map = { ...had, ...Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])) };
  if (Object.keys(map).length > TAGS_MAX) throw validation(`A schedule group can have at most ${TAGS_MAX} tags.`);
  return map;
}

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
