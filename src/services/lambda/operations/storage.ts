import type { GetAccountSettingsResponse } from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { codeStorageExceeded } from '../errors.ts';
import { CONCURRENT_EXECUTIONS, TOTAL_CODE_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX } from '../limits.ts';
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

/** Throws CodeStorageExceededException where `bytes` more would exceed the account's code storage. */
export async function checkCodeStorage(ctx: Ctx, bytes: number): Promise<void> {
  // Only an account with many functions can come near it.
  if (bytes > TOTAL_CODE_BYTES_MAX - (await usageOf(ctx)).codeBytes) throw codeStorageExceeded();
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
