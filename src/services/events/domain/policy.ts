import type { PutPermissionRequest } from '@aws-sdk/client-eventbridge';
import { partitionOf } from '../../../kit/arn.ts';
import { statementNotFound, validation } from '../errors.ts';

interface Statement {
  readonly Sid?: string;
  readonly [member: string]: unknown;
}

interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

const parse = (text: string | undefined): Policy => (text === undefined ? { Version: '2012-10-17', Statement: [] } : (JSON.parse(text) as Policy));

/** "PutPermission": the policy with the statement in it, in the place of one with its id. */
export function withStatement(policy: string | undefined, resource: string, region: string, input: PutPermissionRequest): string {
  const { Action, Principal, StatementId, Condition } = input;
  if (Action === undefined) throw validation('Parameter Action is required.');
  if (Principal === undefined) throw validation('Parameter Principal is required.');
  if (StatementId === undefined) throw validation('Parameter StatementId is required.');
  const { Version, Statement } = parse(policy);
  const statement: Statement = {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { AWS: `arn:${partitionOf(region)}:iam::${Principal}:root` },
    Action,
    Resource: resource,
    ...(Condition === undefined ? {} : { Condition: { [Condition.Type ?? '']: { [Condition.Key ?? '']: Condition.Value } } }),
  };
  return JSON.stringify({ Version, Statement: [...Statement.filter(({ Sid }) => Sid !== StatementId), statement] });
}

/** "RemovePermission": the policy without a statement; undefined where none is left. */
export function withoutStatement(policy: string | undefined, id: string): string | undefined {
  const { Version, Statement } = parse(policy);
  const rest = Statement.filter(({ Sid }) => Sid !== id);
  if (rest.length === Statement.length) throw statementNotFound();
  return rest.length === 0 ? undefined : JSON.stringify({ Version, Statement: rest });
}

/** A whole policy as PutPermission takes it: a document with statements. Throws ValidationException. */
export function checkPolicy(text: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const statements = typeof parsed === 'object' && parsed !== null ? (parsed as { Statement?: unknown }).Statement : undefined;
  if (statements === undefined || (typeof statements !== 'object' && !Array.isArray(statements)))
    throw validation('Parameter Policy is not valid. Reason: Invalid JSON policy document.');
  const list = Array.isArray(statements) ? (statements as unknown[]) : [statements];
  return JSON.stringify({ ...(parsed as Record<string, unknown>), Statement: list });
}
