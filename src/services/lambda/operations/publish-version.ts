import type { FunctionConfiguration, PublishVersionRequest } from '@aws-sdk/client-lambda';
import { notImplemented } from '../../../kit/errors.ts';
import type { Operation } from '../../service.ts';
import { CREATING, fullConfiguration, launchIdOf, revised } from '../domain/configuration.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { hasSnapStart } from '../domain/snap-start.ts';
import { busy, functionNotFound, invalidParameter, revisionMismatch } from '../errors.ts';
import type { LambdaRoom } from '../functions.ts';
import { enqueueSnapshot } from '../snapshots.ts';
import { type FunctionRow, keys, read, readAll, type VersionRow, write } from '../store.ts';

/** "PublishVersion": the newest version again where nothing changed since. */
export const publishVersion =
  (room: LambdaRoom): Operation<PublishVersionRequest, FunctionConfiguration> =>
  async (ctx, input) => {
    const { store, ids } = ctx.platform;
    const { name } = readReference(ctx, input.FunctionName ?? '');
    if (input.PublishTo !== undefined) throw notImplemented('PublishTo');
    const arn = functionArn(ctx, name);
    room.snapshots.check();
    const key = keys.fn(ctx, name);
    const revisionId = ids.uuid();
    const latestRevisionId = ids.uuid();
    const row = await store.transact({ keys: [key] }, (tx) => {
      const fn = read<FunctionRow>(tx, key);
      if (!fn) throw functionNotFound(arn);
      const { latest } = fn;
      if (input.RevisionId !== undefined && input.RevisionId !== latest.revisionId) throw revisionMismatch();
      if (latest.state === 'Pending' || latest.lastUpdateStatus === 'InProgress') throw busy(arn, latest.state);
      if (input.CodeSha256 !== undefined && input.CodeSha256 !== '' && input.CodeSha256 !== latest.code.sha256) {
        throw invalidParameter(
          `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST.`,
        );
      }
      const newest = readAll<VersionRow>(tx, keys.versions(ctx, name)).at(-1)?.row;
      if (newest && sameContent(newest, latest)) return newest;
      const version = String(fn.nextVersion);
      const published: VersionRow = {
        ...latest,
        version,
        description: input.Description || latest.description,
        sourceDescription: latest.description,
        revisionId,
        launchId: launchIdOf(latest),
        lastUpdateStatus: 'Successful',
        // Its initialisation is part of publishing.
        ...(hasSnapStart(latest) ? CREATING : {}),
      };
      if (hasSnapStart(latest)) enqueueSnapshot(ctx.platform.bus, ctx, tx, { name, version });
      write(tx, keys.version(ctx, name, version), published);
      write(tx, key, { ...fn, latest: revised(latest, latestRevisionId), nextVersion: fn.nextVersion + 1 });
      return published;
    });
    return fullConfiguration(ctx, name, row, row.version);
  };

/** Whether a version would differ from the one before in anything but its name and the description given to it. */
function sameContent(a: VersionRow, b: VersionRow): boolean {
  return contentOf(a) === contentOf(b);
}

function contentOf(row: VersionRow): string {
  const { version: _v, revisionId: _r, lastModifiedMs: _m, state: _s, lastUpdateStatus: _l, description, sourceDescription, launchId: _i, code, ...rest } = row;
  const sorted = Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify([sorted, sourceDescription ?? description, code.sha256]);
}
