import type { CreateFunctionRequest, FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { enqueueSettle } from '../deliveries.ts';
import { CREATING, fullConfiguration } from '../domain/configuration.ts';
import { checkLayerArns } from '../domain/layers.ts';
import { readNewName } from '../domain/names.ts';
import { type Configured, configurationOf, reconfigured } from '../domain/parameters.ts';
import { checkTags } from '../domain/tags.ts';
import { conflict, validation } from '../errors.ts';
import { keepImage } from '../images.ts';
import { type FunctionRow, keys, read, type VersionRow, write } from '../store.ts';
import { keepCode, readCode } from './code.ts';
import { requireSigning } from './code-signing.ts';
import { checkTotalSize, resolveLayers } from './layers.ts';
import { checkCodeStorage } from './storage.ts';

/** "CreateFunction". */
export const createFunction: Operation<CreateFunctionRequest, FunctionConfiguration> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const name = readNewName(ctx, input.FunctionName ?? '');
  if (input.PublishTo !== undefined) throw validation(`Value '${input.PublishTo}' at 'publishTo' failed to satisfy constraint: Member must be absent`);
  const signing = input.CodeSigningConfigArn;
  if (signing !== undefined) await requireSigning(ctx, signing);
  const defaults = configurationOf(name, input);
  const configured: Configured = reconfigured(name, defaults, input);
  checkTags(input.Tags ?? {});
  checkLayerArns(ctx, input.Layers ?? []);
  const key = keys.fn(ctx, name);
  if (await store.get(key)) throw conflict(`Function already exist: ${name}`);
  const code = input.PackageType === 'Image' ? await keepImage(ctx, input.Code?.ImageUri ?? '') : await keepZip(ctx, input);
  const row: VersionRow = {
    version: '$LATEST',
    ...configured,
    architectures: input.Architectures ?? ['x86_64'],
    ...code,
    lastModifiedMs: clock.virtual(),
    revisionId: ids.uuid(),
    ...CREATING,
  };
  const published: VersionRow | undefined = input.Publish ? { ...row, version: '1', sourceDescription: row.description } : undefined;
  const fn: FunctionRow = {
    name,
    latest: row,
    nextVersion: published ? 2 : 1,
    tags: input.Tags ?? {},
    ...(signing === undefined ? {} : { codeSigningConfigArn: signing }),
  };
  const versionKey = keys.version(ctx, name, '1');
  await store.transact({ keys: published ? [key, versionKey] : [key] }, (tx) => {
    if (read(tx, key)) throw conflict(`Function already exist: ${name}`);
    write(tx, key, fn);
    if (published) write(tx, versionKey, published);
    enqueueSettle(ctx, tx, { name, revisionId: row.revisionId, ...(published ? { version: '1' } : {}) });
  });
  return fullConfiguration(ctx, name, published ?? row);
};

async function keepZip(ctx: Ctx, input: CreateFunctionRequest): Promise<Pick<VersionRow, 'code' | 'layers'>> {
  const zip = await readCode(ctx, input.Code ?? {}, { hotReload: true });
  const layers = await resolveLayers(ctx, input.Layers ?? []);
  checkTotalSize(zip.unzippedBytes, layers);
  await checkCodeStorage(ctx, zip.zip.length);
  return { code: await keepCode(ctx, zip), ...(layers.length > 0 ? { layers } : {}) };
}
