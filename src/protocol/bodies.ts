import { gunzipSync } from 'node:zlib';
import type { OperationModel } from '../models/model.ts';
import { INFLATED_BODY_BYTES_MAX } from './limits.ts';
import type { WireRequest } from './wire.ts';
import { serializationError } from './wireErrors.ts';

/** The whole body, inflated where the operation lets a client compress it (`Content-Encoding: gzip`). */
export function bufferedBody(operation: OperationModel, request: WireRequest): Buffer {
  if (!Buffer.isBuffer(request.body)) throw new Error(`${operation.name} does not stream: its body must have been read`);
  if (!operation.requestcompression || request.body.length === 0) return request.body;
  if (!/(?:^|,)\s*gzip\s*$/i.test(request.headers['content-encoding'] ?? '')) return request.body;
  try {
    return gunzipSync(request.body, { maxOutputLength: INFLATED_BODY_BYTES_MAX });
  } catch {
    throw serializationError('The request body could not be decompressed');
  }
}
