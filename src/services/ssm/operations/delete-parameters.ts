import type { Ctx } from '../../service.ts';
import { readReference } from '../domain/names.ts';
import { parameterNotFound } from '../errors.ts';
import { VERSIONS_MAX } from '../limits.ts';
import { keys, rangeOf } from '../store.ts';

/** Removes a parameter with its versions; false where it is not there. */
function remove(ctx: Ctx, text: string): Promise<boolean> {
  const { name } = readReference(text);
  const key = keys.parameter(ctx, name);
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!tx.get(key)) return false;
    tx.delete(key);
    for (const [version] of tx.range({ ...rangeOf(keys.versions(ctx, name)), limit: VERSIONS_MAX + 1 }).entries) tx.delete(version);
    return true;
  });
}

/** "DeleteParameter". */
export async function deleteParameter(ctx: Ctx, input: { Name: string }): Promise<Record<string, never>> {
  if (!(await remove(ctx, input.Name))) throw parameterNotFound();
  return {};
}

/** "DeleteParameters". */
export async function deleteParameters(ctx: Ctx, input: { Names: readonly string[] }) {
  const DeletedParameters: string[] = [];
  const InvalidParameters: string[] = [];
  for (const name of input.Names) ((await remove(ctx, name)) ? DeletedParameters : InvalidParameters).push(name);
  return { DeletedParameters, InvalidParameters };
}
