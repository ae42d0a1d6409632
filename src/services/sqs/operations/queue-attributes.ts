import type { GetQueueAttributesCommandInput, SetQueueAttributesCommandInput } from '@aws-sdk/client-sqs';
import type { KeyRange, Store } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { SWEEP_TARGET, type SweepPayload } from '../background.ts';
import { addressOfUrl, queueArn } from '../domain/address.ts';
import { applyAttributes, COMPUTED, checkAttributes, checkNames } from '../domain/attributes.ts';
import { attributesOf } from '../domain/settings.ts';
import { missingParameter } from '../errors.ts';
import { COUNTED_ROWS_MAX, SCOPE_CHANGE_MS } from '../limits.ts';
import type { OpenQueue } from '../messages.ts';
import { changeQueue, meterRequest, readQueue } from '../queues.ts';
import { counted, dueAfter, dueBy, putQueue } from '../store.ts';
import { applyPolicies } from './create-queue.ts';

/** "GetQueueAttributes". */
export async function getQueueAttributes(ctx: Ctx, input: GetQueueAttributesCommandInput) {
  const names: readonly string[] = input.AttributeNames ?? [];
  checkNames(names);
  const queue = await readQueue(ctx, input.QueueUrl);
  meterRequest(ctx, queue.fifo);
  const wants = (name: string) => names.includes('All') || names.includes(name);
  const { row } = queue;
  const seconds = (ms: number) => String(Math.floor(ms / 1000));
  const all: Record<string, string> = {
    ...attributesOf(row),
    QueueArn: queueArn(queue.address),
    CreatedTimestamp: seconds(row.createdMs),
    LastModifiedTimestamp: seconds(row.modifiedMs),
    ...(COMPUTED.slice(0, 3).some(wants) ? await counts(ctx, queue) : {}),
  };
  const chosen = Object.entries(all).filter(([name]) => wants(name));
  return chosen.length > 0 ? { Attributes: Object.fromEntries(chosen) } : {};
}

async function counts(ctx: Ctx, { at }: OpenQueue): Promise<Record<string, string>> {
  const { store, clock } = ctx.platform;
  const nowMs = clock.virtual();
  const [totalRow, receivedRow] = await store.getMany([at.total, at.totalReceived]);
  const [total, received] = [counted(totalRow), counted(receivedRow)];
  const again = received === 0 ? 0 : await count(store, dueBy(at.received, nowMs));
  const delayed = total === received ? 0 : await count(store, dueAfter(at.fresh, nowMs));
  const inFlight = Math.max(0, received - again);
  return {
    ApproximateNumberOfMessages: String(Math.max(0, total - inFlight - delayed)),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
  };
}

/** Entries of an index in `range`, read a page at a time. */
async function count(store: Store, range: KeyRange): Promise<number> {
  let from = range.from;
  for (let found = 0; ; ) {
    const page = await store.range({ from, to: range.to });
    found += page.entries.length;
    const last = page.entries.at(-1)?.[0];
    if (!page.more || last === undefined || found >= COUNTED_ROWS_MAX) return found;
    from = `${last}\x00`;
  }
}

/** "SetQueueAttributes". */
export async function setQueueAttributes(ctx: Ctx, input: SetQueueAttributesCommandInput): Promise<Record<string, never>> {
  if (!input.Attributes) throw missingParameter('Attribute.Name');
  const address = addressOfUrl(ctx, input.QueueUrl);
  const { bus, clock } = ctx.platform;
  const nowMs = clock.virtual();
  await readQueue(ctx, input.QueueUrl);
  const changes = checkAttributes(address.name, input.Attributes as Record<string, string>, false);
  await changeQueue(ctx, address, (tx, row) => {
    const attributes = applyAttributes(row.attributes, changes);
    applyPolicies(tx, address, row.attributes, attributes);
    const [scope, next] = [attributesOf(row)['DeduplicationScope'], attributesOf({ name: row.name, attributes })['DeduplicationScope']];
    const scopeBefore = scope === undefined || scope === next ? {} : { scopeBefore: { scope, untilMs: nowMs + SCOPE_CHANGE_MS } };
    putQueue(tx, address, { ...row, attributes, modifiedMs: nowMs, ...scopeBefore });
    if (changes['MessageRetentionPeriod'] === undefined) return;
    const { account, region, name } = address;
    const payload: SweepPayload = { name, id: row.id, once: true };
    bus.enqueue(tx, { target: SWEEP_TARGET, account, region, payload, trace: ctx.trace });
  });
  return {};
}
