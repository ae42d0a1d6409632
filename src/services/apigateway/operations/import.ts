import type { ImportRestApiCommandInput, PutRestApiCommandInput, RestApi } from '@aws-sdk/client-api-gateway';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { applyDefinition } from '../domain/apply.ts';
import { type NewPart, partsOf } from '../domain/documentation.ts';
import type { NewId } from '../domain/ids.ts';
import { type ApiDefinition, type BasePathMode, parseDocument, readDefinition } from '../domain/openapi.ts';
import { describeApi, newApi } from '../domain/rest-api.ts';
import type { ApiSnapshot, RestApiRow } from '../domain/types.ts';
import { badRequest } from '../errors.ts';
import { keys, putPart, rangeOf, txSnapshot } from '../store.ts';
import { putParts } from './documentation-parts.ts';

const IMPORTED_PARTS = ['resource', 'model', 'validator', 'authorizer', 'gatewayResponse', 'documentationPart'] as const;

interface Given extends ApiDefinition {
  readonly documentation: readonly NewPart[];
}

function definitionOf(input: { body?: unknown; parameters?: Record<string, string> | undefined }): Given {
  const body = input.body instanceof Uint8Array ? input.body : Buffer.from(typeof input.body === 'string' ? input.body : '', 'utf8');
  const basePath = input.parameters?.['basepath'] ?? input.parameters?.['basePath'] ?? 'ignore';
  if (!['ignore', 'prepend', 'split'].includes(basePath)) throw badRequest('Invalid basepath parameter specified. Must be one of: ignore, prepend, split');
  const document = parseDocument(body);
  return { ...readDefinition(document, basePath as BasePathMode), documentation: partsOf(document) };
}

/** As many ids as a definition can need, drawn before the transaction, which may run again. */
function idSource(newId: NewId, definition: ApiDefinition): () => () => string {
  const segments = [...definition.resources.keys()].reduce((sum, path) => sum + path.split('/').length, 0);
  const count = segments + definition.models.length + definition.authorizers.length + definition.validators.length;
  const ids = Array.from({ length: count }, () => newId(6));
  return () => {
    let next = 0;
    return () => ids[next++] ?? '';
  };
}

/** Warnings are told, or refuse the import where the caller asks for that. */
function warningsOf(input: { failOnWarnings?: boolean | undefined }, { warnings }: ApiDefinition): Pick<RestApi, 'warnings'> {
  if (warnings.length === 0) return {};
  if (input.failOnWarnings) throw badRequest(`Warnings found during import:\n${warnings.map((warning) => `\t${warning}`).join('\n')}`);
  return { warnings: [...warnings] };
}

function replaceApi(tx: Tx, ctx: Ctx, before: ApiSnapshot, after: ApiSnapshot): void {
  const apiId = after.api.id;
  for (const row of before.resources) tx.delete(keys.part(ctx, apiId, 'resource', row.id));
  for (const row of before.models) tx.delete(keys.part(ctx, apiId, 'model', row.name));
  for (const row of before.validators) tx.delete(keys.part(ctx, apiId, 'validator', row.id));
  for (const row of before.authorizers) tx.delete(keys.part(ctx, apiId, 'authorizer', row.id));
  for (const row of before.gatewayResponses) tx.delete(keys.part(ctx, apiId, 'gatewayResponse', row.responseType));
  tx.put(keys.api(ctx, apiId), encodeJson(after.api));
  for (const row of after.resources) putPart(tx, ctx, apiId, 'resource', row.id, row);
  for (const row of after.models) putPart(tx, ctx, apiId, 'model', row.name, row);
  for (const row of after.validators) putPart(tx, ctx, apiId, 'validator', row.id, row);
  for (const row of after.authorizers) putPart(tx, ctx, apiId, 'authorizer', row.id, row);
  for (const row of after.gatewayResponses) putPart(tx, ctx, apiId, 'gatewayResponse', row.responseType, row);
}

/** "ImportRestApi". */
export const importRestApi: Operation<ImportRestApiCommandInput, RestApi> = (ctx, input) => importRestApiOnce(ctx, input, ctx.platform.ids.text);

/** {@link importRestApi}; ids that come again name the API made before. */
export async function importRestApiOnce(ctx: Ctx, input: ImportRestApiCommandInput, newId: NewId): Promise<RestApi> {
  const { store, clock } = ctx.platform;
  const definition = definitionOf(input);
  const types = input.parameters?.['endpointConfigurationTypes'];
  const api = newApi(
    { name: definition.api.name ?? '', ...(types ? { endpointConfiguration: { types: [types as 'EDGE'] } } : {}) },
    newId(10),
    newId(10),
    clock.virtual(),
  );
  const root = { id: api.rootResourceId, path: '/', methods: {} };
  const empty: ApiSnapshot = { api, resources: [root], models: [], validators: [], authorizers: [], gatewayResponses: [] };
  const nextIds = idSource(newId, definition);
  const partIds = definition.documentation.map(() => newId(6));
  return store.transact({ keys: [keys.api(ctx, api.id)], ranges: [rangeOf(keys.parts(ctx, api.id, 'documentationPart'))] }, (tx) => {
    const before = tx.get(keys.api(ctx, api.id));
    if (before) return describeApi(decodeJson<RestApiRow>(before));
    const after = applyDefinition(empty, definition, 'overwrite', nextIds());
    tx.put(keys.owner(api.id), encodeJson({ account: ctx.account, region: ctx.region }));
    replaceApi(tx, ctx, empty, after);
    putParts(tx, ctx, api.id, definition.documentation, partIds, 'merge');
    return { ...describeApi(after.api), ...warningsOf(input, definition) };
  });
}

/** "PutRestApi": merges by default. What is deployed stays as it is. */
export const putRestApi: Operation<PutRestApiCommandInput, RestApi> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const definition = definitionOf(input);
  const nextIds = idSource(ctx.platform.ids.text, definition);
  const partIds = definition.documentation.map(() => ctx.platform.ids.text(6));
  const ranges = IMPORTED_PARTS.map((part) => rangeOf(keys.parts(ctx, apiId, part)));
  return ctx.platform.store.transact({ keys: [keys.api(ctx, apiId)], ranges }, (tx) => {
    const before = txSnapshot(tx, ctx, apiId);
    const after = applyDefinition(before, definition, input.mode ?? 'merge', nextIds());
    replaceApi(tx, ctx, before, after);
    putParts(tx, ctx, apiId, definition.documentation, partIds, input.mode ?? 'merge');
    return { ...describeApi(after.api, true), ...warningsOf(input, definition) };
  });
};
