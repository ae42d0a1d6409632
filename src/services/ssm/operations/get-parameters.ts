import { AwsError } from '../../../kit/errors.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { compileFilters, type Filter, isUnder, olderFilters, type Test } from '../domain/filters.ts';
import { checkPath, parameterArn, readReference } from '../domain/names.ts';
import { startAfter, tokenOf } from '../domain/paging.ts';
import { validation } from '../errors.ts';
import { BY_PATH_RESULTS_MAX, DESCRIBE_RESULTS_MAX, ROWS_PER_PAGE_MAX } from '../limits.ts';
import { findParameter, getOne, plainValue, versionsOf, view } from '../parameters.ts';
import { keys, type ParameterRow, rangeOf, type VersionRow } from '../store.ts';

/** "GetParameter". */
export async function getParameter(ctx: Ctx, input: { Name: string; WithDecryption?: boolean }) {
  return { Parameter: await getOne(ctx, input.Name, input.WithDecryption) };
}

/** "GetParameters": those that are not there are named. */
export async function getParameters(ctx: Ctx, input: { Names: readonly string[]; WithDecryption?: boolean }) {
  const Parameters: Record<string, unknown>[] = [];
  const InvalidParameters: string[] = [];
  for (const name of new Set(input.Names)) {
    try {
      Parameters.push(await getOne(ctx, name, input.WithDecryption));
    } catch (error) {
      if (!(error instanceof AwsError) || !['ParameterNotFound', 'ParameterVersionNotFound'].includes(error.code)) throw error;
      InvalidParameters.push(name);
    }
  }
  return { Parameters, InvalidParameters };
}

interface Page {
  readonly rows: readonly ParameterRow[];
  readonly next: { readonly NextToken?: string };
}

/** Parameters whose name begins with `prefix`, those that pass, at most `limit`; a page may be short and go on. */
async function pageOf(ctx: Ctx, prefix: string, limit: number, token: string | undefined, test: Test): Promise<Page> {
  const range = rangeOf(keys.beginning(ctx, prefix));
  const all = keys.parameters(ctx);
  const page = await ctx.platform.store.range({ ...range, from: startAfter(all, token) ?? range.from, limit: ROWS_PER_PAGE_MAX });
  const rows: ParameterRow[] = [];
  for (const [key, value] of page.entries) {
    const row = decodeJson<ParameterRow>(value);
    if (!test(row)) continue;
    if (rows.length === limit) return { rows, next: {} };
    rows.push(row);
    const isLast = key === page.entries.at(-1)?.[0];
    if (rows.length === limit && !(isLast && !page.more)) return { rows, next: { NextToken: tokenOf(all, key) } };
  }
  const last = page.entries.at(-1)?.[0];
  return { rows, next: page.more && last !== undefined ? { NextToken: tokenOf(all, last) } : {} };
}

export interface ByPathInput {
  readonly Path: string;
  readonly Recursive?: boolean;
  readonly ParameterFilters?: readonly Filter[];
  readonly WithDecryption?: boolean;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** "GetParametersByPath": ten a page at most. */
export async function getParametersByPath(ctx: Ctx, input: ByPathInput) {
  const path = checkPath(input.Path);
  const label = input.ParameterFilters?.find(({ Key }) => Key === 'Label');
  const passes = compileFilters(
    input.ParameterFilters?.filter((filter) => filter !== label),
    ['Type', 'KeyId', 'Label', 'Name', 'Path', 'Tier', 'DataType'],
  );
  const limit = input.MaxResults ?? BY_PATH_RESULTS_MAX;
  const test: Test = (row) => isUnder(path, row.name, input.Recursive === true) && passes(row);
  const { rows, next } = await pageOf(ctx, path === '' ? '' : `${path}/`, limit, input.NextToken, test);
  const Parameters = [];
  for (const row of rows) {
    const version = label ? await labelled(ctx, row, label.Values ?? []) : row;
    if (version) Parameters.push(await view(ctx, ctx, { name: row.name, row: version }, input.WithDecryption));
  }
  return { Parameters, ...next };
}

async function labelled(ctx: Ctx, { name }: ParameterRow, labels: readonly string[]): Promise<VersionRow | undefined> {
  return (await versionsOf(ctx, ctx, name)).find((version) => labels.some((label) => version.labels.includes(label)));
}

export interface DescribeInput {
  readonly Filters?: readonly Filter[];
  readonly ParameterFilters?: readonly Filter[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
  readonly Shared?: boolean;
}

const DESCRIBE_KEYS = ['Path', 'Name', 'Type', 'KeyId', 'Tier', 'DataType', 'tag:'];

/** "DescribeParameters": fifty a page at most. */
export async function describeParameters(ctx: Ctx, input: DescribeInput) {
  if (input.Filters && input.Filters.length > 0 && input.ParameterFilters && input.ParameterFilters.length > 0)
    throw validation('You can use either Filters or ParameterFilters in a single request.');
  const test = compileFilters(input.Filters && input.Filters.length > 0 ? olderFilters(input.Filters) : input.ParameterFilters, DESCRIBE_KEYS);
  if (input.Shared === true) return { Parameters: [] };
  const { rows, next } = await pageOf(ctx, '', input.MaxResults ?? DESCRIBE_RESULTS_MAX, input.NextToken, test);
  return { Parameters: rows.map((row) => ({ Name: row.name, ARN: parameterArn(ctx, row.name), ...described(row) })), ...next };
}

function described(row: VersionRow) {
  return {
    Type: row.type,
    ...(row.keyId === undefined ? {} : { KeyId: row.keyId }),
    LastModifiedDate: new Date(row.modifiedMs),
    LastModifiedUser: row.modifiedBy,
    ...(row.description === undefined ? {} : { Description: row.description }),
    ...(row.allowedPattern === undefined ? {} : { AllowedPattern: row.allowedPattern }),
    Version: row.version,
    Tier: row.tier,
    Policies: [],
    DataType: row.dataType,
  };
}

/** "GetParameterHistory": fifty a page at most, oldest first. */
export async function getParameterHistory(ctx: Ctx, input: { Name: string; WithDecryption?: boolean; MaxResults?: number; NextToken?: string }) {
  const reference = readReference(input.Name);
  const { name } = await findParameter(ctx, { name: reference.name, shown: reference.shown, ...(reference.owner ? { owner: reference.owner } : {}) });
  const prefix = keys.versions(reference.owner ?? ctx, name);
  const from = startAfter(prefix, input.NextToken) ?? prefix;
  const page = await ctx.platform.store.range({ ...rangeOf(prefix), from, limit: input.MaxResults ?? DESCRIBE_RESULTS_MAX });
  const Parameters = [];
  for (const [, value] of page.entries) {
    const row = decodeJson<VersionRow>(value);
    Parameters.push({ Name: reference.shown, ...described(row), Value: await plainValue(ctx, name, row, input.WithDecryption === true), Labels: row.labels });
  }
  const last = page.entries.at(-1)?.[0];
  return { Parameters, ...(page.more && last !== undefined ? { NextToken: tokenOf(prefix, last) } : {}) };
}
