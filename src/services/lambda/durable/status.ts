import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { functionArn } from '../domain/names.ts';
import type { ExecutionRow } from './store.ts';

/** "Durable execution status change events": told to the default event bus, at best effort as on AWS. */
export async function tellEventBus(ctx: Ctx, row: ExecutionRow, status: string): Promise<void> {
  const ended = status === 'RUNNING' ? undefined : row.endedMs;
  const detail = {
    durableExecutionArn: row.arn,
    durableExecutionName: row.name,
    functionArn: functionArn(ctx, row.functionName, row.version),
    status,
    startTimestamp: new Date(row.startedMs).toISOString(),
    ...(ended === undefined ? {} : { endTimestamp: new Date(ended).toISOString() }),
  };
  const Entries = [
    { Source: 'aws.lambda', DetailType: 'Durable Execution Status Change', Detail: JSON.stringify(detail), Time: new Date(ended ?? row.startedMs) },
  ];
  try {
    await ctx.call('events', 'PutEvents', { Entries });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    ctx.platform.log.debug({ err: error, execution: row.arn }, 'the event bus did not take the status of a durable execution');
  }
}
