import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { checkNewName } from '../domain/names.ts';
import { checkTagCount, type Tag, tagsOf } from '../domain/tags.ts';
import { checkDataType, checkPattern, tierFor } from '../domain/values.ts';
import { alreadyExists, validation } from '../errors.ts';
import { VERSIONS_MAX } from '../limits.ts';
import { encrypt, keys, NONCE, type ParameterRow, rangeOf, read, secretKey, type VersionRow, write } from '../store.ts';

export interface PutParameterInput {
  readonly Name: string;
  readonly Value: string;
  readonly Type?: string;
  readonly Description?: string;
  readonly KeyId?: string;
  readonly Overwrite?: boolean;
  readonly AllowedPattern?: string;
  readonly Tags?: readonly Tag[];
  readonly Tier?: string;
  readonly Policies?: string;
  readonly DataType?: string;
}

const DEFAULT_KEY = 'alias/aws/ssm';

/** "PutParameter". */
export async function putParameter(ctx: Ctx, input: PutParameterInput): Promise<{ Version: number; Tier: string }> {
  const name = checkNewName(input.Name);
  check(input);
  const { store, ids, clock } = ctx.platform;
  const tags = tagsOf(input.Tags);
  checkTagCount(tags);
  const key = keys.parameter(ctx, name);
  const secret = await secretKey(store, ids);
  const nonce = ids.bytes(NONCE);
  const nowMs = clock.virtual();
  return store.transact({ keys: [key] }, (tx) => {
    const before = read<ParameterRow>(tx, key);
    if (before && input.Overwrite !== true) throw alreadyExists();
    const type = input.Type ?? before?.type;
    if (type === undefined) throw validation('A parameter type is required when you create a parameter.');
    const tier = tierFor(input.Tier, before?.tier, input.Value);
    const keyId = type === 'SecureString' ? (input.KeyId ?? before?.keyId ?? DEFAULT_KEY) : undefined;
    const row: ParameterRow = {
      name,
      version: (before?.version ?? 0) + 1,
      type,
      value: type === 'SecureString' ? encrypt(secret, nonce, name, input.Value) : input.Value,
      ...(input.Description === undefined ? {} : { description: input.Description }),
      ...(input.AllowedPattern ? { allowedPattern: input.AllowedPattern } : {}),
      ...(keyId === undefined ? {} : { keyId }),
      tier,
      dataType: checkDataType(input.DataType ?? before?.dataType),
      modifiedMs: nowMs,
      modifiedBy: ctx.principal.arn,
      labels: [],
      tags: before?.tags ?? tags,
    };
    write(tx, key, row);
    const { name: _name, tags: _tags, ...version } = row;
    write(tx, keys.version(ctx, name, row.version), version satisfies VersionRow);
    const versions = tx.range({ ...rangeOf(keys.versions(ctx, name)), limit: VERSIONS_MAX + 1 });
    const oldest = versions.entries[0];
    if (oldest && versions.entries.length > VERSIONS_MAX) {
      const first = read<VersionRow>(tx, oldest[0]);
      if (first && first.labels.length > 0) throw tooManyVersions(name, first.version);
      tx.delete(oldest[0]);
    }
    return { Version: row.version, Tier: tier };
  });
}

function check({
  Value: value,
  Type: type,
  Tags: tags,
  Overwrite: overwrite,
  AllowedPattern: pattern,
  Policies: policies,
  KeyId: keyId,
}: PutParameterInput): void {
  if (value === '')
    throw validation("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.");
  if (policies !== undefined && policies !== '[{}]' && policies !== '[]') throw notImplemented('Policies of a parameter');
  if (tags !== undefined && tags.length > 0 && overwrite === true)
    throw validation(
      "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
    );
  if (keyId !== undefined && type !== undefined && type !== 'SecureString') throw validation('KeyId is required for SecureString type parameter only.');
  checkPattern(pattern, value);
}

const tooManyVersions = (name: string, version: number) =>
  new AwsError(
    'ParameterMaxVersionLimitExceeded',
    `You attempted to create a new version of ${name} by calling the PutParameter API with the overwrite flag. Version ${version}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.`,
  );
