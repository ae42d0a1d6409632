import type {
  ApiKey,
  ApiKeys,
  CreateApiKeyCommandInput,
  DeleteApiKeyCommandInput,
  GetApiKeyCommandInput,
  GetApiKeysCommandInput,
  UpdateApiKeyCommandInput,
} from '@aws-sdk/client-api-gateway';
import { notImplemented } from '../../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { NewId } from '../domain/ids.ts';
import { pageOf } from '../domain/paging.ts';
import { asBoolean, compact, type Patch, patchesOf, requireReplace } from '../domain/patch.ts';
import type { ApiKeyRow, UsagePlanRow } from '../domain/types.ts';
import { apiKeyNotFound, badRequest, conflict } from '../errors.ts';
import { API_KEY_DESCRIPTION_MAX, API_KEY_NAME_MAX, API_KEY_VALUE_MAX, API_KEY_VALUE_MIN } from '../limits.ts';
import { keys, list, read, txList, txRead, update } from '../store.ts';

const VALUE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const VALUE_LENGTH = 40;

/** The value is shown when the key is made, and where it is asked for. */
function describe(row: ApiKeyRow, options: { value?: boolean; tags?: boolean } = {}): ApiKey {
  const { createdMs, updatedMs, value, tags, ...rest } = row;
  return {
    ...rest,
    ...(options.value ? { value } : {}),
    createdDate: new Date(createdMs),
    lastUpdatedDate: new Date(updatedMs),
    ...(options.tags || (tags && Object.keys(tags).length > 0) ? { tags: tags ?? {} } : {}),
  };
}

function checkDescription(description: string | undefined): void {
  if (description !== undefined && description.length > API_KEY_DESCRIPTION_MAX) throw badRequest('Invalid API Key description specified.');
}

function checkName(name: string | undefined): void {
  if (name !== undefined && name.length > API_KEY_NAME_MAX) throw badRequest('Invalid API Key name, can be at most 1024 characters.');
}

/** "CreateApiKey". */
export const createApiKey: Operation<CreateApiKeyCommandInput, ApiKey> = (ctx, input) => createApiKeyOnce(ctx, input, ctx.platform.ids.text);

/** {@link createApiKey}; an id that comes again names the key made before. */
export async function createApiKeyOnce(ctx: Ctx, input: CreateApiKeyCommandInput, newId: NewId): Promise<ApiKey> {
  if (input.stageKeys !== undefined && input.stageKeys.length > 0) throw notImplemented('CreateApiKey with stageKeys');
  const { store, ids, clock } = ctx.platform;
  checkName(input.name);
  if (input.value && input.value.length > API_KEY_VALUE_MAX) throw badRequest('API Key value exceeds maximum size of 128 characters');
  if (input.value && input.value.length < API_KEY_VALUE_MIN) throw badRequest('API Key value should be at least 20 characters');
  checkDescription(input.description);
  const nowMs = clock.virtual();
  const row = compact({
    id: newId(10),
    value: input.value || ids.text(VALUE_LENGTH, VALUE_ALPHABET),
    name: input.name || undefined,
    customerId: input.customerId,
    description: input.description,
    enabled: input.enabled ?? false,
    stageKeys: [],
    tags: input.tags,
    createdMs: nowMs,
    updatedMs: nowMs,
  }) as ApiKeyRow;
  const valueKey = keys.apiKeyValue(ctx, row.value);
  return store.transact({ keys: [keys.apiKey(ctx, row.id), valueKey] }, (tx) => {
    const before = tx.get(keys.apiKey(ctx, row.id));
    if (before) return describe(decodeJson<ApiKeyRow>(before), { value: true });
    if (tx.get(valueKey)) throw conflict('API Key already exists');
    tx.put(keys.apiKey(ctx, row.id), encodeJson(row));
    tx.put(valueKey, encodeJson(row.id));
    return describe(row, { value: true });
  });
}

/** "GetApiKey". */
export const getApiKey: Operation<GetApiKeyCommandInput, ApiKey> = async (ctx, input) =>
  describe(await read<ApiKeyRow>(ctx.platform.store, keys.apiKey(ctx, input.apiKey ?? ''), apiKeyNotFound), { value: input.includeValue ?? false, tags: true });

/** "GetApiKeys": newest first; `nameQuery` is a prefix. */
export const getApiKeys: Operation<GetApiKeysCommandInput, ApiKeys> = async (ctx, input) => {
  const rows = (await list<ApiKeyRow>(ctx.platform.store, keys.apiKeys(ctx))).filter(
    (row) => (row.name ?? '').startsWith(input.nameQuery ?? '') && (input.customerId === undefined || row.customerId === input.customerId),
  );
  rows.sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
  const page = pageOf(rows, input, (row) => row.id);
  return { ...page, items: page.items.map((row) => describe(row, { value: input.includeValues ?? false })) };
};

function patchKey(row: ApiKeyRow, patch: Patch): ApiKeyRow {
  requireReplace(patch, ['/description', '/enabled', '/name', '/customerId']);
  const name = patch.segments[0] ?? '';
  if (name === 'description') checkDescription(patch.value);
  if (name === 'name') checkName(patch.value);
  return { ...row, [name]: name === 'enabled' ? asBoolean(patch.value) : patch.value };
}

/** "UpdateApiKey". */
export const updateApiKey: Operation<UpdateApiKeyCommandInput, ApiKey> = async (ctx, input) => {
  const nowMs = ctx.platform.clock.virtual();
  return update<ApiKeyRow, ApiKey>(ctx.platform.store, keys.apiKey(ctx, input.apiKey ?? ''), apiKeyNotFound, (row) => {
    const patched = patchesOf(input.patchOperations).reduce(patchKey, row);
    const next = { ...patched, updatedMs: nowMs };
    return [next, describe(next, { tags: true })];
  });
};

/** "DeleteApiKey", also out of every usage plan. */
export const deleteApiKey: Operation<DeleteApiKeyCommandInput> = async (ctx, input) => {
  const key = keys.apiKey(ctx, input.apiKey ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = txRead<ApiKeyRow>(tx, key, apiKeyNotFound);
    tx.delete(key);
    tx.delete(keys.apiKeyValue(ctx, row.value));
    for (const plan of txList<UsagePlanRow>(tx, keys.usagePlans(ctx))) tx.delete(keys.usagePlanKey(ctx, plan.id, row.id));
  });
  return {};
};
