import type {
  CreateUsagePlanCommandInput,
  CreateUsagePlanKeyCommandInput,
  DeleteUsagePlanCommandInput,
  DeleteUsagePlanKeyCommandInput,
  GetUsagePlanCommandInput,
  GetUsagePlanKeyCommandInput,
  GetUsagePlanKeysCommandInput,
  GetUsagePlansCommandInput,
  UpdateUsagePlanCommandInput,
  UsagePlan,
  UsagePlanKey,
  UsagePlanKeys,
  UsagePlans,
} from '@aws-sdk/client-api-gateway';
import { encodeJson } from '../../../kit/json.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { NewId } from '../domain/ids.ts';
import { pageOf } from '../domain/paging.ts';
import { compact, invalidPath, type Patch, patchesOf } from '../domain/patch.ts';
import type { ApiKeyRow, UsagePlanRow } from '../domain/types.ts';
import { apiKeyNotFound, badRequest, conflict, notFound, usagePlanNotFound } from '../errors.ts';
import { keys, list, rangeOf, read, txList, txRead, update } from '../store.ts';

function describe(row: UsagePlanRow, tags = false): UsagePlan {
  const { createdMs: _created, tags: own, ...rest } = row;
  return { ...rest, apiStages: rest.apiStages ?? [], ...(tags || (own && Object.keys(own).length > 0) ? { tags: own ?? {} } : {}) };
}

function checkStage(tx: Tx, ctx: Ctx, planId: string, apiId: string, stage: string): void {
  if (!tx.get(keys.part(ctx, apiId, 'stage', stage))) throw notFound(`Invalid API Stage {api: ${apiId}, stage: ${stage}} specified for usageplan ${planId}`);
}

/** "CreateUsagePlan". Throttle and quota are recorded, not enforced. */
export const createUsagePlan: Operation<CreateUsagePlanCommandInput, UsagePlan> = (ctx, input) => createUsagePlanOnce(ctx, input, ctx.platform.ids.text);

/** {@link createUsagePlan}; an id that comes again overwrites what was made before, which is the same. */
export async function createUsagePlanOnce(ctx: Ctx, input: CreateUsagePlanCommandInput, newId: NewId): Promise<UsagePlan> {
  const { store, clock } = ctx.platform;
  const row = compact({
    id: newId(6),
    name: input.name,
    description: input.description,
    apiStages: input.apiStages ?? [],
    throttle: input.throttle,
    quota: input.quota ? { offset: 0, ...input.quota } : undefined,
    tags: input.tags,
    createdMs: clock.virtual(),
  }) as UsagePlanRow;
  await store.transact({ keys: [keys.usagePlan(ctx, row.id)] }, (tx) => {
    for (const { apiId = '', stage = '' } of row.apiStages ?? []) checkStage(tx, ctx, row.id, apiId, stage);
    tx.put(keys.usagePlan(ctx, row.id), encodeJson(row));
  });
  return describe(row);
}

/** "GetUsagePlan". */
export const getUsagePlan: Operation<GetUsagePlanCommandInput, UsagePlan> = async (ctx, input) =>
  describe(await read<UsagePlanRow>(ctx.platform.store, keys.usagePlan(ctx, input.usagePlanId ?? ''), usagePlanNotFound), true);

/** "GetUsagePlans", or those that hold one key. */
export const getUsagePlans: Operation<GetUsagePlansCommandInput, UsagePlans> = async (ctx, input) => {
  const { store } = ctx.platform;
  let rows = await list<UsagePlanRow>(store, keys.usagePlans(ctx));
  if (input.keyId !== undefined) {
    const keyId = input.keyId;
    const members = await store.getMany(rows.map((row) => keys.usagePlanKey(ctx, row.id, keyId)));
    rows = rows.filter((_row, i) => members[i] !== undefined);
  }
  rows.sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
  const page = pageOf(rows, input, (row) => row.id);
  return { ...page, items: page.items.map((row) => describe(row)) };
};

function patchPlan(tx: Tx, ctx: Ctx, row: UsagePlanRow, patch: Patch): UsagePlanRow {
  const [first, second] = patch.segments;
  const removed = patch.op === 'remove';
  switch (first) {
    case 'name':
    case 'description':
    case 'productCode':
      return compact({ ...row, [first]: removed ? undefined : patch.value }) as UsagePlanRow;
    case 'throttle': {
      if (second === undefined) return removed ? (compact({ ...row, throttle: undefined }) as UsagePlanRow) : row;
      if (second !== 'rateLimit' && second !== 'burstLimit') throw invalidPath(patch);
      return { ...row, throttle: { ...row.throttle, [second]: Number(patch.value) } };
    }
    case 'quota': {
      if (second === undefined) return removed ? (compact({ ...row, quota: undefined }) as UsagePlanRow) : row;
      if (second !== 'limit' && second !== 'offset' && second !== 'period') throw invalidPath(patch);
      return { ...row, quota: { offset: 0, ...row.quota, [second]: second === 'period' ? (patch.value as 'DAY') : Number(patch.value) } };
    }
    case 'apiStages': {
      if (second !== undefined) throw invalidPath(patch);
      const [apiId, stage, ...rest] = (patch.value ?? '').split(':');
      if (!apiId || !stage || rest.length > 0) throw badRequest('Invalid API Stage specified');
      const others = (row.apiStages ?? []).filter((entry) => entry.apiId !== apiId || entry.stage !== stage);
      const isMember = others.length < (row.apiStages ?? []).length;
      // A stage that is gone leaves its plans all the same.
      if (removed && isMember) return { ...row, apiStages: others };
      if (removed) throw notFound(`Invalid API Stage {api: ${apiId}, stage: ${stage}} specified for usageplan ${row.id}`);
      checkStage(tx, ctx, row.id, apiId, stage);
      return { ...row, apiStages: [...others, { apiId, stage }] };
    }
    default:
      throw invalidPath(patch);
  }
}

