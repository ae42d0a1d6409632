import { once } from 'node:events';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties } from '../service.ts';
import { isCode, text, whole } from './cloudformation-helpers.ts';

/** How often, and how long, an allocation is looked at until it is READY. */
const LOOK_MS = 100;
const LOOKS_MAX = 1200;

/** `ProvisionedConcurrencyConfig` of a version or alias: the resource is done once its environments are there. */
export async function applyProvisioned(ctx: Ctx, name: string, qualifier: string, properties: Properties, previous: Properties = {}): Promise<void> {
  const count = countOf(properties);
  const key = { FunctionName: name, Qualifier: qualifier };
  if (count === undefined) {
    if (countOf(previous) !== undefined) await ctx.call('lambda', 'DeleteProvisionedConcurrencyConfig', key);
    return;
  }
  if (count !== countOf(previous) || !(await isThere(ctx, key)))
    await ctx.call('lambda', 'PutProvisionedConcurrencyConfig', { ...key, ProvisionedConcurrentExecutions: count });
  for (let look = 0; look < LOOKS_MAX; look++) {
    const { Status: status, StatusReason: reason } = await ctx.call('lambda', 'GetProvisionedConcurrencyConfig', key);
    if (status === 'READY') return;
    if (status === 'FAILED') throw new AwsError('NotStabilized', `Provisioned concurrency of ${name}:${qualifier} failed: ${text(reason)}`);
    await once(AbortSignal.timeout(LOOK_MS), 'abort');
  }
  throw new AwsError('NotStabilized', `Provisioned concurrency of ${name}:${qualifier} did not become ready`);
}

function countOf(properties: Properties): number | undefined {
  return whole((properties['ProvisionedConcurrencyConfig'] as Properties | undefined)?.['ProvisionedConcurrentExecutions']);
}

async function isThere(ctx: Ctx, key: Record<string, unknown>): Promise<boolean> {
  try {
    await ctx.call('lambda', 'GetProvisionedConcurrencyConfig', key);
    return true;
  } catch (error) {
    if (!isCode(error, 'ProvisionedConcurrencyConfigNotFoundException')) throw error;
    return false;
  }
}
