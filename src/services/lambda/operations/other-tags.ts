import type { AwsError } from '../../../kit/errors.ts';
import type { Key } from '../../../kit/key.ts';
import type { Ctx } from '../../service.ts';
import { checkTags } from '../domain/tags.ts';
import { codeSigningConfigNotFound, notFound } from '../errors.ts';
import { type CapacityProviderRow, type CodeSigningRow, getCapacityProviderRow, getCodeSigningRow, keys, read, write } from '../store.ts';

type Tags = Readonly<Record<string, string>>;

interface Tagged {
  readonly key: Key;
  readonly missing: AwsError;
  readonly get: () => Promise<CapacityProviderRow | CodeSigningRow | undefined>;
}

/** Tags of a capacity provider or a code signing configuration; undefined for an ARN of something else. */
export async function otherTags(ctx: Ctx, arn: string): Promise<Tags | undefined> {
  const tagged = taggedAt(ctx, arn);
  if (!tagged) return undefined;
  const row = await tagged.get();
  if (!row) throw tagged.missing;
  return row.tags ?? {};
}

/** The same, to change them; false for an ARN of something else. */
export async function changeOtherTags(ctx: Ctx, arn: string, to: (tags: Tags) => Tags): Promise<boolean> {
  const tagged = taggedAt(ctx, arn);
  if (!tagged) return false;
  const { key, missing } = tagged;
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<CapacityProviderRow | CodeSigningRow>(tx, key);
    if (!row) throw missing;
    const tags = to(row.tags ?? {});
    checkTags(tags);
    write(tx, key, { ...row, tags });
  });
  return true;
}

function taggedAt(ctx: Ctx, arn: string): Tagged | undefined {
  const [, kind, name = ''] = /:(capacity-provider|code-signing-config):([a-zA-Z0-9-_]+)$/.exec(arn) ?? [];
  const { store } = ctx.platform;
  if (kind === 'capacity-provider') {
    return {
      key: keys.capacityProvider(ctx, name),
      missing: notFound(`Capacity provider not found: ${arn}`),
      get: () => getCapacityProviderRow(store, ctx, name),
    };
  }
  if (kind === 'code-signing-config') {
    return { key: keys.codeSigning(ctx, name), missing: codeSigningConfigNotFound(arn), get: () => getCodeSigningRow(store, ctx, name) };
  }
  return undefined;
}