/** "UpdateUsagePlan". */
export const updateUsagePlan: Operation<UpdateUsagePlanCommandInput, UsagePlan> = async (ctx, input) =>
  update<UsagePlanRow, UsagePlan>(ctx.platform.store, keys.usagePlan(ctx, input.usagePlanId ?? ''), usagePlanNotFound, (row, tx) => {
    const next = patchesOf(input.patchOperations).reduce((current, patch) => patchPlan(tx, ctx, current, patch), row);
    return [next, describe(next, true)];
  });

/** "DeleteUsagePlan", with what says which keys it has; the keys stay. */
export const deleteUsagePlan: Operation<DeleteUsagePlanCommandInput> = async (ctx, input) => {
  const id = input.usagePlanId ?? '';
  const members = keys.usagePlanKeys(ctx, id);
  await ctx.platform.store.transact({ keys: [keys.usagePlan(ctx, id)], ranges: [rangeOf(members)] }, (tx) => {
    txRead<UsagePlanRow>(tx, keys.usagePlan(ctx, id), usagePlanNotFound);
    for (const keyId of txList<string>(tx, members)) tx.delete(keys.usagePlanKey(ctx, id, keyId));
    tx.delete(keys.usagePlan(ctx, id));
  });
  return {};
};

const describeKey = (row: ApiKeyRow): UsagePlanKey => compact({ id: row.id, type: 'API_KEY', value: row.value, name: row.name });

/** "CreateUsagePlanKey". */
export const createUsagePlanKey: Operation<CreateUsagePlanKeyCommandInput, UsagePlanKey> = async (ctx, input) => {
  const planId = input.usagePlanId ?? '';
  const keyId = input.keyId ?? '';
  const key = keys.usagePlanKey(ctx, planId, keyId);
  if (input.keyType !== 'API_KEY') throw badRequest('Invalid keyType specified. Must be: API_KEY');
  return ctx.platform.store.transact({ keys: [key], reads: [keys.usagePlan(ctx, planId), keys.apiKey(ctx, keyId)] }, (tx) => {
    const row = txRead<ApiKeyRow>(tx, keys.apiKey(ctx, keyId), apiKeyNotFound);
    txRead<UsagePlanRow>(tx, keys.usagePlan(ctx, planId), usagePlanNotFound);
    if (tx.get(key)) throw conflict(`Usage Plan ${planId} already has this API Key ${keyId}`);
    tx.put(key, encodeJson(keyId));
    return describeKey(row);
  });
};

async function memberKeys(ctx: Ctx, planId: string): Promise<ApiKeyRow[]> {
  const ids = await list<string>(ctx.platform.store, keys.usagePlanKeys(ctx, planId));
  const rows = await Promise.all(ids.map((id) => read<ApiKeyRow>(ctx.platform.store, keys.apiKey(ctx, id), apiKeyNotFound)));
  return rows.sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
}

/** "GetUsagePlanKey". */
export const getUsagePlanKey: Operation<GetUsagePlanKeyCommandInput, UsagePlanKey> = async (ctx, input) => {
  const { store } = ctx.platform;
  await read<UsagePlanRow>(store, keys.usagePlan(ctx, input.usagePlanId ?? ''), usagePlanNotFound);
  await read<string>(store, keys.usagePlanKey(ctx, input.usagePlanId ?? '', input.keyId ?? ''), apiKeyNotFound);
  return describeKey(await read<ApiKeyRow>(store, keys.apiKey(ctx, input.keyId ?? ''), apiKeyNotFound));
};

/** "GetUsagePlanKeys": empty for a plan that is not there. */
export const getUsagePlanKeys: Operation<GetUsagePlanKeysCommandInput, UsagePlanKeys> = async (ctx, input) => {
  const rows = (await memberKeys(ctx, input.usagePlanId ?? '')).filter((row) => (row.name ?? '').startsWith(input.nameQuery ?? ''));
  const page = pageOf(rows, input, (row) => row.id);
  return { ...page, items: page.items.map(describeKey) };
};

/** "DeleteUsagePlanKey". */
export const deleteUsagePlanKey: Operation<DeleteUsagePlanKeyCommandInput> = async (ctx, input) => {
  const key = keys.usagePlanKey(ctx, input.usagePlanId ?? '', input.keyId ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    txRead<string>(tx, key, apiKeyNotFound);
    tx.delete(key);
  });
  return {};
};
