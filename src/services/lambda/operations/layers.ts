import type {
  DeleteLayerVersionRequest,
  GetLayerVersionByArnRequest,
  GetLayerVersionRequest,
  GetLayerVersionResponse,
  LayersListItem,
  LayerVersionsListItem,
  ListLayersRequest,
  ListLayersResponse,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
  PublishLayerVersionRequest,
  PublishLayerVersionResponse,
} from '@aws-sdk/client-lambda';
import { AwsError } from '../../../kit/errors.ts';
import { decodeJson } from '../../../kit/json.ts';
import { prefixEnd } from '../../../kit/key.ts';
import { loadModel } from '../../../models/index.ts';
import { validate, validationMessage } from '../../../protocol/index.ts';
import type { Ctx, Operation } from '../../service.ts';
import {
  checkLayerArns,
  checkLayerVersion,
  checkRuntimeFilter,
  type LayerReference,
  type LayerVersionReference,
  layerArn,
  layerVersionArn,
  listedLayerVersion,
  matches,
  readLayerName,
  readLayerVersionArn,
} from '../domain/layers.ts';
import { runtimesFailure } from '../domain/runtimes.ts';
import { accessDenied, invalidParameter, noSuchResource } from '../errors.ts';
import type { LambdaRoom } from '../functions.ts';
import { LAYER_ITEMS_MAX, UNZIPPED_BYTES_MAX } from '../limits.ts';
import { getLayerVersionRow, getPolicyRowAt, keys, type LayerRow, type LayerUse, type LayerVersionRow, listRows, read, write } from '../store.ts';
import { keepCode, readCode } from './code.ts';
import { markerOf, readMarker } from './list-functions.ts';
import { checkCodeStorage } from './storage.ts';

const PAGE = 1000;

/** "PublishLayerVersion". */
export function publishLayerVersion(room: LambdaRoom): Operation<PublishLayerVersionRequest, PublishLayerVersionResponse> {
  return async (ctx, input) => {
    const { store, clock } = ctx.platform;
    await checkInput(input);
    const reference = readLayerName(ctx, input.LayerName ?? '');
    if (reference.account !== ctx.account || reference.region !== ctx.region) throw denied(ctx, 'PublishLayerVersion', layerArn(reference));
    const zip = await readCode(ctx, input.Content ?? {});
    await checkCodeStorage(ctx, zip.zip.length);
    const code = await keepCode(ctx, zip);
    const createdMs = clock.virtual();
    const key = keys.layer(ctx, reference.name);
    const row = await store.transact({ keys: [key] }, (tx) => {
      const layer = read<LayerRow>(tx, key) ?? { name: reference.name, nextVersion: 1 };
      const published: LayerVersionRow = {
        version: layer.nextVersion,
        description: input.Description ?? '',
        createdMs,
        code,
        ...(input.CompatibleRuntimes ? { runtimes: input.CompatibleRuntimes } : {}),
        ...(input.CompatibleArchitectures ? { architectures: input.CompatibleArchitectures } : {}),
        ...(input.LicenseInfo === undefined ? {} : { licenseInfo: input.LicenseInfo }),
      };
      write(tx, keys.layerVersion(ctx, reference.name, published.version), published);
      write(tx, key, { ...layer, nextVersion: layer.nextVersion + 1 });
      return published;
    });
    return shown(ctx, room, reference, row);
  };
}

/** "GetLayerVersion". */
export function getLayerVersion(room: LambdaRoom): Operation<GetLayerVersionRequest, GetLayerVersionResponse> {
  return async (ctx, input) => {
    const version = checkLayerVersion(input.VersionNumber);
    const reference = { ...readLayerName(ctx, input.LayerName ?? ''), version };
    return shown(ctx, room, reference, await requireLayerVersion(ctx, reference));
  };
}

/** "GetLayerVersionByArn". */
export function getLayerVersionByArn(room: LambdaRoom): Operation<GetLayerVersionByArnRequest, GetLayerVersionResponse> {
  return async (ctx, input) => {
    const reference = readLayerVersionArn(input.Arn ?? '');
    return shown(ctx, room, reference, await requireLayerVersion(ctx, reference));
  };
}

/** "ListLayerVersions": the newest first. */
export const listLayerVersions: Operation<ListLayerVersionsRequest, ListLayerVersionsResponse> = async (ctx, input) => {
  checkRuntimeFilter(input.CompatibleRuntime);
  const reference = readLayerName(ctx, input.LayerName ?? '');
  const prefix = keys.layerVersions(reference, reference.name);
  const limit = Math.min(input.MaxItems ?? LAYER_ITEMS_MAX, LAYER_ITEMS_MAX);
  const items: LayerVersionsListItem[] = [];
  let to = readMarker(input.Marker, prefix) ?? prefixEnd(prefix);
  for (;;) {
    const page = await ctx.platform.store.range({ from: prefix, to, limit: PAGE, reverse: true });
    for (const [key, value] of page.entries) {
      to = key;
      const row = decodeJson<LayerVersionRow>(value);
      if (row.deleted || !matches(row, filterOf(input))) continue;
      if (items.length === limit) return { LayerVersions: items, NextMarker: markerOf(`${key}\x00`) };
      items.push(listedLayerVersion(reference, row) as LayerVersionsListItem);
    }
    if (!page.more) return { LayerVersions: items };
  }
};

