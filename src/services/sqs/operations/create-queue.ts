import type { CreateQueueCommandInput, CreateQueueCommandOutput } from '@aws-sdk/client-sqs';
import { decodeJson } from '../../../kit/json.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { SWEEP_TARGET, type SweepPayload } from '../background.ts';
import { type Address, queueUrl } from '../domain/address.ts';
import { applyAttributes, checkAttributes } from '../domain/attributes.ts';
import { checkRedriveAllowPolicy, checkRedrivePolicy } from '../domain/redrive.ts';
import { attributesOf, isFifo } from '../domain/settings.ts';
import { checkTags } from '../domain/tags.ts';
import { invalidParameter, missingParameter, queueDeletedRecently, queueNameExists } from '../errors.ts';
import { DELETED_QUEUE_MS, QUEUE_NAME_CHARS_MAX } from '../limits.ts';
import { keys, NOTHING, putQueue, type QueueRow, txQueue } from '../store.ts';

type Output = Omit<CreateQueueCommandOutput, '$metadata'>;

function checkName(name: string | undefined, fifo: boolean): string {
  if (name === undefined || name === '') throw missingParameter('QueueName');
  const base = name.endsWith('.fifo') ? name.slice(0, -5) : name;
  if (!/^[\w-]+$/.test(base) || name.length > QUEUE_NAME_CHARS_MAX)
    throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
  if (fifo && !isFifo(name))
    throw invalidParameter(
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
    );
  if (!fifo && isFifo(name)) throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
  return name;
}

/** "CreateQueue": the same attributes again answer with the queue that is there. */
export async function createQueue(ctx: Ctx, input: CreateQueueCommandInput): Promise<Output> {
  const given = (input.Attributes ?? {}) as Record<string, string>;
  const name = checkName(input.QueueName, String(given['FifoQueue']).toLowerCase() === 'true');
  const tags = (input.tags ?? {}) as Record<string, string>;
  checkTags(tags);
  const attributes = checkAttributes(name, given, true);
  const { store, clock, ids, bus } = ctx.platform;
  const address: Address = { account: ctx.account, region: ctx.region, name };
  const [id, contents, nowMs] = [ids.text(16), ids.text(16), clock.virtual()];
  await store.transact({ keys: [keys.queue(ctx, name), keys.deleted(ctx, name)] }, (tx) => {
    const existing = txQueue(tx, address);
    if (existing) return checkSame(existing, attributes);
    const deleted = tx.get(keys.deleted(ctx, name));
    if (deleted && decodeJson<number>(deleted) + DELETED_QUEUE_MS > nowMs) throw queueDeletedRecently();
    tx.delete(keys.deleted(ctx, name));
    const row: QueueRow = { name, id, contents, createdMs: nowMs, modifiedMs: nowMs, attributes: applyAttributes({}, attributes), tags };
    applyPolicies(tx, address, {}, row.attributes);
    putQueue(tx, ctx, row);
    const dueMs = nowMs + Number(attributesOf(row)['MessageRetentionPeriod']) * 1000;
    const payload: SweepPayload = { name, id };
    bus.enqueue(tx, { target: SWEEP_TARGET, account: ctx.account, region: ctx.region, payload, dueMs, trace: ctx.trace });
    return undefined;
  });
  return { QueueUrl: queueUrl(ctx, address) };
}

/** Only attributes that the caller states are compared. */
function checkSame(existing: QueueRow, attributes: Readonly<Record<string, string>>): void {
  const had = attributesOf(existing);
  for (const [name, value] of Object.entries(attributes)) if ((had[name] ?? '') !== value) throw queueNameExists(name);
}

/** Checks changed redrive policies, and keeps note of who has which dead-letter queue. */
export function applyPolicies(tx: Tx, address: Address, had: Readonly<Record<string, string>>, next: Readonly<Record<string, string>>): void {
  const { RedrivePolicy: policy, RedriveAllowPolicy: allow } = next;
  if (allow !== undefined && allow !== had['RedriveAllowPolicy']) checkRedriveAllowPolicy(allow);
  if (policy === had['RedrivePolicy']) return;
  forgetSource(tx, address, had);
  if (policy === undefined) return;
  const target = checkRedrivePolicy(tx, address, policy);
  tx.put(keys.source(address, target.name, address.name), NOTHING);
}

/** Takes back the note that a queue has a dead-letter queue. */
export function forgetSource(tx: Tx, address: Address, had: Readonly<Record<string, string>>): void {
  const policy = had['RedrivePolicy'];
  if (policy === undefined) return;
  const { deadLetterTargetArn } = JSON.parse(policy) as { deadLetterTargetArn: string };
  tx.delete(keys.source(address, deadLetterTargetArn.split(':').at(-1) ?? '', address.name));
}
