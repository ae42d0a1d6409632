import type { Attempt, Outcome } from '../../bus/bus.ts';
import { CodePackageError } from '../../compute/failures.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { INVOKE, invokeLater } from './async-invocation.ts';
import { DESTINATION, dispatchLater } from './destinations.ts';
import { launchIdOf, settled } from './domain/configuration.ts';
import type { Place } from './domain/names.ts';
import { hasSnapStart } from './domain/snap-start.ts';
import { type Mappings, settleMapping, TRANSITION } from './event-source-mappings/index.ts';
import { functionKey, type LambdaRoom } from './functions.ts';
import { ASYNC_CONCURRENCY, DESTINATION_CONCURRENCY, UPDATE_MS_MIN } from './limits.ts';
import { isUsedByVersion } from './operations/code.ts';
import { codeOf, packagesOf } from './runner.ts';
import { enqueueSnapshot } from './snapshots.ts';
import { type FunctionRow, getFunctionRow, keys, read, type VersionRow, write } from './store.ts';

/** The end of a creation or an update. */
export const SETTLE = 'lambda:settle';

interface SettlePayload {
  readonly name: string;
  readonly revisionId: string;
  /** The version published by the same request. */
  readonly version?: string;
}

export function enqueueSettle(ctx: Ctx, tx: Tx, payload: SettlePayload): void {
  const { account, region, trace } = ctx;
  ctx.platform.bus.enqueue(tx, { target: SETTLE, account, region, trace, payload, orderKey: `lambda ${functionKey(ctx, payload.name)}` });
}

export function registerDeliveries(platform: Platform, room: LambdaRoom, mappings: Mappings): void {
  platform.bus.register(SETTLE, { concurrency: 16 }, (attempt) => settle(platform, room, attempt));
  platform.bus.register(INVOKE, { concurrency: ASYNC_CONCURRENCY }, (attempt) => invokeLater(platform, room, attempt));
  platform.bus.register(DESTINATION, { concurrency: DESTINATION_CONCURRENCY }, (attempt) => dispatchLater(platform, attempt));
  platform.bus.register(TRANSITION, { concurrency: 16 }, (attempt) => settleMapping(platform, mappings, attempt));
}

/** Unpacks the code, then makes the function Active or its update Successful: the new environments' first calls need not wait. */
async function settle(platform: Platform, room: LambdaRoom, attempt: Attempt): Promise<Outcome> {
  const place: Place = attempt;
  const payload = attempt.payload as SettlePayload;
  const fn = await getFunctionRow(platform.store, place, payload.name);
  if (!fn || fn.latest.revisionId !== payload.revisionId) return { done: true };
  const startedMs = platform.clock.mono();
  const failure = await unpackFailure(platform, room, fn.latest);
  const leftMs = fn.latest.state === 'Pending' ? 0 : startedMs + UPDATE_MS_MIN - platform.clock.mono();
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
  const revisionId = platform.ids.uuid();
  const versionRevisionId = platform.ids.uuid();
  const key = keys.fn(place, payload.name);
  const versionKey = payload.version === undefined ? undefined : keys.version(place, payload.name, payload.version);
  const done = await platform.store.transact({ keys: versionKey ? [key, versionKey] : [key] }, (tx) => {
    const now = read<FunctionRow>(tx, key);
    if (!now || now.latest.revisionId !== payload.revisionId) return undefined;
    const { previous, ...rest } = now;
    const latest = failure ? failed(now.latest, revisionId, failure) : settled(now.latest, revisionId);
    write(tx, key, { ...rest, latest, ...(failure && previous ? { previous } : {}) });
    const version = versionKey && read<VersionRow>(tx, versionKey);
    if (version && hasSnapStart(version)) enqueueSnapshot(platform.bus, attempt, tx, { name: now.name, version: version.version });
    else if (version && versionKey) write(tx, versionKey, settled(version, versionRevisionId));
    const replaced = failure ? undefined : previous?.code.blobId;
    const unused = replaced !== undefined && replaced !== latest.code.blobId && !isUsedByVersion(tx, place, now.name, replaced);
    return { latest, ...(unused ? { unused: replaced } : {}) };
  });
  room.settled.tell(functionKey(place, payload.name));
  if (done) room.compute.retire(`${functionKey(place, payload.name)}:$LATEST`, launchIdOf(done.latest));
  if (done?.unused !== undefined) await platform.blobs.delete(done.unused);
  return { done: true };
}

async function unpackFailure(platform: Platform, room: LambdaRoom, row: VersionRow): Promise<string | undefined> {
  try {
    await room.compute.prefetch(codeOf(platform, row), packagesOf(platform, row.layers));
    return undefined;
  } catch (error) {
    if (error instanceof CodePackageError) return error.message;
    throw error;
  }
}

function failed(row: VersionRow, revisionId: string, reason: string): VersionRow {
  if (row.state === 'Pending')
    return {
      ...row,
      revisionId,
      launchId: launchIdOf(row),
      state: 'Failed',
      stateReason: reason,
      stateReasonCode: reasonCodeOf(row),
      lastUpdateStatus: 'Failed',
    };
  return {
    ...row,
    revisionId,
    launchId: launchIdOf(row),
    lastUpdateStatus: 'Failed',
    lastUpdateReason: reason,
    lastUpdateReasonCode: reasonCodeOf(row),
  };
}

const reasonCodeOf = ({ image }: VersionRow): string => (image ? 'InvalidImage' : 'InvalidZipFileException');
