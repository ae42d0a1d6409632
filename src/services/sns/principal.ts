import type { Attempt } from '../../bus/bus.ts';
import type { Ctx, Platform } from '../service.ts';

/** SNS acting by itself. `userId` is the sender that SQS states for it. */
export function snsContext(platform: Platform, { account, region, trace }: Pick<Attempt, 'account' | 'region' | 'trace'>): Ctx {
  const principal = { account, accessKeyId: '', arn: 'sns.amazonaws.com', userId: 'AIDAISMY7JYY5F7RTT6AO', type: 'service' as const };
  return platform.contextFor({ account, region, principal, trace, service: 'sns' });
}
