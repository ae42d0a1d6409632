import { parseArn } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import { invalidParameter, validation } from '../errors.ts';
import type { Target } from '../types.ts';
import { unknownVariables } from './input.ts';
import { parsePath } from './json-path.ts';

export type TargetKind = 'lambda' | 'sqs' | 'sns' | 'bus' | 'logs' | 'api-destination' | 'api-gateway' | 'kinesis' | 'states';

/** Parameters of targets that are not built: given, they would be lost in silence. */
const REFUSED = [
  'RunCommandParameters',
  'EcsParameters',
  'BatchParameters',
  'RedshiftDataParameters',
  'SageMakerPipelineParameters',
  'AppSyncParameters',
] as const;

/** What an ARN names, of what events can be sent to; undefined for AWS's other targets. */
export function kindOf(arn: string): TargetKind | undefined {
  const parsed = parseArn(arn);
  switch (parsed?.service) {
    case 'lambda':
      return parsed.resource.startsWith('function:') ? 'lambda' : undefined;
    case 'sqs':
    case 'sns':
      return parsed.service;
    case 'logs':
      return parsed.resource.startsWith('log-group:') ? 'logs' : undefined;
    case 'kinesis':
      return parsed.resource.startsWith('stream/') ? 'kinesis' : undefined;
    case 'states':
      return parsed.resource.startsWith('stateMachine:') ? 'states' : undefined;
    case 'execute-api':
      return 'api-gateway';
    case 'events':
      if (parsed.resource.startsWith('event-bus/')) return 'bus';
      return parsed.resource.startsWith('api-destination/') ? 'api-destination' : undefined;
    default:
      return undefined;
  }
}

/** Checks targets as PutTargets does, one by one. Throws ValidationException, or NotImplemented for targets that Croft has not. */
export function checkTargets(targets: readonly Target[]): void {
  for (const target of targets) checkTarget(target);
}

function checkTarget(target: Target): void {
  const arn = target.Arn ?? '';
  const id = target.Id ?? '';
  const parsed = parseArn(arn);
  if (!parsed || !/^aws/.test(parsed.partition)) throw invalidParameter(arn, 'Provided Arn is not in correct format.');
  const kind = kindOf(arn);
  if (kind === undefined) throw notImplemented(`A target of ${parsed.service} (${arn})`);
  for (const name of REFUSED) if (target[name] !== undefined) throw notImplemented(`${name} of target ${id}`);
  if (kind === 'sqs' && arn.endsWith('.fifo') && target.SqsParameters === undefined)
    throw validation(`Parameter(s) SqsParameters must be specified for target: ${id}.`);
  if (target.SqsParameters !== undefined && kind !== 'sqs') throw validation(`Parameter(s) SqsParameters not valid for target: ${id}.`);
  if (target.KinesisParameters !== undefined && (kind !== 'kinesis' || !parsePath(target.KinesisParameters.PartitionKeyPath ?? '$')))
    throw validation(`Parameter(s) KinesisParameters not valid for target: ${id}.`);
  checkInput(target, id);
  const deadLetterArn = target.DeadLetterConfig?.Arn;
  if (deadLetterArn !== undefined && (parseArn(deadLetterArn)?.service !== 'sqs' || deadLetterArn.endsWith('.fifo')))
    throw invalidParameter('DeadLetterConfig', `Dead-letter queue ${deadLetterArn} of target ${id} must be a standard SQS queue.`);
}

function checkInput(target: Target, id: string): void {
  const { Input, InputPath, InputTransformer } = target;
  if ([Input, InputPath, InputTransformer].filter((one) => one !== undefined).length > 1)
    throw validation(`Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`);
  if (Input !== undefined) checkJson(Input, id);
  if (InputPath !== undefined && !parsePath(InputPath)) throw validation(`Invalid InputPath for target ${id}.`);
  if (InputTransformer === undefined) return;
  const paths = InputTransformer.InputPathsMap ?? {};
  for (const [name, path] of Object.entries(paths)) {
    if (/^aws/i.test(name)) throw validation(`InputPathsMap for target ${id} contains key ${name}, which must not begin with AWS.`);
    if (!parsePath(path)) throw validation(`InputPathsMap for target ${id} contains invalid JSON path ${path}.`);
  }
  const [unknown] = unknownVariables(InputTransformer.InputTemplate ?? '', paths);
  if (unknown !== undefined) throw validation(`InputTemplate for target ${id} contains invalid placeholder ${unknown}.`);
}

/** A constant input is JSON; the message is that of AWS's own parser, up to where it stopped. */
function checkJson(text: string, id: string): void {
  try {
    JSON.parse(text);
  } catch {
    const token = /[A-Za-z_$][\w$]*/.exec(text)?.[0] ?? text.slice(0, 20);
    throw validation(
      `JSON syntax error in input for target ${id}: Unrecognized token '${token}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`,
    );
  }
}
