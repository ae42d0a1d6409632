import type { Principal } from '../../identity/principal.ts';
import { AwsError } from '../../kit/errors.ts';
import { newTrace, type Trace } from '../../kit/trace.ts';
import type { Ctx, Platform } from '../service.ts';
import { functionOf, type Target, tableOf } from './domain/target.ts';
import { validation } from './errors.ts';

export const PRINCIPAL_ARN = 'application-autoscaling.amazonaws.com';

/** A context for what the service does by itself. */
export function ownContext(platform: Platform, account: string, region: string, trace?: Trace): Ctx {
  const principal: Principal = { account, accessKeyId: '', arn: PRINCIPAL_ARN, userId: PRINCIPAL_ARN, type: 'service' };
  return platform.contextFor({
    account,
    region,
    principal,
    trace: trace ?? newTrace(platform.ids, platform.clock.virtual()),
    service: 'application-autoscaling',
  });
}

/** The target's capacity now. Rejects with the service's own error where the resource is not there. */
export async function capacityOf(ctx: Ctx, target: Target): Promise<number> {
  const fn = functionOf(target);
  if (fn) return Number((await provisionedOf(ctx, fn))?.['RequestedProvisionedConcurrentExecutions'] ?? 0);
  const { throughput, unit } = await throughputOf(ctx, target);
  return throughput[unit];
}

/** The largest share of what is provisioned that was in use since this was last asked; undefined where there is nothing. */
export async function utilizationOf(ctx: Ctx, target: Target): Promise<number | undefined> {
  const fn = functionOf(target);
  // A member beside the model: the Lambda room tells it to this service alone.
  const utilization = fn && (await provisionedOf(ctx, fn))?.['Utilization'];
  return typeof utilization === 'number' ? utilization : undefined;
}

export async function setCapacity(ctx: Ctx, target: Target, capacity: number): Promise<void> {
  const fn = functionOf(target);
  if (fn) {
    if (capacity === 0) await ctx.call('lambda', 'DeleteProvisionedConcurrencyConfig', fn);
    else await ctx.call('lambda', 'PutProvisionedConcurrencyConfig', { ...fn, ProvisionedConcurrentExecutions: capacity });
    return;
  }
  const { throughput, unit, table, index } = await throughputOf(ctx, target);
  const wanted = { ...throughput, [unit]: capacity };
  await ctx.call('dynamodb', 'UpdateTable', {
    TableName: table,
    ...(index === undefined
      ? { ProvisionedThroughput: wanted }
      : { GlobalSecondaryIndexUpdates: [{ Update: { IndexName: index, ProvisionedThroughput: wanted } }] }),
  });
}

/** Refuses a target whose resource is not there. */
export async function requireResource(ctx: Ctx, target: Target): Promise<void> {
  try {
    await capacityOf(ctx, target);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ResourceNotFoundException') throw error;
    throw validation(functionOf(target) ? `Lambda function does not exist: ${target.resource}` : `DynamoDB table does not exist: ${target.resource}`);
  }
}

async function provisionedOf(ctx: Ctx, fn: Record<string, string>): Promise<Record<string, unknown> | undefined> {
  try {
    return await ctx.call('lambda', 'GetProvisionedConcurrencyConfig', fn);
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ProvisionedConcurrencyConfigNotFoundException') return undefined;
    throw error;
  }
}

interface Throughput {
  readonly ReadCapacityUnits: number;
  readonly WriteCapacityUnits: number;
}

async function throughputOf(ctx: Ctx, target: Target) {
  const named = tableOf(target);
  if (!named) throw new Error(`not a target of this service: ${target.dimension}`);
  const answer = await ctx.call('dynamodb', 'DescribeTable', { TableName: named.table });
  const table = answer['Table'] as { ProvisionedThroughput?: Throughput; GlobalSecondaryIndexes?: { IndexName: string; ProvisionedThroughput?: Throughput }[] };
  const index = named.index === undefined ? undefined : table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === named.index);
  if (named.index !== undefined && !index) throw new AwsError('ResourceNotFoundException', `No index ${named.index}`);
  const { ReadCapacityUnits = 0, WriteCapacityUnits = 0 } = (named.index === undefined ? table : index)?.ProvisionedThroughput ?? {};
  return { ...named, throughput: { ReadCapacityUnits, WriteCapacityUnits } };
}