/** "ListLayers": each with its newest version that matches. */
export const listLayers: Operation<ListLayersRequest, ListLayersResponse> = async (ctx, input) => {
  checkRuntimeFilter(input.CompatibleRuntime);
  const prefix = keys.layers(ctx);
  const limit = Math.min(input.MaxItems ?? LAYER_ITEMS_MAX, LAYER_ITEMS_MAX);
  const items: LayersListItem[] = [];
  let after = readMarker(input.Marker, prefix);
  for (;;) {
    const { rows, lastKey } = await listRows<LayerRow>(ctx.platform.store, prefix, limit - items.length, after);
    for (const { name } of rows) {
      const reference = { account: ctx.account, region: ctx.region, name };
      const page = await listLayerVersions(ctx, { ...input, LayerName: name, MaxItems: 1, Marker: undefined });
      const [newest] = page.LayerVersions ?? [];
      if (newest) items.push({ LayerName: name, LayerArn: layerArn(reference), LatestMatchingVersion: newest });
    }
    if (lastKey === undefined) return { Layers: items };
    if (items.length >= limit) return { Layers: items, NextMarker: markerOf(lastKey) };
    after = lastKey;
  }
};

/** "DeleteLayerVersion": functions that have it keep it. One that is not there is a success. */
export const deleteLayerVersion: Operation<DeleteLayerVersionRequest, Record<string, never>> = async (ctx, input) => {
  const version = checkLayerVersion(input.VersionNumber);
  const reference = { ...readLayerName(ctx, input.LayerName ?? ''), version };
  if (reference.account !== ctx.account) throw denied(ctx, 'DeleteLayerVersion', layerVersionArn(reference));
  const key = keys.layerVersion(reference, reference.name, version);
  const policyKey = keys.layerPolicy(reference, reference.name, version);
  await ctx.platform.store.transact({ keys: [key, policyKey] }, (tx) => {
    const row = read<LayerVersionRow>(tx, key);
    if (row) write(tx, key, { ...row, deleted: true });
    tx.delete(policyKey);
  });
  return {};
};

/** The layers that a function is to have, in their order; those that it `has` already may have been deleted. Throws AWS's errors. */
export async function resolveLayers(ctx: Ctx, arns: readonly string[], has: readonly LayerUse[] = []): Promise<readonly LayerUse[]> {
  const uses: LayerUse[] = [];
  for (const reference of checkLayerArns(ctx, arns)) {
    const arn = layerVersionArn(reference);
    const kept = has.find((one) => one.arn === arn);
    const row = kept ? undefined : await getLayerVersionRow(ctx.platform.store, reference, reference.name, reference.version);
    if (!kept && !row) throw invalidParameter(`Layer version ${arn} does not exist.`);
    if (row) await checkPermission(ctx, reference);
    if (kept) uses.push(kept);
    else if (row) uses.push({ arn, ...row.code });
  }
  return uses;
}

/** Throws where code and layers together unpack to more than AWS allows. */
export function checkTotalSize(unzippedBytes: number | undefined, layers: readonly LayerUse[] = []): void {
  const total = layers.reduce((sum, one) => sum + (one.unzippedBytes ?? 0), unzippedBytes ?? 0);
  if (layers.length === 0 || total <= UNZIPPED_BYTES_MAX) return;
  throw invalidParameter(
    `Function code combined with layers exceeds the maximum allowed size of ${UNZIPPED_BYTES_MAX} bytes. The actual size is ${total} bytes.`,
  );
}

async function requireLayerVersion(ctx: Ctx, reference: LayerVersionReference): Promise<LayerVersionRow> {
  await checkPermission(ctx, reference);
  const row = await getLayerVersionRow(ctx.platform.store, reference, reference.name, reference.version);
  if (!row) throw noSuchResource();
  return row;
}

/** The model's constraints, and the runtimes that it does not list, in one answer as on AWS. */
async function checkInput(input: PublishLayerVersionRequest): Promise<void> {
  const model = await loadModel('lambda');
  const operation = model.operations['PublishLayerVersion'];
  const runtimes = runtimesFailure(input.CompatibleRuntimes ?? []);
  const failures = [...(runtimes ? [runtimes] : []), ...(operation ? validate(model, operation, { ...input }) : [])];
  if (failures.length > 0) throw new AwsError('ValidationException', validationMessage(failures));
}

function shown(ctx: Ctx, room: LambdaRoom, reference: LayerReference, row: LayerVersionRow): PublishLayerVersionResponse {
  return {
    ...listedLayerVersion(reference, row),
    LayerArn: layerArn(reference),
    Content: { Location: room.links.make(ctx.platform, row.code.blobId), CodeSha256: row.code.sha256, CodeSize: row.code.size },
  };
}

interface Filter {
  readonly CompatibleRuntime?: string | undefined;
  readonly CompatibleArchitecture?: string | undefined;
}

function filterOf(input: Filter): { readonly runtime?: string; readonly architecture?: string } {
  return {
    ...(input.CompatibleRuntime === undefined ? {} : { runtime: input.CompatibleRuntime }),
    ...(input.CompatibleArchitecture === undefined ? {} : { architecture: input.CompatibleArchitecture }),
  };
}

/** Another account's layer may be read where its policy says so. */
async function checkPermission(ctx: Ctx, reference: LayerVersionReference): Promise<void> {
  if (reference.account === ctx.account) return;
  const policy = await getPolicyRowAt(ctx.platform.store, keys.layerPolicy(reference, reference.name, reference.version));
  const allowed = policy?.statements.some(({ Principal: principal, Condition: condition }) => {
    if (condition !== undefined) return false;
    return principal === '*' || JSON.stringify(principal).includes(`::${ctx.account}:root`);
  });
  if (!allowed) throw denied(ctx, 'GetLayerVersion', layerVersionArn(reference));
}

function denied(ctx: Ctx, operation: string, arn: string): AwsError {
  return accessDenied(
    `User: ${ctx.principal.arn} is not authorized to perform: lambda:${operation} on resource: ${arn} because no resource-based policy allows the lambda:${operation} action`,
  );
}
