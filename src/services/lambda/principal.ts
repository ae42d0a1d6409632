import type { Principal } from '../../identity/principal.ts';
import { newTrace, type Trace } from '../../kit/trace.ts';
import type { Ctx, Platform } from '../service.ts';
import type { Place } from './domain/names.ts';

/** Lambda acting by itself in an account. */
export function lambdaPrincipal(account: string): Principal {
  return { account, accessKeyId: '', arn: 'lambda.amazonaws.com', userId: 'lambda.amazonaws.com', type: 'service' };
}

/** A context for what Lambda does by itself: log lines, credentials, deliveries. */
export function lambdaContext(platform: Platform, place: Place, trace?: Trace): Ctx {
  const { account, region } = place;
  return platform.contextFor({
    account,
    region,
    principal: lambdaPrincipal(account),
    trace: trace ?? newTrace(platform.ids, platform.clock.virtual()),
    service: 'lambda',
  });
}
