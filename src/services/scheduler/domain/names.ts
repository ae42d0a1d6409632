import { formatArn, parseArn } from '../../../kit/arn.ts';

/** Whose resource, where. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export const DEFAULT_GROUP = 'default';

const arn = ({ account, region }: Scope, resource: string): string => formatArn({ service: 'scheduler', region, account, resource });

export const scheduleArn = (scope: Scope, group: string, name: string): string => arn(scope, `schedule/${group}/${name}`);
export const groupArn = (scope: Scope, name: string): string => arn(scope, `schedule-group/${name}`);

/** The schedule group that an ARN names; undefined where it names none. */
export function groupOfArn(text: string): (Scope & { readonly name: string }) | undefined {
  const parsed = parseArn(text);
  if (parsed?.service !== 'scheduler' || !parsed.resource.startsWith('schedule-group/')) return undefined;
  return { account: parsed.account, region: parsed.region, name: parsed.resource.slice('schedule-group/'.length) };
}
