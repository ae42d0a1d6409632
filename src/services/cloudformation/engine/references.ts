import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { isObject, isText, type Json } from '../domain/json.ts';

type Properties = Readonly<Record<string, Json>>;

const REFERENCE = /\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}/g;

/**
 * Properties with the values that their dynamic references stand for: `{{resolve:ssm:name:version}}`, `ssm-secure` and `secretsmanager`. Records keep the
 * references, so that no secret is in a stack, and a stack changes when its template does. "Using dynamic references" in the CloudFormation User Guide.
 */
export async function dereferenced(ctx: Ctx, properties: Properties): Promise<Properties> {
  const found = new Set<string>();
  collect(properties, found);
  if (found.size === 0) return properties;
  const values = new Map<string, string>();
  for (const reference of found) values.set(reference, await valueOfReference(ctx, reference));
  return replaced(properties, values) as Properties;
}

/** The same for what is going or gone: a reference that leads nowhere any more stays. */
export async function dereferencedIfKnown(ctx: Ctx, properties: Properties): Promise<Properties> {
  try {
    return await dereferenced(ctx, properties);
  } catch {
    // Whoever deletes a resource needs its physical id, not the secret that it was made with.
    return properties;
  }
}

function collect(value: Json, into: Set<string>): void {
  if (isText(value)) for (const [reference] of value.matchAll(REFERENCE)) into.add(reference);
  else if (Array.isArray(value)) for (const item of value) collect(item, into);
  else if (isObject(value)) for (const member of Object.values(value)) collect(member, into);
}

function replaced(value: Json, values: ReadonlyMap<string, string>): Json {
  if (isText(value)) return value.replace(REFERENCE, (reference) => values.get(reference) ?? reference);
  if (Array.isArray(value)) return value.map((item) => replaced(item, values));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaced(member, values)]));
}

async function valueOfReference(ctx: Ctx, reference: string): Promise<string> {
  const [, service = '', key = ''] = new RegExp(REFERENCE.source).exec(reference) ?? [];
  try {
    return service === 'secretsmanager' ? await secretOf(ctx, key) : await parameterOf(ctx, key, service === 'ssm-secure');
  } catch (error) {
    if (error instanceof AwsError && error.status < 500)
      throw new Error(`Could not resolve the dynamic reference ${reference}: ${error.message || error.code}`);
    throw error;
  }
}

async function parameterOf(ctx: Ctx, Name: string, secure: boolean): Promise<string> {
  const { Parameter } = (await ctx.call('ssm', 'GetParameter', { Name, WithDecryption: secure })) as { Parameter: { Type: string; Value: string } };
  if (!secure && Parameter.Type === 'SecureString') throw new AwsError('ValidationError', `${Name} is a SecureString: refer to it by ssm-secure`);
  return Parameter.Value;
}

/** `id:SecretString:json-key:version-stage:version-id`, all but the id optional; an ARN has colons of its own. */
async function secretOf(ctx: Ctx, key: string): Promise<string> {
  const parts = key.split(':');
  const SecretId = parts.splice(0, key.startsWith('arn:') ? 7 : 1).join(':');
  const [, member = '', VersionStage = '', VersionId = ''] = parts;
  const secret = await ctx.call('secretsmanager', 'GetSecretValue', {
    SecretId,
    ...(VersionStage ? { VersionStage } : {}),
    ...(VersionId ? { VersionId } : {}),
  });
  const text = String(secret['SecretString'] ?? '');
  if (member === '') return text;
  let value: unknown;
  try {
    value = (JSON.parse(text) as Record<string, unknown> | null)?.[member];
  } catch {
    value = undefined;
  }
  if (value === undefined) throw new AwsError('ValidationError', `there is no key ${member} in the secret ${SecretId}`);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
