import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { storedName } from '../domain/names.ts';
import { checkTagCount, type Tag, tagsOf } from '../domain/tags.ts';
import { invalidResourceId } from '../errors.ts';
import { find, keys, type ParameterRow, read, write } from '../store.ts';

interface Resource {
  readonly ResourceType: string;
  readonly ResourceId: string;
}

function nameOf({ ResourceType: type, ResourceId: id }: Resource): string {
  if (type !== 'Parameter') throw notImplemented(`Tags of ${type}`);
  return storedName(id);
}

function change(ctx: Ctx, resource: Resource, to: (tags: Readonly<Record<string, string>>) => Record<string, string>): Promise<void> {
  const key = keys.parameter(ctx, nameOf(resource));
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<ParameterRow>(tx, key);
    if (!row) throw invalidResourceId();
    const tags = to(row.tags);
    checkTagCount(tags);
    write(tx, key, { ...row, tags });
  });
}

/** "AddTagsToResource". */
export async function addTagsToResource(ctx: Ctx, input: Resource & { Tags: readonly Tag[] }): Promise<Record<string, never>> {
  const added = tagsOf(input.Tags);
  await change(ctx, input, (tags) => ({ ...tags, ...added }));
  return {};
}

/** "RemoveTagsFromResource". */
export async function removeTagsFromResource(ctx: Ctx, input: Resource & { TagKeys: readonly string[] }): Promise<Record<string, never>> {
  await change(ctx, input, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !input.TagKeys.includes(key))));
  return {};
}

/** "ListTagsForResource". */
export async function listTagsForResource(ctx: Ctx, input: Resource) {
  const row = await find<ParameterRow>(ctx.platform.store, keys.parameter(ctx, nameOf(input)));
  if (!row) throw invalidResourceId();
  return { TagList: Object.entries(row.tags).map(([Key, Value]) => ({ Key, Value })) };
}
