import { createHash } from 'node:crypto';
import {
  type CloudFormationClient,
  CloudFormationServiceException,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { systemClock } from '../kit/clock.ts';
import { CliError, type Output } from './output.ts';
import type { ArtifactBucket } from './package/artifacts.ts';
import { newestEvent } from './stack-events.ts';

/** Beyond this a template goes by way of a bucket ("CloudFormation quotas": template body size in a request). */
const TEMPLATE_BODY_BYTES_MAX = 51_200;
const POLL_MS = 200;

export interface ChangeSetInput {
  readonly stackName: string;
  readonly template: string;
  /** Names that the template declares. */
  readonly parameterNames: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly disableRollback: boolean;
}

/** The stack of that name or id, undefined where there is none. */
export async function findStack(client: CloudFormationClient, stackName: string): Promise<Stack | undefined> {
  try {
    return (await client.send(new DescribeStacksCommand({ StackName: stackName }))).Stacks?.[0];
  } catch (error) {
    if (error instanceof CloudFormationServiceException && error.name === 'ValidationError' && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** Creates and executes a change set. Resolves with the stack that is now under way, or undefined where nothing changes. */
export async function openChangeSet(
  client: CloudFormationClient,
  input: ChangeSetInput,
  bucket: ArtifactBucket,
  output: Output,
): Promise<{ stackId: string; after?: string } | undefined> {
  const existing = await findStack(client, input.stackName);
  if (existing?.StackStatus?.endsWith('_IN_PROGRESS') && existing.StackStatus !== 'REVIEW_IN_PROGRESS')
    throw new CliError(`${input.stackName} is ${existing.StackStatus}: wait until that has ended`);
  if (existing?.StackStatus === 'ROLLBACK_COMPLETE')
    throw new CliError(`${input.stackName} is ROLLBACK_COMPLETE: its creation failed, and only \`croft delete ${input.stackName}\` can follow`);
  const isNew = !existing || existing.StackStatus === 'REVIEW_IN_PROGRESS';
  const created = await client.send(
    new CreateChangeSetCommand({
      StackName: input.stackName,
      ChangeSetName: `croft-${systemClock().real()}`,
      ChangeSetType: isNew ? 'CREATE' : 'UPDATE',
      Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
      Parameters: parametersOf(input, existing),
      Tags: Object.entries(input.tags).map(([Key, Value]) => ({ Key, Value })),
      ...(await templateArgument(input.template, bucket)),
    }),
  );
  const id = created.Id ?? '';
  const changes = await waitForChangeSet(client, id);
  if (changes.status === 'FAILED') {
    await client.send(new DeleteChangeSetCommand({ ChangeSetName: id }));
    if (/didn't contain changes|No updates are to be performed/.test(changes.reason)) return undefined;
    throw new CliError(`${input.stackName}: ${changes.reason}`);
  }
  const stackId = created.StackId ?? input.stackName;
  const after = await newestEvent(client, stackId);
  output.progress(`${input.stackName}: ${isNew ? 'creating' : 'updating'} the stack`);
  await client.send(new ExecuteChangeSetCommand({ ChangeSetName: id, DisableRollback: input.disableRollback }));
  return { stackId, ...(after ? { after } : {}) };
}

/** Parameters that are not given keep the value they have. */
function parametersOf(input: ChangeSetInput, existing: Stack | undefined) {
  const given = Object.entries(input.parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
  const kept = (existing?.Parameters ?? [])
    .filter(({ ParameterKey }) => ParameterKey !== undefined && !(ParameterKey in input.parameters) && input.parameterNames.includes(ParameterKey))
    .map(({ ParameterKey }) => ({ ParameterKey, UsePreviousValue: true }));
  return [...given, ...kept];
}

async function templateArgument(template: string, bucket: ArtifactBucket): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  if (Buffer.byteLength(template) <= TEMPLATE_BODY_BYTES_MAX) return { TemplateBody: template };
  const key = `${createHash('sha256').update(template).digest('hex')}.template`;
  await bucket.upload(key, Buffer.from(template));
  return { TemplateURL: `https://s3.amazonaws.com/${bucket.name}/${key}` };
}

async function waitForChangeSet(client: CloudFormationClient, id: string): Promise<{ status: string; reason: string }> {
  for (;;) {
    const { Status, StatusReason } = await client.send(new DescribeChangeSetCommand({ ChangeSetName: id }));
    if (Status !== 'CREATE_PENDING' && Status !== 'CREATE_IN_PROGRESS') return { status: Status ?? 'FAILED', reason: StatusReason ?? 'the change set failed' };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
