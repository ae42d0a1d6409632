import type { AddPermissionCommandInput, RemovePermissionCommandInput } from '@aws-sdk/client-sqs';
import { partitionOf } from '../../../kit/arn.ts';
import type { Ctx } from '../../service.ts';
import { addressOfUrl, queueArn } from '../domain/address.ts';
import { invalidValue, missingParameter, overLimit } from '../errors.ts';
import { PERMISSION_ACTIONS_MAX } from '../limits.ts';
import { changeQueue } from '../queues.ts';
import { putQueue } from '../store.ts';

interface Statement {
  readonly Sid?: string;
}

interface Policy {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement?: unknown;
}

/** Actions that may be shared; "AddPermission". */
const ACTIONS = new Set([
  '*',
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
]);

const parse = (text: string | undefined): Policy => (text === undefined ? {} : (JSON.parse(text) as Policy));
/** A policy is whatever JSON its owner has set: what is no statement is left out. */
function statementsOf({ Statement: given }: Policy): Statement[] {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  return all.filter((one): one is Statement => typeof one === 'object' && one !== null);
}

function checkLabel(label: string | undefined): string {
  if (!label) throw missingParameter('Label');
  if (!/^[\w-]{1,80}$/.test(label)) throw invalidValue('Label', label, 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.');
  return label;
}

/** "AddPermission": one statement, named by its label, in the queue's policy. */
export async function addPermission(ctx: Ctx, input: AddPermissionCommandInput): Promise<Record<string, never>> {
  const label = checkLabel(input.Label);
  const accounts = input.AWSAccountIds ?? [];
  const actions = input.Actions ?? [];
  if (accounts.length === 0) throw missingParameter('PrincipalId');
  if (actions.length === 0) throw missingParameter('Actions');
  for (const account of accounts) if (!/^\d{12}$/.test(account)) throw invalidValue('PrincipalId', `[${accounts.join(', ')}]`, 'Unable to verify.');
  for (const action of actions) {
    if (!ACTIONS.has(action)) throw invalidValue('ActionName', action, `Only the queue owner is allowed to invoke this action.`);
  }
  if (actions.length > PERMISSION_ACTIONS_MAX) throw overLimit(`${actions.length} Actions were found, maximum allowed is ${PERMISSION_ACTIONS_MAX}.`);
  const address = addressOfUrl(ctx, input.QueueUrl);
  const arn = queueArn(address);
  const nowMs = ctx.platform.clock.virtual();
  const principals = accounts.map((account) => `arn:${partitionOf(address.region)}:iam::${account}:root`);
  await changeQueue(ctx, address, (tx, row) => {
    const policy = parse(row.attributes['Policy']);
    const statements = statementsOf(policy);
    if (statements.some(({ Sid }) => Sid === label)) throw invalidValue('Label', label, 'Already exists.');
    const one = <T>(list: readonly T[]) => (list.length === 1 ? list[0] : list);
    statements.push({
      Sid: label,
      Effect: 'Allow',
      Principal: { AWS: one(principals) },
      Action: one(actions.map((action) => `SQS:${action}`)),
      Resource: arn,
    } as Statement);
    const next = { Version: policy.Version ?? '2008-10-17', Id: policy.Id ?? `${arn}/SQSDefaultPolicy`, Statement: statements };
    putQueue(tx, address, { ...row, modifiedMs: nowMs, attributes: { ...row.attributes, Policy: JSON.stringify(next) } });
  });
  return {};
}

/** "RemovePermission". */
export async function removePermission(ctx: Ctx, input: RemovePermissionCommandInput): Promise<Record<string, never>> {
  const label = checkLabel(input.Label);
  const address = addressOfUrl(ctx, input.QueueUrl);
  const nowMs = ctx.platform.clock.virtual();
  await changeQueue(ctx, address, (tx, row) => {
    const policy = parse(row.attributes['Policy']);
    const statements = statementsOf(policy);
    const left = statements.filter(({ Sid }) => Sid !== label);
    if (left.length === statements.length) throw invalidValue('Label', label, "can't find label.");
    const { Policy: _old, ...rest } = row.attributes;
    const attributes = left.length > 0 ? { ...rest, Policy: JSON.stringify({ ...policy, Statement: left }) } : rest;
    putQueue(tx, address, { ...row, modifiedMs: nowMs, attributes });
  });
  return {};
}
