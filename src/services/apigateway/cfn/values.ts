import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Properties } from '../../service.ts';

/** Templates write numbers and booleans also as text. */
export const asBool = (value: unknown): boolean | undefined => (value === undefined ? undefined : value === true || String(value).toLowerCase() === 'true');
export const asNumber = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value));
export const asText = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const asObject = (value: unknown): Properties => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Properties) : {});

/** A map whose values are text. */
export function textMap(value: unknown): Record<string, string> | undefined {
  return value === undefined ? undefined : Object.fromEntries(Object.entries(asObject(value)).map(([key, v]) => [key, String(v)]));
}

/** A map whose values are booleans. */
export function boolMap(value: unknown): Record<string, boolean> | undefined {
  return value === undefined ? undefined : Object.fromEntries(Object.entries(asObject(value)).map(([key, v]) => [key, asBool(v) ?? false]));
}

/** Without the undefined, which a model's validation would refuse. */
export function input(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** A resource's tags, under those of its stack. */
export function tagsOf(properties: Properties, stackTags: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const own = Object.fromEntries(asList(properties['Tags']).map((tag) => [String(asObject(tag)['Key']), String(asObject(tag)['Value'])]));
  const tags = { ...stackTags, ...own };
  return Object.keys(tags).length > 0 ? tags : undefined;
}

export interface PatchOp {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: string;
}

export const escapePath = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1');

/** Replaces what is given and removes what is not any more. */
export function patchScalar(path: string, next: unknown, before: unknown): PatchOp[] {
  if (next !== undefined)
    return JSON.stringify(next) === JSON.stringify(before)
      ? []
      : [{ op: 'replace', path, value: typeof next === 'object' ? JSON.stringify(next) : String(next) }];
  return before === undefined ? [] : [{ op: 'remove', path }];
}

/** Operations that turn one map into another. */
export function patchEntries(path: string, next: unknown, before: unknown): PatchOp[] {
  const [wanted, had] = [asObject(next), asObject(before)];
  const ops: PatchOp[] = Object.keys(had)
    .filter((key) => !(key in wanted))
    .map((key) => ({ op: 'remove', path: `${path}/${escapePath(key)}` }));
  for (const [key, value] of Object.entries(wanted)) ops.push({ op: 'add', path: `${path}/${escapePath(key)}`, value: String(value) });
  return ops;
}

/** Deleting what is gone already is a success. */
export async function deleteQuietly(ctx: Ctx, operation: string, members: Record<string, unknown>): Promise<void> {
  try {
    await ctx.call('apigateway', operation, input(members));
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'NotFoundException') throw error;
  }
}

/** Creates; that it is there already is a success where this very operation made it before. */
export async function createUnlessOurs(ctx: Ctx, ours: boolean, operation: string, members: Record<string, unknown>): Promise<void> {
  try {
    await ctx.call('apigateway', operation, input(members));
  } catch (error) {
    if (!ours || !(error instanceof AwsError) || error.code !== 'ConflictException') throw error;
  }
}

export const call = (ctx: Ctx, operation: string, members: Record<string, unknown>): Promise<Record<string, unknown>> =>
  ctx.call('apigateway', operation, input(members));
