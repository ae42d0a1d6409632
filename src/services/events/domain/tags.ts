import type { Tag } from '@aws-sdk/client-eventbridge';
import { tooManyTags } from '../errors.ts';
import { TAGS_MAX } from '../limits.ts';

type Tags = Readonly<Record<string, string>>;

export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  const map = Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  if (Object.keys(map).length > TAGS_MAX) throw tooManyTags();
  return map;
}

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function withTags(had: Tags, tags: readonly Tag[] | undefined): Record<string, string> {
  const merged = { ...had, ...tagsOf(tags) };
  if (Object.keys(merged).length > TAGS_MAX) throw tooManyTags();
  return merged;
}

export const withoutTags = (had: Tags, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(had).filter(([name]) => !names.includes(name)));
