import { formatArn, parseArn } from '../../../kit/arn.ts';
import type { Ctx } from '../../service.ts';
import { invalidAddress, missingParameter } from '../errors.ts';

/** Whose queue, where. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export interface Address extends Scope {
  readonly name: string;
}

export const queueArn = ({ account, region, name }: Address): string => formatArn({ service: 'sqs', region, account, resource: name });

/** The queue that an ARN names; undefined where it names none. */
export function addressOfArn(text: string): Address | undefined {
  const arn = parseArn(text);
  if (arn?.service !== 'sqs' || !/^[\w-]{1,80}(\.fifo)?$/.test(arn.resource)) return undefined;
  return { account: arn.account, region: arn.region, name: arn.resource };
}

const REGION = /^(?:https?:\/\/)(?:sqs\.)?([a-z]{2,3}(?:-[a-z]+){1,3}-\d{1,2})(?:\.queue)?\./;
const PATH_REGION = /\/queue\/([a-z]{2,3}(?:-[a-z]+){1,3}-\d{1,2})\/\d{12}\/[^/]+\/?$/;

/**
 * The queue at a URL: `{anything}/{account}/{name}`, or, as AWS takes it too, a name alone. The region of a host
 * `sqs.{region}.…` counts, else the caller's.
 */
export function addressOfUrl(ctx: Scope, url: unknown): Address {
  if (typeof url !== 'string' || url === '') throw missingParameter('QueueUrl');
  const path = /\/(\d{12})\/([^/?#]+)\/?$/.exec(url);
  if (path?.[1] && path[2]) {
    return { account: path[1], region: REGION.exec(url)?.[1] ?? PATH_REGION.exec(url)?.[1] ?? ctx.region, name: path[2] };
  }
  if (!url.includes('/') && url.length <= 80) return { account: ctx.account, region: ctx.region, name: url };
  throw invalidAddress(url);
}

/** The URL by which this caller reaches a queue: on the host that the caller used. */
export function queueUrl(ctx: Ctx, { account, name }: Address): string {
  const own = ctx.platform.address();
  const host = ctx.http?.host || `${own.host}:${own.port}`;
  return `${own.scheme}://${host}/${account}/${name}`;
}
