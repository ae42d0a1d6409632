import { crc32 } from 'node:zlib';
import { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel, ShapeModel, ShapeRef } from '../models/model.ts';
import { cborEncoder } from './cbor/encode.ts';
import type { EncodeContext } from './codec.ts';
import { asRecord, shapeNamed, shapeOf } from './compiled.ts';
import { wireError } from './errorShape.ts';
import { jsonEncoder } from './json/encode.ts';
import { EVENT_PAYLOAD_BYTES_MAX } from './limits.ts';
import { asBuffer, integerText, toBytes, toDate } from './scalars.ts';
import type { WireResponse } from './wire.ts';
import { xmlDocumentEncoder } from './xml/encode.ts';

/** How events that are structures are written. */
export type EventFormat = 'json' | 'restJson' | 'cbor' | 'xml';

const CONTENT_TYPES: Readonly<Record<EventFormat, string>> = {
  json: 'application/json',
  restJson: 'application/json',
  cbor: 'application/cbor',
  xml: 'text/xml',
};

/** A header's value: its wire type follows from the JavaScript type, integers by the model's. */
type HeaderValue = { readonly type: ShapeModel['type']; readonly value: unknown };

interface StreamMember {
  readonly name: string;
  readonly ref: ShapeRef;
  readonly shape: ShapeModel;
}

const streamMembers = new WeakMap<ShapeModel, StreamMember | null>();

/** The member of `output` that is an event stream, if any. */
export function eventStreamMember(model: ServiceModel, output: ShapeRef): StreamMember | undefined {
  const structure = shapeOf(model, output);
  let found = streamMembers.get(structure);
  if (found === undefined) {
    const members = Object.entries(structure.members ?? {}).map(([name, ref]) => ({ name, ref, shape: shapeOf(model, ref) }));
    found = members.find(({ shape }) => shape.eventstream) ?? null;
    streamMembers.set(structure, found);
  }
  return found ?? undefined;
}

/**
 * One message of `application/vnd.amazon.eventstream`: prelude (lengths and their CRC32), headers, payload, CRC32 of it all.
 * "Event stream encoding" in the Amazon Transcribe and S3 documentation. Throws a RangeError over 16 MiB of payload.
 */
export function encodeEventMessage(headers: Readonly<Record<string, HeaderValue | string>>, payload: Uint8Array): Buffer {
  if (payload.length > EVENT_PAYLOAD_BYTES_MAX) throw new RangeError(`an event's payload of ${payload.length} bytes is over ${EVENT_PAYLOAD_BYTES_MAX}`);
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => encodeHeader(name, typeof value === 'string' ? { type: 'string', value } : value)));
  const total = 12 + head.length + payload.length + 4;
  const out = Buffer.allocUnsafe(total);
  out.writeUInt32BE(total, 0);
  out.writeUInt32BE(head.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  head.copy(out, 12);
  asBuffer(payload).copy(out, 12 + head.length);
  out.writeUInt32BE(crc32(out.subarray(0, total - 4)), total - 4);
  return out;
}

function encodeHeader(name: string, header: HeaderValue): Buffer {
  const label = Buffer.from(name, 'utf8');
  return Buffer.concat([Buffer.from([label.length]), label, encodeHeaderValue(header)]);
}

function encodeHeaderValue({ type, value }: HeaderValue): Buffer {
  switch (type) {
    case 'boolean':
      return Buffer.from([value ? 0 : 1]);
    case 'byte':
      return fixed(2, 1, (b) => b.writeInt8(Number(value), 1));
    case 'short':
      return fixed(3, 2, (b) => b.writeInt16BE(Number(value), 1));
    case 'integer':
      return fixed(4, 4, (b) => b.writeInt32BE(Number(value), 1));
    case 'long':
      return fixed(5, 8, (b) => b.writeBigInt64BE(BigInt(integerText(value)), 1));
    case 'timestamp':
      return fixed(8, 8, (b) => b.writeBigInt64BE(BigInt(toDate(value).getTime()), 1));
    case 'blob':
      return sized(6, toBytes(value));
    default:
      return sized(7, Buffer.from(String(value), 'utf8'));
  }
}

function fixed(type: number, bytes: number, write: (buffer: Buffer) => void): Buffer {
  const out = Buffer.alloc(1 + bytes);
  out[0] = type;
  write(out);
  return out;
}

