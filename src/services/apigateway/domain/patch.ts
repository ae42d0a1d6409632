import type { PatchOperation } from '@aws-sdk/client-api-gateway';
import { badRequest } from '../errors.ts';

/** "Patch Operations" in the API Gateway API reference: JSON Patch with strings for values. */

export interface Patch {
  readonly op: string;
  readonly path: string;
  /** Decoded segments of the path: `~1` is `/`, `~0` is `~`. */
  readonly segments: readonly string[];
  readonly value: string | undefined;
  /** Of `copy`. */
  readonly from: string | undefined;
}

/** The operations with their paths taken apart. A missing path is `null` in AWS's words. */
export function patchesOf(operations: readonly PatchOperation[] | undefined): Patch[] {
  return (operations ?? []).map((operation) => {
    const path = operation.path;
    if (path === undefined || path === '') throw badRequest('Invalid patch path null');
    const segments = path
      .split('/')
      .slice(1)
      .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
    return { op: operation.op ?? 'replace', path, segments, value: operation.value, from: operation.from };
  });
}

export const invalidPath = (patch: Patch) => badRequest(`Invalid patch path ${patch.path}`);

/** Throws unless the operation is one of `ops`. */
export function requireOp(patch: Patch, ...ops: readonly string[]): void {
  if (!ops.includes(patch.op)) throw badRequest(`Invalid patch operation specified. Must be one of: [${ops.join(', ')}]`);
}

/** Entities of which only some whole properties can be replaced (resources, models, validators, API keys) share this wording. */
export function requireReplace(patch: Patch, paths: readonly string[]): void {
  if (patch.op !== 'replace') throw badRequest(`Invalid patch path  '${patch.path}' specified for op '${patch.op}'. Please choose supported operations`);
  if (!paths.includes(patch.path)) {
    throw badRequest(`Invalid patch path  '${patch.path}' specified for op '${patch.op}'. Must be one of: [${paths.join(', ')}]`);
  }
}

/** A map with one entry set or removed; undefined once it is empty. */
export function patchMap<T>(map: Readonly<Record<string, T>> | undefined, name: string, value: T | undefined): Record<string, T> | undefined {
  const { [name]: _old, ...rest } = map ?? {};
  const next = value === undefined ? rest : { ...rest, [name]: value };
  return Object.keys(next).length > 0 ? next : undefined;
}

/** A list without `removed` and with `added` at its end. */
export function patchList(items: readonly string[] | undefined, removed: string | undefined, added: string | undefined): string[] | undefined {
  const next = (items ?? []).filter((item) => item !== removed && item !== added);
  if (added !== undefined) next.push(added);
  return next.length > 0 ? next : undefined;
}

/** Booleans arrive as text; anything but `true` is false. */
export const asBoolean = (value: string | undefined): boolean => value?.toLowerCase() === 'true';

/** Without the properties that are undefined, so that a row stays small and optional members stay absent. */
export function compact<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}
