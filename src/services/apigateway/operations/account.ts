import type { Account, GetAccountCommandInput, UpdateAccountCommandInput } from '@aws-sdk/client-api-gateway';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { invalidPath, patchesOf } from '../domain/patch.ts';
import { keys } from '../store.ts';

interface AccountRow {
  readonly cloudwatchRoleArn?: string;
}

const describe = (row: AccountRow): Account => ({
  ...row,
  throttleSettings: { burstLimit: 5000, rateLimit: 10_000 },
  features: ['UsagePlans'],
  apiKeyVersion: '4',
});

/** "GetAccount". */
export const getAccount: Operation<GetAccountCommandInput, Account> = async (ctx) => {
  const value = await ctx.platform.store.get(keys.account(ctx));
  return describe(value ? decodeJson<AccountRow>(value) : {});
};

/** "UpdateAccount": the role for execution logs is recorded. */
export const updateAccount: Operation<UpdateAccountCommandInput, Account> = (ctx, input) => {
  const key = keys.account(ctx);
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const value = tx.get(key);
    const row = patchesOf(input.patchOperations).reduce<AccountRow>(
      (current, patch) => {
        if (patch.path === '/features') return current;
        if (patch.path !== '/cloudwatchRoleArn') throw invalidPath(patch);
        return patch.op === 'remove' || !patch.value ? {} : { cloudwatchRoleArn: patch.value };
      },
      value ? decodeJson<AccountRow>(value) : {},
    );
    tx.put(key, encodeJson(row));
    return describe(row);
  });
};
