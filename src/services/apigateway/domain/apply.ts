import type { ApiDefinition, ImportedMethod } from './openapi.ts';
import { checkPlace, pathUnder } from './resource.ts';
import type { ApiSnapshot, AuthorizerRow, Method, ModelRow, ResourceRow, ValidatorRow } from './types.ts';

/** A definition put over an API: what the API is afterwards. Ids are drawn from `nextId`, outside any transaction. */
export function applyDefinition(before: ApiSnapshot, definition: ApiDefinition, mode: 'merge' | 'overwrite', nextId: () => string): ApiSnapshot {
  const overwrite = mode === 'overwrite';
  const authorizers = merge<AuthorizerRow, Omit<AuthorizerRow, 'id'>>(overwrite ? [] : before.authorizers, definition.authorizers, (row) => row.name, nextId);
  const validators = merge<ValidatorRow, ApiDefinition['validators'][number]>(
    overwrite ? [] : before.validators,
    definition.validators,
    (row) => row.name ?? '',
    nextId,
  );
  const apiId = before.api.id;
  const models = merge<ModelRow, Omit<ModelRow, 'id'>>(
    overwrite ? [] : before.models,
    definition.models.map((model) => ({ ...model, schema: schemaText(model.schema, apiId) })),
    (row) => row.name,
    nextId,
  );
  const { version: _version, description: _description, binaryMediaTypes: _types, policy: _policy, ...kept } = before.api;
  const responses = new Map((overwrite ? [] : before.gatewayResponses).map((row) => [row.responseType, row] as const));
  for (const row of definition.gatewayResponses) responses.set(row.responseType, row);
  return {
    api: overwrite ? { ...kept, ...definition.api } : { ...before.api, ...definition.api, ...mediaTypes(before, definition) },
    authorizers,
    validators,
    models,
    gatewayResponses: [...responses.values()],
    resources: applyResources(before.resources, definition, overwrite, { authorizers, validators }, nextId),
  };
}

/** A merge adds media types. */
function mediaTypes(before: ApiSnapshot, definition: ApiDefinition): Pick<ApiSnapshot['api'], 'binaryMediaTypes'> {
  const types = new Set([...(before.api.binaryMediaTypes ?? []), ...(definition.api.binaryMediaTypes ?? [])]);
  return types.size > 0 ? { binaryMediaTypes: [...types] } : {};
}

/** Rows of the same name keep their id. */
function merge<Row extends { readonly id: string }, New extends object>(
  rows: readonly Row[],
  added: readonly New[],
  nameOf: (row: Row | New) => string,
  nextId: () => string,
): Row[] {
  const byName = new Map(rows.map((row) => [nameOf(row), row] as const));
  for (const row of added) byName.set(nameOf(row), { ...row, id: byName.get(nameOf(row))?.id ?? nextId() } as unknown as Row);
  return [...byName.values()];
}

/** References between schemas are URLs of models. */
function schemaText(schema: unknown, apiId: string): string {
  return JSON.stringify(
    schema,
    (key, value: unknown) =>
      key === '$ref' && typeof value === 'string'
        ? value.replace(/^#\/(?:definitions|components\/schemas)\//, `https://apigateway.amazonaws.com/restapis/${apiId}/models/`)
        : value,
    2,
  );
}

function applyResources(
  before: readonly ResourceRow[],
  definition: ApiDefinition,
  overwrite: boolean,
  named: { authorizers: readonly AuthorizerRow[]; validators: readonly ValidatorRow[] },
  nextId: () => string,
): ResourceRow[] {
  // A path that was there before keeps its resource's id, so that a re-import changes no more than it must.
  const oldIds = new Map(before.map((row) => [row.path, row.id] as const));
  const byPath = new Map(before.filter((row) => !overwrite || row.path === '/').map((row) => [row.path, overwrite ? { ...row, methods: {} } : row] as const));
  for (const [path, methods] of definition.resources) {
    const row = ensurePath(byPath, path, oldIds, nextId);
    const next = { ...row.methods };
    for (const [name, imported] of methods) next[name] = bind(imported, row.id, named);
    byPath.set(row.path, { ...row, methods: next });
  }
  return [...byPath.values()];
}

function ensurePath(byPath: Map<string, ResourceRow>, path: string, oldIds: ReadonlyMap<string, string>, nextId: () => string): ResourceRow {
  let parent = byPath.get('/');
  if (!parent) throw new Error('an API has a root resource');
  for (const pathPart of path.split('/').filter((part) => part !== '')) {
    const full = pathUnder(parent, pathPart);
    const existing = byPath.get(full);
    if (existing) {
      parent = existing;
      continue;
    }
    const parentId: string = parent.id;
    checkPlace(
      parent,
      [...byPath.values()].filter((row) => row.parentId === parentId),
      pathPart,
    );
    parent = { id: oldIds.get(full) ?? nextId(), parentId, pathPart, path: full, methods: {} };
    byPath.set(full, parent);
  }
  return parent;
}

/** Ids for the names that a method refers to. */
function bind(imported: ImportedMethod, resourceId: string, named: { authorizers: readonly AuthorizerRow[]; validators: readonly ValidatorRow[] }): Method {
  const authorizerId = named.authorizers.find((row) => row.name === imported.authorizer)?.id;
  const requestValidatorId = named.validators.find((row) => row.name === imported.validator)?.id;
  const integration = imported.method.methodIntegration;
  return {
    ...imported.method,
    ...(authorizerId === undefined ? {} : { authorizerId }),
    ...(requestValidatorId === undefined ? {} : { requestValidatorId }),
    ...(integration ? { methodIntegration: { ...integration, cacheNamespace: integration.cacheNamespace ?? resourceId } } : {}),
  };
}
