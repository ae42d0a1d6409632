import { AwsError } from '../../kit/errors.ts';
import { decodeJson } from '../../kit/json.ts';
import type { Ctx } from '../service.ts';
import { parameterArn, type Reference, readReference, type Scope } from './domain/names.ts';
import { parameterNotFound, versionNotFound } from './errors.ts';
import { decrypt, find, keys, type ParameterRow, rangeOf, secretKey, type VersionRow } from './store.ts';

const SECRETS = '/aws/reference/secretsmanager/';

export interface Found {
  readonly name: string;
  readonly row: VersionRow;
}

/** A version of a parameter as the API shows it. */
export async function view(ctx: Ctx, scope: Scope, { name, row }: Found, decrypted: boolean | undefined, shown = name) {
  return {
    Name: shown,
    Type: row.type,
    Value: await plainValue(ctx, name, row, decrypted === true),
    Version: row.version,
    LastModifiedDate: new Date(row.modifiedMs),
    ARN: parameterArn(scope, name),
    DataType: row.dataType,
  };
}

/** A SecureString stays as it is kept unless it is asked for decrypted. */
export async function plainValue({ platform }: Ctx, name: string, { type, value }: VersionRow, decrypted: boolean): Promise<string> {
  return type === 'SecureString' && decrypted ? decrypt(await secretKey(platform.store, platform.ids), name, value) : value;
}

/** The parameter that a reference names, at its version or label; throws ParameterNotFound, ParameterVersionNotFound. */
export async function findParameter(ctx: Ctx, reference: Reference): Promise<Found> {
  const { store } = ctx.platform;
  const scope = reference.owner ?? ctx;
  const { name, selector } = reference;
  const row = await find<ParameterRow>(store, keys.parameter(scope, name));
  if (!row) throw parameterNotFound();
  if (selector === undefined) return { name, row };
  if (/^\d+$/.test(selector)) {
    const version = await find<VersionRow>(store, keys.version(scope, name, Number(selector)));
    if (!version) throw versionNotFound(selector, name);
    return { name, row: version };
  }
  const labelled = (await versionsOf(ctx, scope, name)).find(({ labels }) => labels.includes(selector));
  if (!labelled) throw versionNotFound(selector, name);
  return { name, row: labelled };
}

/** All versions, oldest first. */
export async function versionsOf(ctx: Ctx, scope: Scope, name: string): Promise<VersionRow[]> {
  const page = await ctx.platform.store.range({ ...rangeOf(keys.versions(scope, name)), limit: 200, maxBytes: 4 * 1024 * 1024 });
  return page.entries.map(([, value]) => decodeJson<VersionRow>(value));
}

/** GetParameter's answer for one name; a name of Secrets Manager's is a secret. Throws what GetParameter does. */
export async function getOne(ctx: Ctx, text: string, decrypted: boolean | undefined): Promise<Record<string, unknown>> {
  if (text.startsWith(SECRETS)) return getSecret(ctx, text, decrypted);
  const reference = readReference(text);
  const found = await findParameter(ctx, reference);
  const shown = await view(ctx, reference.owner ?? ctx, found, decrypted, reference.shown);
  return reference.selector === undefined ? shown : { ...shown, Selector: `:${reference.selector}` };
}

/** "Referencing AWS Secrets Manager secrets from Parameter Store parameters". */
async function getSecret(ctx: Ctx, text: string, decrypted: boolean | undefined): Promise<Record<string, unknown>> {
  if (decrypted !== true) throw new AwsError('ValidationException', 'WithDecryption flag must be True for retrieving a Secret Manager secret.');
  const SecretId = text.slice(SECRETS.length);
  try {
    const secret = await ctx.call('secretsmanager', 'GetSecretValue', { SecretId });
    const { ResponseMetadata: _metadata, ...result } = secret;
    const { Name, ARN, SecretString, VersionId, CreatedDate } = result;
    const source = { name: Name, ARN, VersionId, SecretString, CreatedDate, VersionStages: result['VersionStages'] };
    return {
      Name: text,
      Type: 'SecureString',
      Value: SecretString,
      Version: 0,
      SourceResult: JSON.stringify(source),
      LastModifiedDate: CreatedDate,
      ARN,
    };
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException')
      throw parameterNotFound(`An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret ${text.slice(1)} not found.`);
    throw error;
  }
}
