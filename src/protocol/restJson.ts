import type { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel, ShapeRef } from '../models/model.ts';
import type { Codec, EncodeContext } from './codec.ts';
import { shapeOf } from './compiled.ts';
import { wireError } from './errorShape.ts';
import { encodeEventStream, eventStreamMember } from './eventStream.ts';
import { jsonDecoder, jsonMembersDecoder, parseJson, parseJsonObject } from './json/decode.ts';
import { jsonEncoder, jsonMembersEncoder } from './json/encode.ts';
import { inBody, inOutputBody, payloadOf, writeBindings } from './rest/bindings.ts';
import { decodeRest, type RestBodies } from './rest/request.ts';
import { toBytes } from './scalars.ts';
import type { TokenSource } from './tokens.ts';
import type { WireResponse } from './wire.ts';

const JSON_TYPE = 'application/json';

/** AWS restJson1 ("AWS restJson1 protocol" in the Smithy documentation): HTTP bindings and JSON bodies. */
export function restJsonCodec(model: ServiceModel, newToken: TokenSource): Codec {
  return {
    name: 'restJson',
    model,
    decode: (operation, request) => decodeRest(model, operation, request, newToken, JSON_BODIES),
    encode: (operation, output, context) => encode(model, operation, output, context),
    encodeError: (operation, error, context) => encodeError(model, operation, error, context),
  };
}

/** How JSON bodies are read; the rest of a request is the same for both REST protocols. */
const JSON_BODIES: RestBodies = {
  payload: decodePayload,
  members: (model, input, body) => jsonMembersDecoder(model, input, 'locationName', inBody)(parseJsonObject(body)),
};

function decodePayload(model: ServiceModel, ref: ShapeRef, body: Buffer): unknown {
  const shape = shapeOf(model, ref);
  if (shape.type === 'blob') return body.length === 0 ? undefined : body;
  if (body.length === 0) return undefined;
  if (shape.type === 'string') return body.toString('utf8');
  const value = parseJson(body);
  return value === null ? undefined : jsonDecoder(model, ref, 'locationName')(value);
}

function encode(model: ServiceModel, operation: OperationModel, output: Record<string, unknown>, context: EncodeContext): WireResponse {
  const status = operation.http.responseCode ?? 200;
  const requestId = { 'x-amzn-RequestId': context.requestId };
  if (!operation.output) return emptyOrObject(status, requestId);
  const bound = writeBindings(model, operation.output, output);
  const stream = eventStreamMember(model, operation.output);
  if (stream) {
    const response = encodeEventStream(model, operation, output, context, 'restJson');
    return { ...response, status: bound.status ?? status, headers: { ...response.headers, ...bound.headers } };
  }
  const base = { status: bound.status ?? status, headers: { ...requestId, ...bound.headers } };
  const payload = payloadOf(model, operation.output);
  if (payload) return encodePayload(model, payload, output[payload.name], base);
  const shape = shapeOf(model, operation.output);
  const members = Object.values(shape.members ?? {});
  if (members.length > 0 && !members.some(inOutputBody)) return emptyOrObject(base.status, base.headers);
  if (base.status === 204) return { ...base, body: Buffer.alloc(0) };
  const body = bodyEncoder(model, operation.output)(output);
  return { status: base.status, headers: { 'Content-Type': JSON_TYPE, ...base.headers }, body: Buffer.from(body, 'utf8') };
}

/** 204 has no body; any other answer without members is an empty object. */
function emptyOrObject(status: number, headers: Record<string, string>): WireResponse {
  if (status === 204) return { status, headers, body: Buffer.alloc(0) };
  return { status, headers: { 'Content-Type': JSON_TYPE, ...headers }, body: Buffer.from('{}') };
}

const bodyEncoders = new WeakMap<object, (value: unknown) => string>();

function bodyEncoder(model: ServiceModel, ref: ShapeRef): (value: unknown) => string {
  const shape = shapeOf(model, ref);
  let encoder = bodyEncoders.get(shape);
  if (!encoder) {
    encoder = jsonMembersEncoder(model, shape, 'locationName', (_name, member) => inOutputBody(member));
    bodyEncoders.set(shape, encoder);
  }
  return encoder;
}

function encodePayload(
  model: ServiceModel,
  payload: NonNullable<ReturnType<typeof payloadOf>>,
  value: unknown,
  base: { status: number; headers: Record<string, string> },
): WireResponse {
  const { ref, shape } = payload;
  const typed = (type: string, body: WireResponse['body']): WireResponse => ({
    status: base.status,
    headers: hasHeader(base.headers, 'content-type') ? base.headers : { 'Content-Type': type, ...base.headers },
    body,
  });
  if (shape.type === 'blob') {
    if (value === undefined || value === null) return { ...base, body: Buffer.alloc(0) };
    if (ref.streaming || shape.streaming) return typed('application/octet-stream', streamingBody(value));
    return typed('application/octet-stream', toBytes(value));
  }
  if (shape.type === 'string') {
    if (value === undefined || value === null) return { ...base, body: Buffer.alloc(0) };
    return typed('text/plain', Buffer.from(String(value), 'utf8'));
  }
  // A union without a member is no value at all: the only body that says so is none.
  if (shape.union && (value === undefined || value === null)) return { ...base, body: Buffer.alloc(0) };
  if (shape.document) return typed(JSON_TYPE, Buffer.from(JSON.stringify(value ?? null), 'utf8'));
  return typed(JSON_TYPE, Buffer.from(value === undefined || value === null ? '{}' : jsonEncoder(model, ref, 'locationName')(value), 'utf8'));
}

/** Bytes, text, a Readable or anything async-iterable. */
export function streamingBody(value: unknown): WireResponse['body'] {
  if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value) return value as AsyncIterable<Uint8Array>;
  return toBytes(value);
}

export function hasHeader(headers: Readonly<Record<string, string>>, name: string): boolean {
  return Object.keys(headers).some((key) => key.toLowerCase() === name);
}

function encodeError(model: ServiceModel, operation: OperationModel | undefined, error: AwsError, context: EncodeContext): WireResponse {
  const wire = wireError(model, operation, error);
  const headers: Record<string, string> = { 'x-amzn-RequestId': context.requestId, 'x-amzn-ErrorType': wire.name, 'Content-Type': JSON_TYPE, ...error.headers };
  if (!wire.ref) {
    const body = error.message === '' ? '{}' : JSON.stringify({ message: error.message });
    return { status: wire.status, headers, body: Buffer.from(body, 'utf8') };
  }
  // Lambda's errors say whose fault they are in a member of their own.
  const typed =
    wire.shape?.members?.['Type'] && !('Type' in wire.members) ? { Type: wire.fault === 'client' ? 'User' : 'Service', ...wire.members } : wire.members;
  Object.assign(headers, writeBindings(model, wire.ref, typed).headers);
  const members = bodyEncoder(model, wire.ref)(typed);
  const message = wire.messageMember === undefined && error.message !== '' ? `"message":${JSON.stringify(error.message)}${members === '{}' ? '' : ','}` : '';
  return { status: wire.status, headers, body: Buffer.from(`{${message}${members.slice(1)}`, 'utf8') };
}
