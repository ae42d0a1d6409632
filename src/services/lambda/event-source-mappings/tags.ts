import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { checkTags } from '../domain/tags.ts';
import { noSuchResource } from '../errors.ts';
import { getMapping, type MappingRow, mappingKeys } from './rows.ts';

type Tags = Readonly<Record<string, string>>;

/** The UUID in a mapping's ARN; undefined where it is none. */
function uuidOf(arn: string): string | undefined {
  return /:event-source-mapping:([0-9a-fA-F-]{36})$/.exec(arn)?.[1];
}

/** The tags of the mapping that an ARN names; undefined where it names none. */
export async function mappingTags(ctx: Ctx, arn: string): Promise<Tags | undefined> {
  const uuid = uuidOf(arn);
  if (uuid === undefined) return undefined;
  const row = await getMapping(ctx.platform.store, ctx, uuid);
  if (!row) throw noSuchResource();
  return row.tags;
}

/** Changes a mapping's tags; false where the ARN names no mapping. */
export async function changeMappingTags(ctx: Ctx, arn: string, to: (tags: Tags) => Tags): Promise<boolean> {
  const uuid = uuidOf(arn);
  if (uuid === undefined) return false;
  const key = mappingKeys.mapping(ctx, uuid);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const value = tx.get(key);
    if (!value) throw noSuchResource();
    const row = decodeJson<MappingRow>(value);
    const tags = to(row.tags);
    checkTags(tags);
    tx.put(key, encodeJson({ ...row, tags }));
  });
  return true;
}
