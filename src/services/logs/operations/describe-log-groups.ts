import type { DescribeLogGroupsCommandInput, DescribeLogGroupsCommandOutput, LogGroup } from '@aws-sdk/client-cloudwatch-logs';
import { notImplemented } from '../../../kit/errors.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import { groupNameOfArn, logGroupArn } from '../domain/names.ts';
import { invalidParameter } from '../errors.ts';
import { DESCRIBE_LIMIT } from '../limits.ts';
import { type GroupRow, keys, namePrefixRange, storedBytesOf } from '../store.ts';

type Output = Pick<DescribeLogGroupsCommandOutput, 'logGroups' | 'nextToken'>;

/** "DescribeLogGroups": by name; the token is the last name shown, as on AWS. */
export const describeLogGroups: Operation<DescribeLogGroupsCommandInput, Output> = async (ctx, input) => {
  if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) {
    throw invalidParameter('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
  }
  if (input.includeLinkedAccounts) throw notImplemented('DescribeLogGroups with includeLinkedAccounts');
  if (input.accountIdentifiers?.some((account) => account !== ctx.account)) throw notImplemented('DescribeLogGroups with accountIdentifiers of other accounts');
  if (input.logGroupIdentifiers !== undefined) return { logGroups: await byIdentifiers(ctx, input.logGroupIdentifiers) };
  const limit = input.limit ?? DESCRIBE_LIMIT;
  const wanted = (group: GroupRow) =>
    group.name.includes(input.logGroupNamePattern ?? '') && (input.logGroupClass === undefined || group.logGroupClass === input.logGroupClass);
  const range = namePrefixRange(keys.groups(ctx), input.logGroupNamePrefix ?? '');
  const after = input.nextToken === undefined ? undefined : `${keys.group(ctx, input.nextToken)}\x00`;
  let from = after !== undefined && after > range.from ? after : range.from;
  const groups: GroupRow[] = [];
  while (from < range.to && groups.length <= limit) {
    const page = await ctx.platform.store.range({ from, to: range.to, limit: 500 });
    for (const [, value] of page.entries) {
      const group = decodeJson<GroupRow>(value);
      if (wanted(group) && groups.length <= limit) groups.push(group);
    }
    if (!page.more) break;
    from = `${page.entries.at(-1)?.[0] ?? range.to}\x00`;
  }
  const shown = groups.slice(0, limit);
  const more = groups.length > limit ? shown.at(-1)?.name : undefined;
  return { logGroups: await describe(ctx, shown, input.logGroupNamePattern !== undefined), ...(more === undefined ? {} : { nextToken: more }) };
};

async function byIdentifiers(ctx: Ctx, identifiers: readonly string[]): Promise<LogGroup[]> {
  const names = identifiers.map((identifier) => (identifier.startsWith('arn:') ? groupNameOfArn(identifier) : identifier));
  const values = await ctx.platform.store.getMany(names.filter((name) => name !== undefined).map((name) => keys.group(ctx, name)));
  return describe(
    ctx,
    values.flatMap((value) => (value ? [decodeJson<GroupRow>(value)] : [])),
  );
}

/** A search by pattern leaves out what AWS's index of names does not know. */
async function describe(ctx: Ctx, groups: readonly GroupRow[], searched = false): Promise<LogGroup[]> {
  const bytes = await storedBytesOf(
    ctx.platform.store,
    ctx,
    groups.map((group) => group.id),
  );
  return groups.map((group, i) => ({
    logGroupName: group.name,
    creationTime: group.createdMs,
    ...(group.retentionInDays === undefined ? {} : { retentionInDays: group.retentionInDays }),
    metricFilterCount: 0,
    arn: `${logGroupArn(ctx, group.name)}:*`,
    ...(searched ? {} : { storedBytes: bytes[i] ?? 0 }),
    ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
    logGroupClass: group.logGroupClass as NonNullable<LogGroup['logGroupClass']>,
    logGroupArn: logGroupArn(ctx, group.name),
    ...(searched ? {} : { deletionProtectionEnabled: group.deletionProtectionEnabled ?? false }),
  }));
}
