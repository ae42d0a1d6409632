import { readFileSync } from 'node:fs';
import { clientConfig, endpointOf } from '../endpoint.ts';
import { CliError, type Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';

interface InvokeOptions extends CommonOptions {
  readonly payload?: string;
  readonly event?: string;
  readonly stackName?: string;
  readonly async?: boolean;
  readonly log?: boolean;
}

/** `croft invoke`: prints the function's answer on stdout; exit code 1 where the function failed. */
export async function invoke(name: string, options: InvokeOptions, output: Output): Promise<void> {
  const payload = payloadOf(options);
  const endpoint = endpointOf(options.endpoint);
  const { LambdaClient, InvokeCommand } = await import('@aws-sdk/client-lambda');
  const client = new LambdaClient({ ...clientConfig(endpoint, options.region), maxAttempts: 1 });
  const functionName = options.stackName ? await physicalId(options.stackName, name, endpoint, options.region) : name;
  const answer = await client.send(
    new InvokeCommand({
      FunctionName: functionName,
      InvocationType: options.async ? 'Event' : 'RequestResponse',
      ...(options.log && !options.async ? { LogType: 'Tail' as const } : {}),
      ...(payload === undefined ? {} : { Payload: Buffer.from(payload) }),
    }),
  );
  if (answer.LogResult) process.stderr.write(Buffer.from(answer.LogResult, 'base64').toString());
  const text = Buffer.from(answer.Payload ?? new Uint8Array()).toString();
  if (options.async) return output.result({ statusCode: answer.StatusCode }, () => 'Accepted.');
  output.result(answer.FunctionError ? { functionError: answer.FunctionError, payload: parse(text) } : parse(text), () => text);
  if (answer.FunctionError) process.exitCode = 1;
}

function payloadOf(options: InvokeOptions): string | undefined {
  if (options.payload !== undefined && options.event !== undefined) throw new CliError('give --payload or --event, not both', 2);
  const text = options.event === undefined ? options.payload : readEvent(options.event);
  if (text !== undefined && parse(text) === undefined) throw new CliError(`the event is not JSON: ${text.slice(0, 80)}`, 2);
  return text;
}

function readEvent(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(`cannot read the event: ${(error as Error).message}`, 2);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function physicalId(stack: string, logicalId: string, endpoint: string, region: string | undefined): Promise<string> {
  const { CloudFormationClient, DescribeStackResourceCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(clientConfig(endpoint, region));
  const { StackResourceDetail } = await client.send(new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId }));
  if (!StackResourceDetail?.PhysicalResourceId) throw new CliError(`${logicalId} of ${stack} has no physical id yet`);
  return StackResourceDetail.PhysicalResourceId;
}
