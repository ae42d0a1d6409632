import type { AddPermissionInput, GetDataProtectionPolicyInput, PutDataProtectionPolicyInput, RemovePermissionInput } from '@aws-sdk/client-sns';
import type { Ctx } from '../../service.ts';
import { topicOf } from '../domain/arn.ts';
import { withoutPermission, withPermission } from '../domain/policy.ts';
import { invalidParameter, missing } from '../errors.ts';
import { DATA_PROTECTION_POLICY_CHARS_MAX } from '../limits.ts';
import { changeTopic, policyOf, readTopic } from '../topics.ts';

/** "AddPermission": one statement, named by its label, in the topic's policy. */
export async function addPermission(ctx: Ctx, input: AddPermissionInput): Promise<Record<string, never>> {
  const address = topicOf(input.TopicArn, ctx);
  const { Label: label, AWSAccountId: accounts, ActionName: actions } = input;
  if (label === undefined) throw missing('label');
  if (accounts === undefined || accounts.length === 0) throw missing('aWSAccountId');
  if (actions === undefined || actions.length === 0) throw missing('actionName');
  await changeTopic(ctx, address, (row) => ({ ...row, policy: withPermission(policyOf(address, row), address, { label, accounts, actions }) }));
  return {};
}

/** "RemovePermission". */
export async function removePermission(ctx: Ctx, input: RemovePermissionInput): Promise<Record<string, never>> {
  const address = topicOf(input.TopicArn, ctx);
  const { Label: label } = input;
  if (label === undefined) throw missing('label');
  await changeTopic(ctx, address, (row) => ({ ...row, policy: withoutPermission(policyOf(address, row), label) }));
  return {};
}

/** "PutDataProtectionPolicy": kept; messages are not looked at for personal data. */
export async function putDataProtectionPolicy(ctx: Ctx, input: PutDataProtectionPolicyInput): Promise<Record<string, never>> {
  const address = topicOf(input.ResourceArn, ctx, 'ResourceArn');
  const text = input.DataProtectionPolicy;
  if (text === undefined) throw missing('dataProtectionPolicy');
  if (text.length > DATA_PROTECTION_POLICY_CHARS_MAX) throw invalidParameter('DataProtectionPolicy');
  if (text !== '') {
    try {
      JSON.parse(text);
    } catch {
      throw invalidParameter('DataProtectionPolicy', 'failed to parse JSON');
    }
  }
  await changeTopic(ctx, address, ({ dataProtectionPolicy: _had, ...row }) => (text === '' ? row : { ...row, dataProtectionPolicy: text }));
  return {};
}

/** "GetDataProtectionPolicy". */
export async function getDataProtectionPolicy(ctx: Ctx, input: GetDataProtectionPolicyInput) {
  const { row } = await readTopic(ctx, input.ResourceArn, 'ResourceArn');
  return row.dataProtectionPolicy === undefined ? {} : { DataProtectionPolicy: row.dataProtectionPolicy };
}
