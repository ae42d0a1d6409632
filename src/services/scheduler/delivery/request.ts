import type { Target } from '@aws-sdk/client-scheduler';
import { parseArn } from '../../../kit/arn.ts';
import { loadModel } from '../../../models/index.ts';
import { defaultInput, type Run, withContext } from '../domain/input.ts';
import { modelInput } from '../domain/model-input.ts';
import type { Scope } from '../domain/names.ts';
import { kindOf, universalCall } from '../domain/target.ts';
import { validation } from '../errors.ts';

/** The API call that a run makes. */
export interface Request {
  readonly service: string;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly scope: Scope;
  /** The parameters as JSON text, for a dead letter. */
  readonly shown: string;
  /** The event of an asynchronous invocation. */
  readonly event?: string;
}

/** What a run asks of its target. Rejects with ValidationException where its input does not fit. */
export async function requestOf(target: Target, run: Run): Promise<Request> {
  const arn = target.Arn ?? '';
  const { account = run.account, region = run.region } = parseArn(arn) ?? {};
  const scope: Scope = { account: account || run.account, region: region || run.region };
  const text = target.Input === undefined ? undefined : withContext(target.Input, run);
  const input = text ?? defaultInput(run);
  const made = (service: string, operation: string, parameters: Record<string, unknown>): Request => ({
    service,
    operation,
    input: parameters,
    scope,
    shown: JSON.stringify(parameters),
  });
  switch (kindOf(arn)) {
    case 'lambda': {
      const parameters = { FunctionName: arn, InvocationType: 'Event', Payload: input };
      return { ...made('lambda', 'Invoke', parameters), input: { ...parameters, Payload: Buffer.from(input, 'utf8') }, event: input };
    }
    case 'sqs': {
      const group = target.SqsParameters?.MessageGroupId;
      const QueueUrl = `https://sqs.${scope.region}.amazonaws.com/${scope.account}/${parseArn(arn)?.resource ?? ''}`;
      return made('sqs', 'SendMessage', { MessageBody: input, QueueUrl, ...(group === undefined ? {} : { MessageGroupId: group }) });
    }
    case 'sns':
      return made('sns', 'Publish', { Message: input, TopicArn: arn });
    case 'bus': {
      const { DetailType, Source } = target.EventBridgeParameters ?? {};
      return made('events', 'PutEvents', { Entries: [{ Detail: text ?? '{}', DetailType, EventBusName: arn, Source }] });
    }
    case 'kinesis': {
      const parameters = { PartitionKey: target.KinesisParameters?.PartitionKey, StreamName: parseArn(arn)?.resource.slice('stream/'.length) };
      return { ...made('kinesis', 'PutRecord', { Data: input, ...parameters }), input: { Data: Buffer.from(input, 'utf8'), ...parameters } };
    }
    case 'states':
      return made('stepfunctions', 'StartExecution', { input, stateMachineArn: arn });
    case 'universal':
      return universal(arn, text ?? '{}', { account: run.account, region: run.region });
  }
}

async function universal(arn: string, text: string, scope: Scope): Promise<Request> {
  const call = universalCall(arn);
  if (!call) throw validation(`${arn} is no universal target.`);
  const model = await loadModel(call.service);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw validation('The Input of the target is not valid JSON.');
  }
  const input = modelInput(model, model.operations[call.operation]?.input, parsed);
  return { ...call, input: (input ?? {}) as Record<string, unknown>, scope, shown: text };
}
