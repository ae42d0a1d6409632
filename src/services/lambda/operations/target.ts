import type { Ctx } from '../../service.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { busy } from '../errors.ts';
import { type Found, find, functionKey, type LambdaRoom, missing, versionOf } from '../functions.ts';
import { PENDING_LOOK_MS, PENDING_WAIT_MS_MAX } from '../limits.ts';
import type { FunctionRow, VersionRow } from '../store.ts';

/** What an invocation runs. */
export interface InvokeTarget {
  readonly fn: FunctionRow;
  readonly row: VersionRow;
  readonly invokedArn: string;
}

/**
 * The configuration that an invocation of `functionName` and `qualifier` runs: of an alias with weights, one by chance; of a
 * function whose update is in progress, the one before; of one that is still being created, itself once it is.
 */
export async function invokeTarget(ctx: Ctx, room: LambdaRoom, functionName: string, qualifier?: string): Promise<InvokeTarget> {
  const reference = readReference(ctx, functionName, qualifier);
  const found = await findReady(ctx, room, reference);
  const { fn, alias } = found;
  let row = found.row;
  const [other] = Object.entries(alias?.weights ?? {});
  if (other && ctx.platform.ids.float() < other[1]) {
    const weighted = await versionOf(ctx.platform, ctx, fn, other[0]);
    if (!weighted) throw missing(ctx, reference);
    row = weighted;
  }
  if (row.version === '$LATEST' && row.lastUpdateStatus !== 'Successful' && fn.previous) row = fn.previous;
  const invokedArn = functionArn(ctx, fn.name, reference.qualifier);
  if (row.state !== 'Active') throw busy(invokedArn, row.state);
  return { fn, row, invokedArn };
}

async function findReady(ctx: Ctx, room: LambdaRoom, reference: { readonly name: string; readonly qualifier?: string }): Promise<Found> {
  const { clock } = ctx.platform;
  const untilMs = clock.mono() + PENDING_WAIT_MS_MAX;
  for (;;) {
    const found = await find(ctx.platform, ctx, reference.qualifier === undefined ? { ...reference, qualifier: '$LATEST' } : reference);
    const leftMs = untilMs - clock.mono();
    if (found.row.state !== 'Pending' || leftMs <= 0) return found;
    // The news may have come between look and wait: looked at again soon in any case.
    await room.settled.wait(functionKey(ctx, reference.name), Math.min(leftMs, PENDING_LOOK_MS));
  }
}
