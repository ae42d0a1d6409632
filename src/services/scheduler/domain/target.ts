import type { Target } from '@aws-sdk/client-scheduler';
import { parseArn } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import { serviceIndex } from '../../../models/index.ts';
import { notATarget, validation } from '../errors.ts';
import { EVENT_AGE_SECONDS_DEFAULT, INPUT_CHARS_MAX, RETRY_ATTEMPTS_DEFAULT } from '../limits.ts';

/** The API call that a target stands for. */
export interface Call {
  readonly service: string;
  readonly operation: string;
}

export type TargetKind = 'lambda' | 'sqs' | 'sns' | 'bus' | 'kinesis' | 'states' | 'universal';

/** Services that the AWS SDK for Java calls by another name than their model's. */
const SDK_NAMES: Readonly<Record<string, string>> = {
  cloudwatchlogs: 'logs',
  eventbridge: 'events',
  sfn: 'stepfunctions',
  dynamodbstreams: 'dynamodbstreams',
  resourcegroupstaggingapi: 'resourcegroupstaggingapi',
};

/** Templated targets of AWS that Croft has not. */
const OTHER_TEMPLATES: ReadonlySet<string> = new Set(['firehose', 'ecs', 'codebuild', 'codepipeline', 'inspector', 'sagemaker']);
const REFUSED = ['EcsParameters', 'SageMakerPipelineParameters', 'EventBridgePutEventsV2Parameters', 'EventBridgePutRawEventsParameters'] as const;

const UNIVERSAL = /^arn:aws[a-z-]*:scheduler:::aws-sdk:([A-Za-z0-9-]+):([A-Za-z0-9]+)$/;
/** "Using universal targets": calls that only read are none. */
const READ_ONLY = /^(get|describe|list|poll|receive|search|scan|query|select|lookup|estimate|check|validate|batchGet)/i;

/** The call of a universal target; undefined for other ARNs. Throws ValidationException for services and operations that are none. */
export function universalCall(arn: string): Call | undefined {
  const [, sdkName, action] = UNIVERSAL.exec(arn) ?? [];
  if (sdkName === undefined || action === undefined) return undefined;
  const name = SDK_NAMES[sdkName.toLowerCase()] ?? sdkName.toLowerCase();
  const entry = serviceIndex.find(({ service }) => service === name);
  if (!entry) throw notATarget(sdkName);
  if (READ_ONLY.test(action)) throw validation(`${action} is not a supported API action for a target: it only reads.`);
  const operation = entry.operations.find((one) => one.toLowerCase() === action.toLowerCase());
  if (operation === undefined) throw validation(`${action} is not a valid API action of ${sdkName}.`);
  return { service: entry.service, operation };
}

/** What an ARN stands for. Throws ValidationException, or NotImplemented for targets that Croft has not. */
export function kindOf(arn: string): TargetKind {
  if (universalCall(arn)) return 'universal';
  const parsed = parseArn(arn);
  if (!parsed || !/^aws/.test(parsed.partition)) throw validation(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`);
  const { service, resource } = parsed;
  if (service === 'lambda' && resource.startsWith('function:')) return 'lambda';
  if (service === 'sqs' || service === 'sns') return service;
  if (service === 'events' && resource.startsWith('event-bus/')) return 'bus';
  if (service === 'kinesis' && resource.startsWith('stream/')) return 'kinesis';
  if (service === 'states' && resource.startsWith('stateMachine:')) return 'states';
  if (OTHER_TEMPLATES.has(service)) throw notImplemented(`A schedule's target of ${service} (${arn})`);
  throw notATarget(service);
}

/** Checks a target, and fills in what AWS describes of one that does not state it. */
export function readTarget(target: Target): Target {
  const arn = target.Arn ?? '';
  const kind = kindOf(arn);
  for (const name of REFUSED) if (target[name] !== undefined) throw notImplemented(`${name} of a schedule's target`);
  if (kind === 'bus' && target.EventBridgeParameters === undefined) throw validation(`EventBridgeParameters is required for target ${arn}.`);
  if (kind !== 'bus' && target.EventBridgeParameters !== undefined) throw validation(`EventBridgeParameters is not supported for target ${arn}.`);
  if (kind === 'sqs' && arn.endsWith('.fifo') && target.SqsParameters?.MessageGroupId === undefined)
    throw validation(`MessageGroupId is required for FIFO queue ${arn}.`);
  if (kind !== 'sqs' && target.SqsParameters !== undefined) throw validation(`SqsParameters is not supported for target ${arn}.`);
  if (kind === 'kinesis' && target.KinesisParameters === undefined) throw validation(`KinesisParameters is required for target ${arn}.`);
  if (kind !== 'kinesis' && target.KinesisParameters !== undefined) throw validation(`KinesisParameters is not supported for target ${arn}.`);
  if ((target.Input?.length ?? 0) > INPUT_CHARS_MAX) throw validation('The Input you specify is too long.');
  if (kind === 'universal' || kind === 'bus') checkJson(target.Input);
  const policy = target.RetryPolicy ?? {};
  return {
    ...target,
    RetryPolicy: {
      MaximumEventAgeInSeconds: policy.MaximumEventAgeInSeconds ?? EVENT_AGE_SECONDS_DEFAULT,
      MaximumRetryAttempts: policy.MaximumRetryAttempts ?? RETRY_ATTEMPTS_DEFAULT,
    },
  };
}

/** Context attributes may stand in an input unquoted: they are taken for strings here. */
function checkJson(input: string | undefined): void {
  if (input === undefined) return;
  try {
    const parsed: unknown = JSON.parse(input.replaceAll(/<aws\.scheduler\.[a-z-]+>/g, '0'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return;
  } catch {
    // Said below, as for JSON that is no object.
  }
  throw validation('The Input you specify must be a valid JSON object.');
}
