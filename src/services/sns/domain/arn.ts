import { formatArn, parseArn } from '../../../kit/arn.ts';
import { invalidParameter } from '../errors.ts';

/** Whose topics, where. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** A topic's place. */
export interface TopicAddress extends Scope {
  readonly name: string;
}

export interface SubscriptionAddress extends TopicAddress {
  readonly id: string;
}

export const topicArn = ({ account, region, name }: TopicAddress): string => formatArn({ service: 'sns', region, account, resource: name });
export const subscriptionArn = (address: SubscriptionAddress): string => `${topicArn(address)}:${address.id}`;

/** Throws the words for a text that is too short to be an ARN, and for one of another region; answers its resource. */
export function readArn(parameter: string, text: string | undefined, region?: string): { readonly scope: Scope; readonly resource: string } {
  if (text === undefined) throw invalidParameter(parameter, 'no value for required parameter');
  const parts = text.split(':').length;
  if (parts < 6) throw invalidParameter(parameter, `An ARN must have at least 6 elements, not ${parts}`);
  const arn = parseArn(text);
  if (arn?.service !== 'sns' || !/^\d{12}$/.test(arn.account) || (region !== undefined && arn.region !== region)) throw invalidParameter(parameter);
  return { scope: { account: arn.account, region: arn.region }, resource: arn.resource };
}

/** The topic that an ARN names: one of the caller's region; throws InvalidParameter. */
export function topicOf(text: string | undefined, ctx: Scope, parameter = 'TopicArn'): TopicAddress {
  const { scope, resource } = readArn(parameter, text, ctx.region);
  if (!/^[\w-]+(\.fifo)?$/.test(resource) || resource.length > 256) throw invalidParameter(parameter);
  return { ...scope, name: resource };
}

/** The subscription that an ARN names; throws InvalidParameter. */
export function subscriptionOf(text: string | undefined, region?: string): SubscriptionAddress {
  if (text === '') throw invalidParameter('SubscriptionArn', 'no value for required parameter');
  const { scope, resource } = readArn('SubscriptionArn', text, region);
  const [name = '', id = '', ...more] = resource.split(':');
  if (more.length > 0 || name === '' || !/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id)) throw invalidParameter('SubscriptionId');
  return { ...scope, name, id };
}

/** A queue's ARN, with its name and whether it is FIFO; undefined where the text is none. */
export function queueOf(text: string): (TopicAddress & { readonly fifo: boolean }) | undefined {
  const arn = parseArn(text);
  if (arn?.service !== 'sqs' || !/^\d{12}$/.test(arn.account) || !/^[\w-]{1,80}(\.fifo)?$/.test(arn.resource)) return undefined;
  return { account: arn.account, region: arn.region, name: arn.resource, fifo: arn.resource.endsWith('.fifo') };
}
