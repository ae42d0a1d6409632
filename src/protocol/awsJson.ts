import { crc32 } from 'node:zlib';
import type { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel } from '../models/model.ts';
import { bufferedBody } from './bodies.ts';
import type { Codec, EncodeContext } from './codec.ts';
import { shapeNamed } from './compiled.ts';
import { statusSource, type WireError, wireError } from './errorShape.ts';
import { encodeEventStream, eventStreamMember } from './eventStream.ts';
import { jsonDecoder, parseJsonObject } from './json/decode.ts';
import { jsonEncoder } from './json/encode.ts';
import { coralNamespace } from './json/faults.ts';
import { fillTokens, type TokenSource } from './tokens.ts';
import type { WireRequest, WireResponse } from './wire.ts';

/** Errors that Coral itself raises are in its own namespaces, not in the service's. */
const CORAL_ERRORS: Readonly<Record<string, string>> = {
  SerializationException: 'com.amazon.coral.service',
  UnknownOperationException: 'com.amazon.coral.service',
  AccessDeniedException: 'com.amazon.coral.service',
  InternalFailure: 'com.amazon.coral.service',
  InvalidSignatureException: 'com.amazon.coral.service',
  IncompleteSignatureException: 'com.amazon.coral.service',
  MissingAuthenticationTokenException: 'com.amazon.coral.service',
  UnrecognizedClientException: 'com.amazon.coral.service',
  ExpiredTokenException: 'com.amazon.coral.service',
  ThrottlingException: 'com.amazon.coral.availability',
  ValidationException: 'com.amazon.coral.validate',
};

/**
 * AWS JSON 1.0 and 1.1 ("AWS JSON 1.0 protocol" and "AWS JSON 1.1 protocol" in the Smithy documentation): the operation is named by
 * `X-Amz-Target`, input and output are JSON bodies, errors carry `__type`.
 */
export function awsJsonCodec(model: ServiceModel, version: '1.0' | '1.1', newToken: TokenSource): Codec {
  const contentType = `application/x-amz-json-${version}`;
  const withCrc = model.metadata.serviceId?.startsWith('DynamoDB');
  const respond = (status: number, body: string, context: EncodeContext, headers: Readonly<Record<string, string>> = {}): WireResponse => {
    const bytes = Buffer.from(body, 'utf8');
    const out: Record<string, string> = { 'x-amzn-RequestId': context.requestId, 'Content-Type': contentType, ...headers };
    if (withCrc) out['x-amz-crc32'] = String(crc32(bytes));
    return { status, headers: out, body: bytes };
  };
  return {
    name: version === '1.0' ? 'awsJson1_0' : 'awsJson1_1',
    model,
    decode(operation, request) {
      return decodeBody(model, operation, request, newToken);
    },
    encode(operation, output, context) {
      const stream = operation.output && eventStreamMember(model, operation.output);
      if (stream) return encodeEventStream(model, operation, output, context, 'json');
      if (!operation.output) return respond(200, '', context);
      return respond(200, jsonEncoder(model, operation.output, 'member')(output), context);
    },
    encodeError(operation, error, context) {
      return respond(
        wireError(model, operation, error, statusSource(model, context)).status,
        errorBody(model, version, operation, error),
        context,
        errorHeaders(model, operation, error),
      );
    },
  };
}

function decodeBody(model: ServiceModel, operation: OperationModel, request: WireRequest, newToken: TokenSource): Record<string, unknown> {
  if (!operation.input) return {};
  const body = bufferedBody(operation, request);
  const input = jsonDecoder(model, operation.input, 'member')(parseJsonObject(body)) as Record<string, unknown>;
  return fillTokens(shapeNamed(model, operation.input.shape), input, newToken);
}

function errorBody(model: ServiceModel, version: '1.0' | '1.1', operation: OperationModel | undefined, error: AwsError): string {
  const wire = wireError(model, operation, error);
  const type = JSON.stringify(errorType(model, version, wire.name, wire.shape !== undefined));
  const members = wire.ref ? jsonEncoder(model, wire.ref, 'member')(wire.members).slice(1, -1) : '';
  const message = wire.messageMember === undefined && error.message !== '' ? `"${plainMessageMember(wire)}":${JSON.stringify(error.message)}` : '';
  return `{${[`"__type":${type}`, message, members].filter((part) => part !== '').join(',')}}`;
}

/** Errors that Coral raises before the service say "Message"; validation, throttling and errors modelled without members say "message". */
function plainMessageMember(wire: WireError): 'message' | 'Message' {
  return wire.shape || wire.name === 'ValidationException' || wire.name === 'ThrottlingException' ? 'message' : 'Message';
}

/** The 1.0 services state the namespace; those of 1.1 print the name alone. */
export function errorType(model: ServiceModel, version: '1.0' | '1.1', name: string, modelled: boolean): string {
  if (version === '1.1') return name;
  const coral = CORAL_ERRORS[name];
  // A failed validation is Coral's own even where the service models that error.
  if (coral !== undefined && (!modelled || name === 'ValidationException')) return `${coral}#${name}`;
  return `${coralNamespace(model)}#${name}`;
}

/** `x-amzn-query-error`: what an SDK that once spoke the query protocol to this service reports as the code. */
export function errorHeaders(model: ServiceModel, operation: OperationModel | undefined, error: AwsError): Record<string, string> {
  const headers: Record<string, string> = { ...error.headers };
  if (model.metadata.awsQueryCompatible) {
    const wire = wireError(model, operation, error);
    headers['x-amzn-query-error'] = `${wire.queryCode};${wire.fault === 'client' ? 'Sender' : 'Receiver'}`;
  }
  return headers;
}
