import type {
  CreateDocumentationVersionCommandInput,
  DeleteDocumentationVersionCommandInput,
  DocumentationVersion,
  DocumentationVersions,
  GetDocumentationVersionCommandInput,
  GetDocumentationVersionsCommandInput,
  UpdateDocumentationVersionCommandInput,
} from '@aws-sdk/client-api-gateway';
import { encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import type { DocumentationVersionRow } from '../domain/documentation.ts';
import { pageOf } from '../domain/paging.ts';
import { compact, type Patch, patchesOf, requireReplace } from '../domain/patch.ts';
import type { StageRow } from '../domain/types.ts';
import { conflict, documentationVersionNotFound, stageNotFound } from '../errors.ts';
import { keys, list, read, readApi, txApi, txRead, update } from '../store.ts';

const describe = ({ createdMs, ...row }: DocumentationVersionRow): DocumentationVersion => ({ ...row, createdDate: new Date(createdMs) });

/** "CreateDocumentationVersion", shown by a stage where one is named. */
export const createDocumentationVersion: Operation<CreateDocumentationVersionCommandInput, DocumentationVersion> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const version = input.documentationVersion ?? '';
  const row = compact({ version, description: input.description || undefined, createdMs: ctx.platform.clock.virtual() }) as DocumentationVersionRow;
  const key = keys.part(ctx, apiId, 'documentationVersion', version);
  const stageKey = input.stageName ? keys.part(ctx, apiId, 'stage', input.stageName) : undefined;
  await ctx.platform.store.transact({ keys: stageKey ? [key, stageKey] : [key], reads: [keys.api(ctx, apiId)] }, (tx) => {
    txApi(tx, ctx, apiId);
    if (tx.get(key)) throw conflict('The documentation version already exists for this API.');
    if (stageKey) tx.put(stageKey, encodeJson({ ...txRead<StageRow>(tx, stageKey, stageNotFound), documentationVersion: version }));
    tx.put(key, encodeJson(row));
  });
  return describe(row);
};

/** "GetDocumentationVersion". */
export const getDocumentationVersion: Operation<GetDocumentationVersionCommandInput, DocumentationVersion> = async (ctx, input) => {
  const key = keys.part(ctx, input.restApiId ?? '', 'documentationVersion', input.documentationVersion ?? '');
  return describe(await read<DocumentationVersionRow>(ctx.platform.store, key, documentationVersionNotFound));
};

/** "GetDocumentationVersions". */
export const getDocumentationVersions: Operation<GetDocumentationVersionsCommandInput, DocumentationVersions> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  const page = pageOf(await list<DocumentationVersionRow>(ctx.platform.store, keys.parts(ctx, apiId, 'documentationVersion')), input, (row) => row.version);
  return { ...page, items: page.items.map(describe) };
};

function patchVersion(row: DocumentationVersionRow, patch: Patch): DocumentationVersionRow {
  requireReplace(patch, ['/description']);
  return compact({ ...row, description: patch.value }) as DocumentationVersionRow;
}

/** "UpdateDocumentationVersion". */
export const updateDocumentationVersion: Operation<UpdateDocumentationVersionCommandInput, DocumentationVersion> = async (ctx, input) =>
  update<DocumentationVersionRow, DocumentationVersion>(
    ctx.platform.store,
    keys.part(ctx, input.restApiId ?? '', 'documentationVersion', input.documentationVersion ?? ''),
    documentationVersionNotFound,
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchVersion, row);
      return [next, describe(next)];
    },
  );

/** "DeleteDocumentationVersion". */
export const deleteDocumentationVersion: Operation<DeleteDocumentationVersionCommandInput> = async (ctx, input) => {
  const key = keys.part(ctx, input.restApiId ?? '', 'documentationVersion', input.documentationVersion ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    txRead<DocumentationVersionRow>(tx, key, documentationVersionNotFound);
    tx.delete(key);
  });
  return {};
};
