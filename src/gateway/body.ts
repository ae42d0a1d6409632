import { Readable } from 'node:stream';
import { AwsError } from '../kit/errors.ts';
import { EMPTY, type Exchange } from './exchange.ts';
import { BODIES_BYTES_MAX, BODY_BYTES_MAX_OF_SERVICE } from './limits.ts';

/** The client went away before its request was whole: nobody is left to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
  }
}

let heldBytes = 0;

/** Bytes of request bodies in memory now, for `/metrics`. */
export function bodyBytesHeld(): number {
  return heldBytes;
}

/** Gives back what {@link collect} counted. */
export function releaseBody(exchange: Exchange): void {
  heldBytes -= exchange.bodyBytesHeld;
  exchange.bodyBytesHeld = 0;
}

export function hasBody(exchange: Exchange): boolean {
  const length = exchange.headers['content-length'];
  return length !== undefined ? length !== '0' : exchange.headers['transfer-encoding'] !== undefined;
}

/**
 * The whole body as one Buffer.
 * Rejects with `RequestEntityTooLargeException` past the limit, with {@link Overload} where all bodies together are too much,
 * and with {@link ClientGone} where the client stops short.
 */
export function collect(exchange: Exchange, bytesMax: number): Promise<Buffer> | Buffer {
  if (!hasBody(exchange)) return EMPTY;
  const service = exchange.service?.index.service ?? exchange.api?.service;
  const limit = Math.min(bytesMax, (service === undefined ? undefined : BODY_BYTES_MAX_OF_SERVICE[service]) ?? bytesMax);
  const length = Number(exchange.headers['content-length'] ?? 0);
  if (length > limit) throw tooLarge(exchange, limit);
  if (heldBytes + length > BODIES_BYTES_MAX) throw new Overload();
  exchange.sendContinue();
  return new Promise((resolve, reject) => {
    const { request } = exchange;
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    const stop = (error: Error) => {
      request.off('data', onData);
      request.off('end', onEnd);
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      heldBytes += chunk.length;
      exchange.bodyBytesHeld += chunk.length;
      if (exchange.bodyBytesHeld > limit) stop(tooLarge(exchange, limit));
      else if (heldBytes > BODIES_BYTES_MAX) stop(new Overload());
      else if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    };
    const onEnd = () => {
      request.off('close', onClose);
      request.off('error', onClose);
      resolve(rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest));
    };
    const onClose = () => stop(new ClientGone());
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
    request.on('error', onClose);
  });
}

/** The whole of a stream that is not the request itself (a decoded `aws-chunked` body). */
export async function collectStream(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stream) parts.push(chunk);
  return Buffer.concat(parts);
}

/** A body in memory as the stream that an operation expects. */
export function asStream(body: Buffer): Readable {
  return Readable.from(body.length === 0 ? [] : [body], { objectMode: false });
}

/** AWS's own words, as far as they are known. */
function tooLarge(exchange: Exchange, limit: number): AwsError {
  const headers = { Connection: 'close' };
  if (exchange.codec === 'restXml') return new AwsError('MaxMessageLengthExceeded', 'Your request was too big.', { status: 400, headers });
  const operation = exchange.operation ? ` for the ${exchange.operation.model.name} operation` : '';
  return new AwsError('RequestEntityTooLargeException', `Request must be smaller than ${limit} bytes${operation}`, { status: 413, headers });
}

/** The process has too much to do; `fail` words it for the service that was asked. */
export class Overload extends Error {
  constructor() {
    super('too many requests under way');
  }
}
