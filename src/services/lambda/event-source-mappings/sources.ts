import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { invalidParameter } from '../errors.ts';
import { lambdaPrincipal } from '../principal.ts';
import type { CheckpointRow, MappingRow } from './rows.ts';
import type { Kind } from './settings.ts';
import { latestIterator, readerContext, shardsOf } from './stream-poller.ts';

/** That the source is there, and a queue's messages stay hidden for as long as the function may run. */
export async function checkSource(ctx: Ctx, kind: Kind, arn: string, timeoutSeconds: number): Promise<void> {
  const { account, region } = ctx;
  if (kind === 'dynamodb') {
    try {
      await shardsOf(readerContext({ platform: ctx.platform }, { account, region, sourceArn: arn }), arn);
    } catch (error) {
      if (error instanceof AwsError && error.code === 'ResourceNotFoundException') throw invalidParameter(`Stream not found: ${arn}`);
      throw error;
    }
    return;
  }
  const visibility = await visibilitySeconds(ctx, arn);
  if (visibility < timeoutSeconds) {
    throw invalidParameter(`Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeoutSeconds} seconds`);
  }
}

async function visibilitySeconds(ctx: Ctx, arn: string): Promise<number> {
  const source = parseArn(arn);
  const reader = ctx.platform.contextFor({
    account: ctx.account,
    region: source?.region || ctx.region,
    principal: lambdaPrincipal(ctx.account),
    trace: ctx.trace,
    service: 'lambda',
  });
  try {
    const QueueUrl = `http://sqs/${source?.account || ctx.account}/${source?.resource ?? ''}`;
    const answer = await reader.call('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['VisibilityTimeout'] });
    return Number((answer['Attributes'] as Record<string, string> | undefined)?.['VisibilityTimeout'] ?? 0);
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    throw invalidParameter(
      'Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.',
    );
  }
}

export type StartPositions = readonly (readonly [shardId: string, checkpoint: CheckpointRow])[];

/** Where LATEST is now: what comes after the mapping was made is processed, from the first on. */
export async function startPositions(ctx: Ctx, row: MappingRow): Promise<StartPositions> {
  if (row.kind !== 'dynamodb' || row.settings.startingPosition !== 'LATEST') return [];
  const reader = readerContext({ platform: ctx.platform }, row);
  const shards = await shardsOf(reader, row.sourceArn);
  return Promise.all(
    shards.map(async (shardId) => [shardId, { iterator: await latestIterator(reader, row.sourceArn, shardId), sinceMs: row.createdMs }] as const),
  );
}
