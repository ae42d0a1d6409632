import { partitionOf } from '../../../kit/arn.ts';
import { invalidParameter } from '../errors.ts';
import { POLICY_BYTES_MAX } from '../limits.ts';
import { type TopicAddress, topicArn } from './arn.ts';

const SHARED = [
  'GetTopicAttributes',
  'SetTopicAttributes',
  'AddPermission',
  'RemovePermission',
  'DeleteTopic',
  'Subscribe',
  'ListSubscriptionsByTopic',
  'Publish',
];
/** Actions that a topic's policy can name: "Amazon SNS API permissions". */
const ACTIONS = new Set([...SHARED, 'Receive', 'GetDataProtectionPolicy', 'PutDataProtectionPolicy', 'ListTagsForResource', 'TagResource', 'UntagResource']);

interface Policy {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement?: unknown;
}

/** The policy that every topic begins with: its owner may do everything. */
export function defaultPolicy(address: TopicAddress): string {
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: SHARED.map((action) => `SNS:${action}`),
        Resource: topicArn(address),
        Condition: { StringEquals: { 'AWS:SourceOwner': address.account } },
      },
    ],
  });
}

/** A policy document that a topic can have; throws InvalidParameter. */
export function checkPolicy(text: string): void {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw invalidParameter('Policy Error: null');
  }
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) throw invalidParameter('Policy Error: null');
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX) throw invalidParameter('Policy Error: Policy document is too long');
  for (const statement of statementsOf(policy as Policy)) {
    const actions = [(statement as { Action?: unknown }).Action ?? []].flat().map(String);
    if (actions.some((action) => action !== '*' && !/^sns:/i.test(action))) throw invalidParameter('Policy statement action out of service scope!');
  }
}

/** A policy is whatever JSON its owner has set: what is no statement is left out. */
function statementsOf({ Statement: given }: Policy): { Sid?: string }[] {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  return all.filter((one): one is { Sid?: string } => typeof one === 'object' && one !== null);
}

/** "AddPermission": the policy with one statement more. Throws InvalidParameter. */
export function withPermission(
  policyText: string,
  address: TopicAddress,
  { label, accounts, actions }: { readonly label: string; readonly accounts: readonly string[]; readonly actions: readonly string[] },
): string {
  const policy = JSON.parse(policyText) as Policy;
  const statements = statementsOf(policy);
  if (statements.some(({ Sid }) => Sid === label)) throw invalidParameter('Statement already exists');
  if (actions.some((action) => !ACTIONS.has(action))) throw invalidParameter('Policy statement action out of service scope!');
  if (accounts.some((account) => !/^\d{12}$/.test(account))) throw invalidParameter('Policy Error: PrincipalNotFound');
  const one = <T>(list: readonly T[]) => (list.length === 1 ? list[0] : list);
  const statement = {
    Sid: label,
    Effect: 'Allow',
    Principal: { AWS: one(accounts.map((account) => `arn:${partitionOf(address.region)}:iam::${account}:root`)) },
    Action: one(actions.map((action) => `SNS:${action}`)),
    Resource: topicArn(address),
  };
  return JSON.stringify({ ...policy, Statement: [...statements, statement] });
}

/** "RemovePermission": a label that is not there is no error. */
export function withoutPermission(policyText: string, label: string): string {
  const policy = JSON.parse(policyText) as Policy;
  return JSON.stringify({ ...policy, Statement: statementsOf(policy).filter(({ Sid }) => Sid !== label) });
}
