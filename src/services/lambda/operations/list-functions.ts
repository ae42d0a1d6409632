import type {
  FunctionConfiguration,
  ListFunctionsRequest,
  ListFunctionsResponse,
  ListVersionsByFunctionRequest,
  ListVersionsByFunctionResponse,
} from '@aws-sdk/client-lambda';
import type { Key } from '../../../kit/key.ts';
import type { Operation } from '../../service.ts';
import { listedConfiguration } from '../domain/configuration.ts';
import { readReference } from '../domain/names.ts';
import { invalidParameter } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { LIST_ITEMS_MAX } from '../limits.ts';
import { type FunctionRow, keys, listRows, type VersionRow } from '../store.ts';

/** A marker is the last key of the page before, and must lie under the list's own prefix. */
export function markerOf(key: Key): string {
  return Buffer.from(key, 'latin1').toString('base64');
}

export function readMarker(marker: string | undefined, prefix: Key): Key | undefined {
  if (marker === undefined || marker === '') return undefined;
  const key = Buffer.from(marker, 'base64').toString('latin1');
  if (!key.startsWith(prefix)) throw invalidParameter('Invalid pagination token');
  return key;
}

const limitOf = (maxItems: number | undefined) => Math.min(maxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);

/** "ListFunctions". With `FunctionVersion=ALL`, each function's versions follow its `$LATEST`. */
export const listFunctions: Operation<ListFunctionsRequest, ListFunctionsResponse> = async (ctx, input) => {
  const prefix = keys.functions(ctx);
  const { rows, lastKey } = await listRows<FunctionRow>(ctx.platform.store, prefix, limitOf(input.MaxItems), readMarker(input.Marker, prefix));
  const functions: FunctionConfiguration[] = [];
  for (const fn of rows) {
    const all = input.FunctionVersion === 'ALL';
    functions.push(listedConfiguration(ctx, fn.name, fn.latest, all ? '$LATEST' : undefined));
    if (!all) continue;
    const versions = await listRows<VersionRow>(ctx.platform.store, keys.versions(ctx, fn.name), Number.MAX_SAFE_INTEGER);
    for (const row of versions.rows) functions.push(listedConfiguration(ctx, fn.name, row, row.version));
  }
  return { Functions: functions, ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }) };
};

/** "ListVersionsByFunction": `$LATEST` first, then by number. */
export const listVersionsByFunction: Operation<ListVersionsByFunctionRequest, ListVersionsByFunctionResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const fn = await requireFunction(ctx.platform, ctx, name);
  const prefix = keys.versions(ctx, name);
  const after = readMarker(input.Marker, prefix);
  const limit = limitOf(input.MaxItems);
  const first = after === undefined ? [listedConfiguration(ctx, name, fn.latest, '$LATEST')] : [];
  const { rows, lastKey } =
    limit > first.length ? await listRows<VersionRow>(ctx.platform.store, prefix, limit - first.length, after) : { rows: [], lastKey: prefix };
  return {
    Versions: [...first, ...rows.map((row) => listedConfiguration(ctx, name, row, row.version))],
    ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }),
  };
};
