import type {
  CreateDocumentationPartCommandInput,
  DeleteDocumentationPartCommandInput,
  DocumentationPart,
  DocumentationPartIds,
  DocumentationParts,
  GetDocumentationPartCommandInput,
  GetDocumentationPartsCommandInput,
  ImportDocumentationPartsCommandInput,
  UpdateDocumentationPartCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Tx } from '../../../store/store.ts';
import type { Operation } from '../../service.ts';
import { type DocumentationPartRow, describePart, locationKey, locationOf, type NewPart, readParts } from '../domain/documentation.ts';
import { pageOf } from '../domain/paging.ts';
import { type Patch, patchesOf, requireReplace } from '../domain/patch.ts';
import type { ResourceRow, Scope } from '../domain/types.ts';
import { badRequest, conflict, documentationPartNotFound, limitExceeded } from '../errors.ts';
import { DOCUMENTATION_PARTS_MAX } from '../limits.ts';
import { keys, list, putPart, rangeOf, read, readApi, txApi, txList, txRead, update } from '../store.ts';

/** Adds parts behind those that are there; `merge` puts a part's text in the place of one that is about the same. */
export function putParts(
  tx: Tx,
  scope: Scope,
  apiId: string,
  parts: readonly NewPart[],
  ids: readonly string[],
  mode: 'create' | 'merge' | 'overwrite',
): DocumentationPartRow[] {
  const before = txList<DocumentationPartRow>(tx, keys.parts(scope, apiId, 'documentationPart'));
  if (mode === 'overwrite') for (const row of before) tx.delete(keys.part(scope, apiId, 'documentationPart', row.id));
  const byLocation = new Map((mode === 'overwrite' ? [] : before).map((row) => [locationKey(row.location), row] as const));
  let order = Math.max(-1, ...before.map((row) => row.order));
  const rows = parts.map((part, i) => {
    const same = byLocation.get(locationKey(part.location));
    if (same && mode === 'create') throw conflict('Documentation part already exists for the specified location');
    const row: DocumentationPartRow = same ? { ...same, properties: part.properties } : { id: ids[i] ?? '', ...part, order: ++order };
    byLocation.set(locationKey(row.location), row);
    putPart(tx, scope, apiId, 'documentationPart', row.id, row);
    return row;
  });
  if (byLocation.size > DOCUMENTATION_PARTS_MAX) throw limitExceeded('Maximum number of documentation parts for this API has been reached.');
  return rows;
}

/** "CreateDocumentationPart". */
export const createDocumentationPart: Operation<CreateDocumentationPartCommandInput, DocumentationPart> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const id = ctx.platform.ids.text(6);
  const properties = input.properties ?? '';
  if (properties === '') throw badRequest('Documentation part properties must be non-empty');
  const part = { location: locationOf(input.location ?? { type: undefined }), properties };
  const row = await ctx.platform.store.transact({ reads: [keys.api(ctx, apiId)], ranges: [rangeOf(keys.parts(ctx, apiId, 'documentationPart'))] }, (tx) => {
    txApi(tx, ctx, apiId);
    return putParts(tx, ctx, apiId, [part], [id], 'create')[0];
  });
  return row ? describePart(row) : {};
};

/** "GetDocumentationPart". */
export const getDocumentationPart: Operation<GetDocumentationPartCommandInput, DocumentationPart> = async (ctx, input) => {
  const key = keys.part(ctx, input.restApiId ?? '', 'documentationPart', input.documentationPartId ?? '');
  return describePart(await read<DocumentationPartRow>(ctx.platform.store, key, documentationPartNotFound));
};

/** "GetDocumentationParts", in the order in which they were made. */
export const getDocumentationParts: Operation<GetDocumentationPartsCommandInput, DocumentationParts> = async (ctx, input) => {
  const { store } = ctx.platform;
  const apiId = input.restApiId ?? '';
  await readApi(store, ctx, apiId);
  const rows = await list<DocumentationPartRow>(store, keys.parts(ctx, apiId, 'documentationPart'));
  const paths =
    input.locationStatus === 'UNDOCUMENTED' ? new Set((await list<ResourceRow>(store, keys.parts(ctx, apiId, 'resource'))).map((row) => row.path)) : undefined;
  const found = rows.filter(
    ({ location }) =>
      (input.type === undefined || location.type === input.type) &&
      (input.path === undefined || location.path === input.path) &&
      (input.nameQuery === undefined || (location.name ?? '').includes(input.nameQuery)) &&
      !(paths && location.path !== undefined && paths.has(location.path)),
  );
  found.sort((a, b) => a.order - b.order);
  const page = pageOf(found, input, (row) => row.id);
  return { ...page, items: page.items.map(describePart) };
};

function patchPart(row: DocumentationPartRow, patch: Patch): DocumentationPartRow {
  requireReplace(patch, ['/properties']);
  return { ...row, properties: patch.value ?? '' };
}

/** "UpdateDocumentationPart". */
export const updateDocumentationPart: Operation<UpdateDocumentationPartCommandInput, DocumentationPart> = async (ctx, input) =>
  update<DocumentationPartRow, DocumentationPart>(
    ctx.platform.store,
    keys.part(ctx, input.restApiId ?? '', 'documentationPart', input.documentationPartId ?? ''),
    documentationPartNotFound,
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchPart, row);
      return [next, describePart(next)];
    },
  );

/** "DeleteDocumentationPart". */
export const deleteDocumentationPart: Operation<DeleteDocumentationPartCommandInput> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const key = keys.part(ctx, apiId, 'documentationPart', input.documentationPartId ?? '');
  await ctx.platform.store.transact({ keys: [key], reads: [keys.api(ctx, apiId)] }, (tx) => {
    txApi(tx, ctx, apiId);
    txRead<DocumentationPartRow>(tx, key, documentationPartNotFound);
    tx.delete(key);
  });
  return {};
};

/** "ImportDocumentationParts": merges by default. */
export const importDocumentationParts: Operation<ImportDocumentationPartsCommandInput, DocumentationPartIds> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const parts = readParts(input.body instanceof Uint8Array ? input.body : Buffer.from(String(input.body ?? ''), 'utf8'));
  const ids = parts.map(() => ctx.platform.ids.text(6));
  const rows = await ctx.platform.store.transact({ reads: [keys.api(ctx, apiId)], ranges: [rangeOf(keys.parts(ctx, apiId, 'documentationPart'))] }, (tx) => {
    txApi(tx, ctx, apiId);
    return putParts(tx, ctx, apiId, parts, ids, input.mode ?? 'merge');
  });
  return { ids: rows.map((row) => row.id) };
};
