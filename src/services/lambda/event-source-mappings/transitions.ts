import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { prefixEnd } from '../../../kit/key.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Platform } from '../../service.ts';
import { mappedFunctionArn } from './describe.ts';
import type { Mappings } from './manager.ts';
import { getMapping, type MappingRow, mappingKeys } from './rows.ts';

/** The end of a mapping's transition. */
export const TRANSITION = 'lambda:mapping';

interface TransitionPayload {
  readonly uuid: string;
  readonly revision: string;
}

export function enqueueTransition(ctx: Ctx, tx: Tx, row: MappingRow): void {
  const payload: TransitionPayload = { uuid: row.uuid, revision: row.revision };
  const { account, region, trace } = ctx;
  ctx.platform.bus.enqueue(tx, { target: TRANSITION, account, region, trace, payload, orderKey: `lambda esm ${row.uuid}` });
}

/** Creating, Enabling and Updating become Enabled (or Disabled), Disabling becomes Disabled, and what is Deleting goes. */
export async function settleMapping(platform: Platform, mappings: Mappings, attempt: Attempt): Promise<Outcome> {
  const { uuid, revision } = attempt.payload as TransitionPayload;
  const row = await getMapping(platform.store, attempt, uuid);
  if (row?.revision !== revision) return { done: true };
  if (row.state === 'Deleting') {
    await mappings.sync(row);
    await remove(platform, attempt, row);
    return { done: true };
  }
  const next: MappingRow = { ...row, state: row.enabled ? 'Enabled' : 'Disabled' };
  // What is to end has ended before it is said to be.
  if (!row.enabled) await mappings.sync(next);
  const key = mappingKeys.mapping(row, uuid);
  const settled = await platform.store.transact({ keys: [key] }, (tx) => {
    const value = tx.get(key);
    if (!value || decodeJson<MappingRow>(value).revision !== revision) return false;
    tx.put(key, encodeJson(next));
    attempt.settle(tx);
    return true;
  });
  if (settled && row.enabled) await mappings.sync(next);
  return { done: true };
}

async function remove(platform: Platform, attempt: Attempt, row: MappingRow): Promise<void> {
  const pair = mappingKeys.pair(row, row.sourceArn, mappedFunctionArn(row));
  const checkpoints = mappingKeys.checkpoints(row.uuid);
  const key = mappingKeys.mapping(row, row.uuid);
  await platform.store.transact({ keys: [key, pair, mappingKeys.result(row.uuid)] }, (tx) => {
    tx.delete(key);
    tx.delete(pair);
    tx.delete(mappingKeys.result(row.uuid));
    for (const [one] of tx.range({ from: checkpoints, to: prefixEnd(checkpoints) }).entries) tx.delete(one);
    attempt.settle(tx);
  });
}
