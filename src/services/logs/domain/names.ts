import { formatArn, parseArn } from '../../../kit/arn.ts';
import { groupNamedTwice, invalidParameter } from '../errors.ts';

export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** Without the trailing `:*`: what tagging and `logGroupIdentifier` take. */
export function logGroupArn(scope: Scope, name: string): string {
  return formatArn({ service: 'logs', region: scope.region, account: scope.account, resource: `log-group:${name}` });
}

export function logStreamArn(scope: Scope, group: string, stream: string): string {
  return `${logGroupArn(scope, group)}:log-stream:${stream}`;
}

/** The group's name out of its ARN, with or without the trailing `:*`; undefined for any other ARN. */
export function groupNameOfArn(arn: string): string | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'logs') return undefined;
  return /^log-group:([^:]+)(?::\*)?$/.exec(parsed.resource)?.[1];
}

/** Operations that read take the group's name, or its name or ARN as `logGroupIdentifier`, but not both. */
export function groupNameOf(input: { logGroupName?: string | undefined; logGroupIdentifier?: string | undefined }): string {
  const { logGroupName, logGroupIdentifier } = input;
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    throw groupNamedTwice();
  }
  if (logGroupName !== undefined) return logGroupName;
  if (logGroupIdentifier === undefined) throw invalidParameter('LogGroup name or LogGroup identifier is required.');
  if (!logGroupIdentifier.startsWith('arn:')) return logGroupIdentifier;
  const name = groupNameOfArn(logGroupIdentifier);
  if (name === undefined || logGroupIdentifier.endsWith(':*')) throw invalidParameter('The specified log group identifier is invalid.');
  return name;
}
