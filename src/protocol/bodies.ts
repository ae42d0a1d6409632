import { gunzipSync } from 'node:zlib';
import type { OperationModel } from '../models/model.ts';
import { INFLATED_BODY_BYTES_MAX } from './limits.ts';
import type { WireRequest } from './wire.ts';
import { serializationError } from './wireErrors.ts';

const GZIP_LAST = /(?:^|,)\s*gzip\s*$/i;

/**
 * The request without the compression that its operation lets a client apply: the body inflated, `gzip` taken off the end of
 * `Content-Encoding`. Throws `SerializationException` where the body is no gzip, or too large a one.
 */
export function inflated(operation: OperationModel, request: WireRequest): WireRequest {
  const encoding = request.headers['content-encoding'] ?? '';
  if (!operation.requestcompression || !GZIP_LAST.test(encoding) || !Buffer.isBuffer(request.body)) return request;
  const { 'content-encoding': _encoding, ...headers } = request.headers;
  const rest = encoding.replace(GZIP_LAST, '').trim();
  if (rest !== '') Object.assign(headers, { 'content-encoding': rest });
  return { ...request, headers, body: gunzip(request.body) };
}

function gunzip(body: Buffer): Buffer {
  if (body.length === 0) return body;
  try {
    return gunzipSync(body, { maxOutputLength: INFLATED_BODY_BYTES_MAX });
  } catch {
    throw serializationError('The request body could not be decompressed');
  }
}

/** The whole body of a request, inflated. */
export function bufferedBody(operation: OperationModel, request: WireRequest): Buffer {
  const { body } = inflated(operation, request);
  if (!Buffer.isBuffer(body)) throw new Error(`${operation.name} does not stream: its body must have been read`);
  return body;
}
