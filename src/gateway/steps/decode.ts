import { pipeline, type Readable } from 'node:stream';
import { AwsError } from '../../kit/errors.ts';
import { decodeAwsChunked, isAwsChunked } from '../../protocol/awsChunked.ts';
import type { WireRequest } from '../../protocol/wire.ts';
import { asStream, collectStream } from '../body.ts';
import { notBuilt } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { giveBackPlace } from './admit.ts';

/** The wire form becomes the operation's input. */
export function decode(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  const { operation, service } = exchange;
  if (!operation || !service) throw new Error('decode without an operation');
  // Nobody is going to read it: say so before the body of an operation that is not built is looked at.
  if (!operation.entry) throw notBuilt(service.index.service, operation.model.name);
  if (operation.waits) giveBackPlace(parts, exchange);
  if (operation.streams) return into(exchange, streamOf(exchange));
  if (!isAwsChunked(exchange.headers)) return into(exchange, exchange.body);
  return collectStream(streamOf(exchange)).then((body) => into(exchange, body));
}

function into(exchange: Exchange, body: Buffer | Readable): void {
  const { operation, service, api, codec } = exchange;
  if (!operation || !service || !api || !codec) throw new Error('decode without a route');
  const whole = service.index.service === 'sqs' && codec === 'awsQuery' && body instanceof Buffer ? withQueueUrl(exchange, body) : body;
  exchange.input = service.codec(codec).decode(operation.model, wireOf(exchange, api.path ?? exchange.path, whole));
}

/** "Making Query API requests" (SQS): the request is sent to the queue's own URL, which then need not be in the body. */
function withQueueUrl(exchange: Exchange, body: Buffer): Buffer {
  const { path, scheme, host } = exchange;
  const action = exchange.operation?.model.name ?? '';
  // A queue's URL is no place to ask for queues.
  if (/^\/\d{12}\/[\w.-]+\/?$/.test(path) && (action === 'CreateQueue' || action === 'ListQueues'))
    throw new AwsError('InvalidAction', `The action ${action} is not valid for this endpoint.`);
  if (path.length < 2 || /(^|&)QueueUrl=/.test(`${body.toString('latin1')}&${exchange.query}`)) return body;
  return Buffer.concat([body, Buffer.from(`${body.length > 0 ? '&' : ''}QueueUrl=${encodeURIComponent(`${scheme}://${host}${path}`)}`)]);
}

function wireOf(exchange: Exchange, path: string, body: Buffer | Readable): WireRequest {
  return { method: exchange.method, path, query: exchange.query, headers: exchange.headers, body };
}

/** The payload as a stream, `aws-chunked` framing taken off and, with auth verify, each chunk's signature checked on the way. */
function streamOf(exchange: Exchange): Readable {
  const raw = exchange.streamed ? exchange.request : asStream(exchange.body);
  if (exchange.streamed) exchange.sendContinue();
  if (isAwsChunked(exchange.headers)) return decodeAwsChunked(raw, exchange.headers, exchange.chunkSigner).body;
  // The pipeline hands errors on: a client that goes away ends the operation's read, where the error is met.
  return exchange.bodyCheck ? pipeline(raw, exchange.bodyCheck, () => {}) : raw;
}
