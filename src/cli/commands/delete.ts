import { clientConfig, endpointOf } from '../endpoint.ts';
import { CliError, type Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';
import { followStack } from '../stack-events.ts';

/** `croft delete`: deletes a stack and waits until it is gone. */
export async function deleteStack(stack: string, options: CommonOptions, output: Output): Promise<void> {
  const { CloudFormationClient, DescribeStacksCommand, DeleteStackCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(clientConfig(endpointOf(options.endpoint), options.region));
  const found = await client.send(new DescribeStacksCommand({ StackName: stack }));
  const id = found.Stacks?.[0]?.StackId;
  if (!id) throw new CliError(`there is no stack ${stack}`);
  await client.send(new DeleteStackCommand({ StackName: id }));
  const status = await followStack(client, id, output);
  if (status !== 'DELETE_COMPLETE') throw new CliError(`stack ${stack} is ${status}; the lines above say why`);
  output.result({ deleted: stack, stackId: id }, () => `Deleted ${stack}.`);
}
