import { parseArn } from '../../../kit/arn.ts';
import { invalid, invalidParameter } from '../errors.ts';
import { queueOf } from './arn.ts';

/** Protocols a subscription can have. */
const PROTOCOLS = new Set(['http', 'https', 'email', 'email-json', 'sms', 'sqs', 'application', 'lambda', 'firehose']);
/** Whose endpoints must say that they want to be subscribed. */
const CONFIRMED_BY_TOKEN = new Set(['http', 'https', 'email', 'email-json']);

export const needsConfirmation = (protocol: string): boolean => CONFIRMED_BY_TOKEN.has(protocol);
export const isHttp = (protocol: string): boolean => protocol === 'http' || protocol === 'https';

/** E.164. */
export const isPhoneNumber = (text: string): boolean => /^\+[1-9]\d{1,14}$/.test(text);

/** "Subscribe": throws InvalidParameter. */
export function checkProtocol(protocol: string | undefined): string {
  if (protocol === undefined || !PROTOCOLS.has(protocol)) throw invalidParameter(`Amazon SNS does not support this protocol string: ${protocol ?? 'null'}`);
  return protocol;
}

/** An endpoint that fits its protocol, and the topic's type; throws InvalidParameter. */
export function checkEndpoint(protocol: string, endpoint: string | undefined, fifoTopic: boolean): string {
  if (endpoint === undefined || endpoint === '') throw invalidParameter('Endpoint');
  const arn = (service: string, resource: RegExp, what: string) => {
    const parsed = parseArn(endpoint);
    if (parsed?.service !== service || !resource.test(parsed.resource)) throw invalidParameter(what);
  };
  switch (protocol) {
    case 'http':
    case 'https':
      if (!endpoint.startsWith(`${protocol}://`)) throw invalidParameter('Endpoint must match the specified protocol');
      if (!URL.canParse(endpoint)) throw invalidParameter('Endpoint');
      break;
    case 'email':
    case 'email-json':
      if (!/^[^\s@]+@[^\s@]+$/.test(endpoint)) throw invalidParameter('Email address');
      break;
    case 'sms':
      // As recorded: separators are let through, but not one after another, and only at inner places.
      if (!/^\+?\d+(?:[-. ()/]\d+)*$/.test(endpoint)) throw invalid(`Invalid SMS endpoint: ${endpoint}`);
      break;
    case 'sqs':
      checkQueue(endpoint, fifoTopic);
      break;
    case 'lambda':
      arn('lambda', /^function:[\w-]+(:[\w$-]+)?$/, 'Lambda endpoint ARN');
      break;
    case 'firehose':
      arn('firehose', /^deliverystream\/[\w.-]+$/, 'Firehose endpoint ARN');
      break;
    default:
      arn('sns', /^endpoint\/[\w-]+\/[\w.-]+\/[\w-]+$/, 'Application endpoint ARN');
  }
  if (fifoTopic && protocol !== 'sqs') throw invalidParameter('Invalid parameter: Endpoint Reason: Please use FIFO SQS queue');
  return endpoint;
}

function checkQueue(endpoint: string, fifoTopic: boolean): void {
  const queue = queueOf(endpoint);
  if (!queue) throw invalidParameter('SQS endpoint ARN');
  if (queue.fifo && !fifoTopic) throw invalidParameter('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics');
}
