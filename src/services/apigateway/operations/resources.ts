import type {
  CreateResourceCommandInput,
  DeleteResourceCommandInput,
  GetResourceCommandInput,
  GetResourcesCommandInput,
  Resource,
  Resources,
  UpdateResourceCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { NewId } from '../domain/ids.ts';
import { pageOf } from '../domain/paging.ts';
import { type Patch, patchesOf, requireReplace } from '../domain/patch.ts';
import { checkPlace, describeResource, pathUnder, repath, subtree } from '../domain/resource.ts';
import type { ResourceRow } from '../domain/types.ts';
import { badRequest, limitExceeded, resourceNotFound } from '../errors.ts';
import { RESOURCES_MAX } from '../limits.ts';
import { keys, list, putPart, rangeOf, readApi, readResource, txList } from '../store.ts';

/** Runs `change` on all resources of an API with the range held, so that siblings stay what they are. */
function withResources<T>(ctx: Ctx, apiId: string, change: (resources: ResourceRow[], tx: Tx) => T): Promise<T> {
  const prefix = keys.parts(ctx, apiId, 'resource');
  return ctx.platform.store.transact({ reads: [keys.api(ctx, apiId)], ranges: [rangeOf(prefix)] }, (tx) => {
    if (!tx.get(keys.api(ctx, apiId))) throw resourceNotFound();
    return change(txList<ResourceRow>(tx, prefix), tx);
  });
}

function find(resources: readonly ResourceRow[], id: string | undefined): ResourceRow {
  const row = resources.find((resource) => resource.id === id);
  if (!row) throw resourceNotFound();
  return row;
}

/** "CreateResource". */
export const createResource: Operation<CreateResourceCommandInput, Resource> = (ctx, input) => createResourceOnce(ctx, input, ctx.platform.ids.text);

/** {@link createResource}; an id that comes again names the resource made before. */
export async function createResourceOnce(ctx: Ctx, input: CreateResourceCommandInput, newId: NewId): Promise<Resource> {
  const apiId = input.restApiId ?? '';
  const id = newId(6);
  return withResources(ctx, apiId, (resources, tx) => {
    const before = resources.find((row) => row.id === id);
    if (before) return describeResource(before);
    const parent = find(resources, input.parentId);
    const pathPart = input.pathPart ?? '';
    checkPlace(
      parent,
      resources.filter((row) => row.parentId === parent.id),
      pathPart,
    );
    if (resources.length >= RESOURCES_MAX)
      throw limitExceeded(`Maximum number of Resources for this API has been reached. Please contact AWS if you need additional Resources.`);
    const row: ResourceRow = { id, parentId: parent.id, pathPart, path: pathUnder(parent, pathPart), methods: {} };
    putPart(tx, ctx, apiId, 'resource', id, row);
    return describeResource(row);
  });
}

/** "GetResource". */
export const getResource: Operation<GetResourceCommandInput, Resource> = async (ctx, input) => {
  const row = await readResource(ctx.platform.store, ctx, input.restApiId ?? '', input.resourceId ?? '');
  return describeResource(row, input.embed?.includes('methods'));
};

/** "GetResources", by path. */
export const getResources: Operation<GetResourcesCommandInput, Resources> = async (ctx, input) => {
  const { store } = ctx.platform;
  const apiId = input.restApiId ?? '';
  await readApi(store, ctx, apiId);
  const rows = await list<ResourceRow>(store, keys.parts(ctx, apiId, 'resource'));
  rows.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const page = pageOf(rows, input, (row) => row.id);
  return { ...page, items: page.items.map((row) => describeResource(row, input.embed?.includes('methods'))) };
};

function patchResource(resources: readonly ResourceRow[], row: ResourceRow, patch: Patch): ResourceRow {
  requireReplace(patch, ['/parentId', '/pathPart']);
  if (row.parentId === undefined) throw badRequest(`Root resource cannot update its ${patch.segments[0]}.`);
  const next = patch.path === '/pathPart' ? { ...row, pathPart: patch.value ?? '' } : { ...row, parentId: patch.value ?? '' };
  const parent = find(resources, next.parentId);
  if (subtree(resources, row.id).some((below) => below.id === parent.id)) throw badRequest('Resources cannot be cyclical.');
  const siblings = resources.filter((other) => other.parentId === parent.id && other.id !== row.id);
  checkPlace(parent, siblings, next.pathPart ?? '');
  return next;
}

/** "UpdateResource": renames or moves it, with everything below. */
export const updateResource: Operation<UpdateResourceCommandInput, Resource> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  return withResources(ctx, apiId, (resources, tx) => {
    const row = patchesOf(input.patchOperations).reduce((current, patch) => patchResource(resources, current, patch), find(resources, input.resourceId));
    const changed = repath(resources, row);
    for (const next of changed) putPart(tx, ctx, apiId, 'resource', next.id, next);
    return describeResource(changed[0] ?? row);
  });
};

/** "DeleteResource", with everything below. */
export const deleteResource: Operation<DeleteResourceCommandInput> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await withResources(ctx, apiId, (resources, tx) => {
    const row = find(resources, input.resourceId);
    if (row.parentId === undefined) throw badRequest('Cannot delete root resource.');
    for (const { id } of subtree(resources, row.id)) tx.delete(keys.part(ctx, apiId, 'resource', id));
  });
  return {};
};
