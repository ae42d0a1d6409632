import type { GetAccountSettingsResponse } from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { codeStorageExceeded } from '../errors.ts';
import { CODE_CHECKS_MAX, CODE_SURE_SHARE, CONCURRENT_EXECUTIONS, TOTAL_CODE_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX } from '../limits.ts';
import { type FunctionRow, keys, type LayerVersionRow, listRows, type VersionRow } from '../store.ts';
import { amountsOf, sumOf } from './shared-concurrency.ts';

const PAGE = 1000;

/** Code and functions of an account in a region, summed from its rows. */
async function usageOf(ctx: Ctx): Promise<{ readonly codeBytes: number; readonly functions: number }> {
  let codeBytes = 0;
  let functions = 0;
  let after: string | undefined;
  do {
    const page = await listRows<FunctionRow>(ctx.platform.store, keys.functions(ctx), PAGE, after);
    for (const fn of page.rows) {
      functions++;
      codeBytes += fn.latest.code.size + (await versionBytes(ctx, fn));
    }
    after = page.lastKey;
  } while (after !== undefined);
  return { codeBytes: codeBytes + (await layerBytes(ctx)), functions };
}

/** Of published versions: AWS counts each, also where it has the code of another. */
async function versionBytes(ctx: Ctx, fn: FunctionRow): Promise<number> {
  if (fn.nextVersion === 1) return 0;
  const { rows } = await listRows<VersionRow>(ctx.platform.store, keys.versions(ctx, fn.name), Number.MAX_SAFE_INTEGER);
  return rows.reduce((sum, { code }) => sum + code.size, 0);
}

async function layerBytes(ctx: Ctx): Promise<number> {
  const { rows } = await listRows<LayerVersionRow>(ctx.platform.store, keys.allLayerVersions(ctx), Number.MAX_SAFE_INTEGER);
  return rows.reduce((sum, row) => sum + (row.deleted ? 0 : row.code.size), 0);
}

interface Summed {
  /** What was summed, and what has been added since. */
  codeBytes: number;
  checks: number;
}

/** Sums of accounts and regions, so that a thousand functions are not read to create one more. */
const sums = new WeakMap<object, Map<string, Summed>>();

/** Throws CodeStorageExceededException where `bytes` more would exceed the account's code storage. */
export async function checkCodeStorage(ctx: Ctx, bytes: number): Promise<void> {
  const { platform } = ctx;
  const known = sums.get(platform) ?? new Map<string, Summed>();
  sums.set(platform, known);
  const place = `${ctx.account}:${ctx.region}`;
  let sum = known.get(place);
  // What goes is not subtracted: near the limit, and now and then, everything is summed anew.
  if (!sum || sum.checks >= CODE_CHECKS_MAX || sum.codeBytes + bytes > TOTAL_CODE_BYTES_MAX * CODE_SURE_SHARE) {
    sum = { codeBytes: (await usageOf(ctx)).codeBytes, checks: 0 };
    known.set(place, sum);
  }
  if (bytes > TOTAL_CODE_BYTES_MAX - sum.codeBytes) throw codeStorageExceeded();
  sum.codeBytes += bytes;
  sum.checks++;
}

/** "GetAccountSettings". */
export const getAccountSettings: Operation<Record<string, unknown>, GetAccountSettingsResponse> = async (ctx) => {
  const { codeBytes, functions } = await usageOf(ctx);
  const taken = sumOf(await amountsOf(ctx.platform.store, ctx));
  return {
    AccountLimit: {
      TotalCodeSize: TOTAL_CODE_BYTES_MAX,
      CodeSizeUnzipped: UNZIPPED_BYTES_MAX,
      CodeSizeZipped: ZIP_BYTES_MAX,
      ConcurrentExecutions: CONCURRENT_EXECUTIONS,
      UnreservedConcurrentExecutions: CONCURRENT_EXECUTIONS - taken,
    },
    AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: functions },
  };
};
