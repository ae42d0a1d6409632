import type { FunctionConfiguration, UpdateFunctionCodeRequest } from '@aws-sdk/client-lambda';
import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { enqueueSettle } from '../deliveries.ts';
import { CREATING, fullConfiguration, UPDATING } from '../domain/configuration.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { busy, functionNotFound, invalidParameter, revisionMismatch } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { keepImage } from '../images.ts';
import { type FunctionRow, keys, read, type VersionRow, write } from '../store.ts';
import { describeCode, keepCode, readCode } from './code.ts';
import { checkTotalSize } from './layers.ts';
import { checkCodeStorage } from './storage.ts';

/** "UpdateFunctionCode". */
export const updateFunctionCode: Operation<UpdateFunctionCodeRequest, FunctionConfiguration> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const { name } = readReference(ctx, input.FunctionName ?? '');
  if (input.PublishTo !== undefined) throw notImplemented('PublishTo');
  const arn = functionArn(ctx, name);
  const before = await requireFunction(ctx.platform, ctx, name);
  checkUpdate(before, arn, input.RevisionId);
  const code = await newCode(ctx, input, before.latest);
  if (input.DryRun) return fullConfiguration(ctx, name, { ...before.latest, ...code });
  const revisionId = ids.uuid();
  const versionRevisionId = ids.uuid();
  const nowMs = clock.virtual();
  const key = keys.fn(ctx, name);
  const result = await store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(arn);
    checkUpdate(fn, arn, input.RevisionId);
    const latest: VersionRow = {
      ...fn.latest,
      ...code,
      architectures: input.Architectures ?? fn.latest.architectures,
      lastModifiedMs: nowMs,
      revisionId,
      launchId: revisionId,
      ...UPDATING,
    };
    const number = String(fn.nextVersion);
    const published: VersionRow | undefined = input.Publish
      ? { ...withoutStatus(latest), version: number, sourceDescription: latest.description, revisionId: versionRevisionId, ...CREATING }
      : undefined;
    write(tx, key, { ...fn, latest, previous: runnable(fn), nextVersion: fn.nextVersion + (published ? 1 : 0) });
    if (published) write(tx, keys.version(ctx, name, number), published);
    enqueueSettle(ctx, tx, { name, revisionId, ...(published ? { version: number } : {}) });
    return { latest, published };
  });
  return fullConfiguration(ctx, name, result.published ?? result.latest, result.published?.version);
};

/** What the request gives, kept unless it is a dry run. A function stays what it is, a zip or an image. */
async function newCode(ctx: Ctx, input: UpdateFunctionCodeRequest, latest: VersionRow): Promise<Pick<VersionRow, 'code' | 'image'>> {
  if (latest.image) {
    if (input.ImageUri === undefined) throw invalidParameter('Please provide ImageUri when updating a function with packageType Image.');
    return input.DryRun ? { code: latest.code } : keepImage(ctx, input.ImageUri);
  }
  if (input.ImageUri !== undefined) throw invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.");
  const zip = await readCode(ctx, input, { hotReload: true });
  checkTotalSize(zip.unzippedBytes, latest.layers);
  if (input.DryRun) return { code: { blobId: '', ...(await describeCode(zip)) } };
  await checkCodeStorage(ctx, zip.zip.length);
  return { code: await keepCode(ctx, zip) };
}

/** A version that an update publishes is created with it: its states are a new function's. */
function withoutStatus(row: VersionRow): VersionRow {
  const { lastUpdateStatus: _1, lastUpdateReason: _2, lastUpdateReasonCode: _3, ...rest } = row;
  return rest;
}

/** Order of AWS: the revision, then the state. */
export function checkUpdate(fn: FunctionRow, arn: string, revisionId: string | undefined): void {
  if (revisionId !== undefined && revisionId !== fn.latest.revisionId) throw revisionMismatch();
  if (fn.latest.state === 'Pending' || fn.latest.lastUpdateStatus === 'InProgress') throw busy(arn, fn.latest.state);
}

/** What invocations run while an update is in progress: after an update that failed, still what ran before it. */
export function runnable(fn: FunctionRow): VersionRow {
  return fn.latest.lastUpdateStatus === 'Failed' ? (fn.previous ?? fn.latest) : fn.latest;
}
