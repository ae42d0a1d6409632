import type { Access, Ctx, OperationEntry, Platform, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { groupNameOfArn, logGroupArn, logStreamArn } from './domain/names.ts';
import { createLogGroup } from './operations/create-log-group.ts';
import { createLogStream } from './operations/create-log-stream.ts';
import { deleteLogGroup } from './operations/delete-log-group.ts';
import { deleteLogStream } from './operations/delete-log-stream.ts';
import { describeLogGroups } from './operations/describe-log-groups.ts';
import { describeLogStreams } from './operations/describe-log-streams.ts';
import { filterLogEvents } from './operations/filter-log-events.ts';
import { getLogEvents } from './operations/get-log-events.ts';
import { putLogEvents } from './operations/put-log-events.ts';
import { putLogGroupDeletionProtection } from './operations/put-log-group-deletion-protection.ts';
import { deleteResourcePolicy, describeResourcePolicies, putResourcePolicy } from './operations/resource-policies.ts';
import { deleteRetentionPolicy, putRetentionPolicy } from './operations/retention-policy.ts';
import { listTagsForResource, listTagsLogGroup, tagLogGroup, tagResource, untagLogGroup, untagResource } from './operations/tags.ts';
import { registerPurge } from './purge.ts';
import { usage } from './usage.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A group named by `logGroupName`, or by name or ARN in `logGroupIdentifier`; with the `:*` that IAM policies carry. */
function groupResource(ctx: Ctx, input: Record<string, unknown>): string {
  const identifier = text(input['logGroupName']) || text(input['logGroupIdentifier']);
  return `${logGroupArn(ctx, groupNameOfArn(identifier) ?? identifier)}:*`;
}

const onGroup: Access = { resource: groupResource };
const onAllGroups: Access = { resource: (ctx) => `${logGroupArn(ctx, '*')}` };
const onStream: Access = { resource: (ctx, input) => logStreamArn(ctx, text(input['logGroupName']), text(input['logStreamName'])) };
const onArn: Access = { resource: (_ctx, input) => text(input['resourceArn']) };

const operations: Record<string, OperationEntry> = {
  CreateLogGroup: { run: createLogGroup, access: onGroup, recorded: ['kmsKeyId', 'logGroupClass'] },
  DeleteLogGroup: { run: deleteLogGroup, access: onGroup },
  DescribeLogGroups: { run: describeLogGroups, access: onAllGroups },
  CreateLogStream: { run: createLogStream, access: onGroup },
  DeleteLogStream: { run: deleteLogStream, access: onStream },
  DescribeLogStreams: { run: describeLogStreams, access: onGroup },
  PutLogEvents: { run: putLogEvents, access: onStream, recorded: ['sequenceToken', 'entity'] },
  GetLogEvents: { run: getLogEvents, access: onStream, recorded: ['unmask'] },
  FilterLogEvents: { run: filterLogEvents, access: onGroup, recorded: ['interleaved', 'unmask'] },
  PutRetentionPolicy: { run: putRetentionPolicy, access: onGroup },
  DeleteRetentionPolicy: { run: deleteRetentionPolicy, access: onGroup },
  PutLogGroupDeletionProtection: { run: putLogGroupDeletionProtection, access: onGroup },
  PutResourcePolicy: { run: putResourcePolicy, recorded: ['policyDocument'] },
  DescribeResourcePolicies: { run: describeResourcePolicies },
  DeleteResourcePolicy: { run: deleteResourcePolicy },
  TagLogGroup: { run: tagLogGroup, access: onGroup },
  UntagLogGroup: { run: untagLogGroup, access: onGroup },
  ListTagsLogGroup: { run: listTagsLogGroup, access: onGroup },
  TagResource: { run: tagResource, access: onArn },
  UntagResource: { run: untagResource, access: onArn },
  ListTagsForResource: { run: listTagsForResource, access: onArn },
};

const NAME_TOO_LONG = /at '(?:logGroupName|logStreamName)' failed to satisfy constraint: Member must have length less than or equal to 512$/;

/** Names that are too long have a wording of their own. */
const nameTooLong = (failures: readonly string[]): string | undefined =>
  failures.some((failure) => NAME_TOO_LONG.test(failure)) ? 'Invalid LogGroup or LogStream, both must have length less than or equal to 512.' : undefined;

/** CloudWatch Logs; see README.md. */
export function createLogsRoom(): Service {
  return {
    name: 'logs',
    operations,
    wording: { validationCode: 'InvalidParameterException', validationMessage: nameTooLong },
    resources,
    usage,
    start(platform: Platform) {
      registerPurge(platform);
    },
  };
}
