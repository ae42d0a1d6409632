import { parseArn } from '../../../kit/arn.ts';
import type { Trace } from '../../../kit/trace.ts';
import type { Ctx, Platform } from '../../service.ts';
import type { Scope } from '../domain/names.ts';

/** EventBridge acting by itself in an account, for calls of other rooms. */
export function callAs(platform: Platform, { account, region }: Scope, trace: Trace): Ctx {
  return platform.contextFor({
    account,
    region,
    trace,
    service: 'events',
    principal: { account, accessKeyId: '', arn: 'events.amazonaws.com', userId: 'events.amazonaws.com', type: 'service' },
  });
}

/** The URL of the queue that an ARN names, with its region in the host's name; undefined where the ARN names none. */
export function queueUrlOf(arn: string): (Scope & { readonly url: string }) | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'sqs') return undefined;
  const { account, region, resource } = parsed;
  return { account, region, url: `https://sqs.${region}.amazonaws.com/${account}/${resource}` };
}
