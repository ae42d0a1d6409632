import type { ServiceModel } from '../models/model.ts';
import { errorHeaders, errorType } from './awsJson.ts';
import { bufferedBody } from './bodies.ts';
import { cborDecoder } from './cbor/decode.ts';
import { cborEncoder } from './cbor/encode.ts';
import { parseCbor } from './cbor/reader.ts';
import { CborWriter } from './cbor/writer.ts';
import type { Codec, EncodeContext } from './codec.ts';
import { shapeNamed } from './compiled.ts';
import { statusSource, wireError } from './errorShape.ts';
import { encodeEventStream, eventStreamMember } from './eventStream.ts';
import { fillTokens, type TokenSource } from './tokens.ts';
import type { WireResponse } from './wire.ts';
import { serializationError } from './wireErrors.ts';

/** Smithy RPC v2 CBOR ("Smithy RPC v2 CBOR protocol"): `POST /service/<service>/operation/<operation>`, CBOR bodies. */
export function rpcv2CborCodec(model: ServiceModel, newToken: TokenSource): Codec {
  const respond = (status: number, body: Buffer, context: EncodeContext, headers: Readonly<Record<string, string>>): WireResponse => ({
    status,
    headers: {
      'x-amzn-RequestId': context.requestId,
      'smithy-protocol': 'rpc-v2-cbor',
      ...(body.length === 0 ? {} : { 'Content-Type': 'application/cbor' }),
      ...headers,
    },
    body,
  });
  return {
    name: 'rpcv2Cbor',
    model,
    decode(operation, request) {
      if (!operation.input) return {};
      const body = bufferedBody(operation, request);
      const value = body.length === 0 ? new Map() : parseCbor(body);
      if (!(value instanceof Map)) throw serializationError('');
      return fillTokens(shapeNamed(model, operation.input.shape), cborDecoder(model, operation.input)(value) as Record<string, unknown>, newToken);
    },
    encode(operation, output, context) {
      if (operation.output && eventStreamMember(model, operation.output)) {
        const response = encodeEventStream(model, operation, output, context, 'cbor');
        return { ...response, headers: { ...response.headers, 'smithy-protocol': 'rpc-v2-cbor' } };
      }
      if (!operation.output) return respond(200, Buffer.alloc(0), context, {});
      return respond(200, cborEncoder(model, operation.output)(output), context, {});
    },
    encodeError(operation, error, context) {
      const wire = wireError(model, operation, error, statusSource(model, context));
      const type: Record<string, string> = { __type: errorType(model, '1.0', wire.name, wire.shape !== undefined) };
      if (wire.messageMember === undefined && error.message !== '') type['message'] = error.message;
      const body = wire.ref ? cborEncoder(model, wire.ref, type)(wire.members) : plainError(type);
      return respond(wire.status, body, context, errorHeaders(model, operation, error));
    },
  };
}

function plainError(members: Readonly<Record<string, string>>): Buffer {
  const writer = new CborWriter();
  writer.startMap();
  for (const [name, text] of Object.entries(members)) {
    writer.text(name);
    writer.text(text);
  }
  writer.end();
  return writer.bytes();
}