function sized(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head[0] = type;
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/**
 * The response of an operation whose output streams events. The stream member must be an async iterable of `{EventName: {...}}`;
 * JSON and CBOR put the other members into an `initial-response` message (the rest protocols into headers, which the caller adds).
 * An AwsError thrown by the iterable becomes an exception message and ends the stream.
 */
export function encodeEventStream(
  model: ServiceModel,
  operation: OperationModel,
  output: Readonly<Record<string, unknown>>,
  context: EncodeContext,
  format: EventFormat,
): WireResponse {
  const stream = operation.output && eventStreamMember(model, operation.output);
  if (!operation.output || !stream) throw new Error(`${operation.name} streams no events`);
  const events = output[stream.name];
  if (!isAsyncIterable(events)) throw new TypeError(`${operation.name} must give an async iterable of events as ${stream.name}`);
  const initial = format === 'json' || format === 'cbor' ? initialResponse(model, operation.output, output, stream.name, format) : undefined;
  return {
    status: 200,
    headers: { 'x-amzn-RequestId': context.requestId, 'Content-Type': 'application/vnd.amazon.eventstream' },
    body: frames(model, operation, stream.shape, events, format, initial),
  };
}

function initialResponse(model: ServiceModel, ref: ShapeRef, output: Readonly<Record<string, unknown>>, streamName: string, format: 'json' | 'cbor'): Buffer {
  const { [streamName]: _stream, ...rest } = output;
  return encodeEventMessage(
    { ':message-type': 'event', ':event-type': 'initial-response', ':content-type': CONTENT_TYPES[format] },
    encodeStructure(model, ref, rest, format),
  );
}

async function* frames(
  model: ServiceModel,
  operation: OperationModel,
  stream: ShapeModel,
  events: AsyncIterable<unknown>,
  format: EventFormat,
  initial: Buffer | undefined,
): AsyncGenerator<Uint8Array> {
  if (initial) yield initial;
  try {
    for await (const event of events) yield encodeEvent(model, stream, asRecord(event), format);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    yield encodeException(model, operation, stream, error, format);
  }
}

function encodeEvent(model: ServiceModel, stream: ShapeModel, event: Readonly<Record<string, unknown>>, format: EventFormat): Buffer {
  const name = Object.keys(event).find((key) => event[key] !== undefined);
  const ref = name === undefined ? undefined : stream.members?.[name];
  if (name === undefined || !ref) throw new TypeError(`an event stream has no event ${name}`);
  const value = asRecord(event[name]);
  const shape = shapeOf(model, ref);
  const headers: Record<string, HeaderValue | string> = { ':message-type': 'event', ':event-type': name };
  for (const [member, memberRef] of Object.entries(shape.members ?? {})) {
    const inner = value[member];
    if (memberRef.eventheader && inner !== undefined && inner !== null) headers[member] = { type: shapeOf(model, memberRef).type, value: inner };
  }
  const payload = eventPayload(model, ref, shape, value, format);
  return encodeEventMessage(payload.contentType === undefined ? headers : { ...headers, ':content-type': payload.contentType }, payload.bytes);
}

function eventPayload(
  model: ServiceModel,
  ref: ShapeRef,
  shape: ShapeModel,
  value: Readonly<Record<string, unknown>>,
  format: EventFormat,
): { contentType: string | undefined; bytes: Uint8Array } {
  const explicit = Object.entries(shape.members ?? {}).find(([, memberRef]) => memberRef.eventpayload);
  if (!explicit) {
    const body = Object.entries(shape.members ?? {}).filter(([, memberRef]) => !memberRef.eventheader);
    if (body.length === 0 && format === 'xml') return { contentType: undefined, bytes: new Uint8Array() };
    const kept = Object.fromEntries(body.map(([member]) => [member, value[member]]));
    return { contentType: CONTENT_TYPES[format], bytes: encodeStructure(model, ref, kept, format) };
  }
  const [member, memberRef] = explicit;
  const inner = value[member];
  const type = shapeOf(model, memberRef).type;
  if (inner === undefined || inner === null) return { contentType: undefined, bytes: new Uint8Array() };
  if (type === 'blob') return { contentType: 'application/octet-stream', bytes: toBytes(inner) };
  if (type === 'string') return { contentType: 'text/plain', bytes: Buffer.from(String(inner), 'utf8') };
  return { contentType: CONTENT_TYPES[format], bytes: encodeStructure(model, memberRef, inner, format) };
}

function encodeStructure(model: ServiceModel, ref: ShapeRef, value: unknown, format: EventFormat): Uint8Array {
  switch (format) {
    case 'json':
      return Buffer.from(jsonEncoder(model, ref, 'member')(value), 'utf8');
    case 'restJson':
      return Buffer.from(jsonEncoder(model, ref, 'locationName')(value), 'utf8');
    case 'cbor':
      return cborEncoder(model, ref)(value);
    case 'xml':
      return Buffer.from(xmlDocumentEncoder(model, ref, ref.locationName ?? ref.shape)(value), 'utf8');
  }
}

function encodeException(model: ServiceModel, operation: OperationModel, stream: ShapeModel, error: AwsError, format: EventFormat): Buffer {
  const wire = wireError(model, operation, error);
  const member = Object.entries(stream.members ?? {}).find(([, ref]) => ref.shape === wire.name);
  if (!member || !shapeNamed(model, wire.name).exception) {
    return encodeEventMessage({ ':message-type': 'error', ':error-code': wire.name, ':error-message': error.message }, new Uint8Array());
  }
  return encodeEventMessage(
    { ':message-type': 'exception', ':exception-type': member[0], ':content-type': CONTENT_TYPES[format] },
    encodeStructure(model, member[1], wire.members, format),
  );
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
