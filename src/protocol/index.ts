import { randomUUID } from 'node:crypto';
import type { OperationModel, ProtocolName, ServiceModel } from '../models/model.ts';
import { awsJsonCodec } from './awsJson.ts';
import { awsQueryCodec, ec2QueryCodec } from './awsQuery.ts';
import type { Codec, CodecName } from './codec.ts';
import { shapeOf } from './compiled.ts';
import { restJsonCodec } from './restJson.ts';
import { restXmlCodec } from './restXml.ts';
import { rpcv2CborCodec } from './rpcv2Cbor.ts';
import type { TokenSource } from './tokens.ts';

export { encodeEventMessage } from './eventStream.ts';
export { createRestRouter } from './rest/router.ts';
export { validate, validationMessage } from './validation/validate.ts';

const made = new WeakMap<ServiceModel, WeakMap<TokenSource, Map<CodecName, Codec>>>();

/**
 * The codec of one wire protocol over one model, made once. `newToken` fills idempotency tokens that a caller left out (default: a random UUID).
 */
export function createCodec(model: ServiceModel, name: CodecName, newToken: TokenSource = randomUUID): Codec {
  const byName = entry(
    entry(made, model, () => new WeakMap()),
    newToken,
    () => new Map<CodecName, Codec>(),
  );
  return entry(byName, name, () => makeCodec(model, name, newToken));
}

interface Table<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

function entry<K, V>(table: Table<K, V>, key: K, make: () => V): V {
  let value = table.get(key);
  if (value === undefined) {
    value = make();
    table.set(key, value);
  }
  return value;
}

function makeCodec(model: ServiceModel, name: CodecName, newToken: TokenSource): Codec {
  switch (name) {
    case 'awsJson1_0':
      return awsJsonCodec(model, '1.0', newToken);
    case 'awsJson1_1':
      return awsJsonCodec(model, '1.1', newToken);
    case 'restJson':
      return restJsonCodec(model, newToken);
    case 'restXml':
      return restXmlCodec(model, newToken);
    case 'awsQuery':
      return awsQueryCodec(model, newToken);
    case 'ec2Query':
      return ec2QueryCodec(model, newToken);
    case 'rpcv2Cbor':
      return rpcv2CborCodec(model, newToken);
  }
}

/** The codecs of a service, best first. */
export function codecNames(model: ServiceModel): readonly CodecName[] {
  const { metadata } = model;
  const names: Readonly<Record<ProtocolName, CodecName>> = {
    json: metadata.jsonVersion === '1.0' ? 'awsJson1_0' : 'awsJson1_1',
    'rest-json': 'restJson',
    'rest-xml': 'restXml',
    query: 'awsQuery',
    ec2: 'ec2Query',
    'smithy-rpc-v2-cbor': 'rpcv2Cbor',
  };
  return (metadata.protocols ?? [metadata.protocol]).map((protocol) => names[protocol]);
}

/** Whether the operation's input has a body that streams: such a request reaches the codec unread. */
export function isStreamingInput(model: ServiceModel, operation: OperationModel): boolean {
  if (!operation.input) return false;
  const input = shapeOf(model, operation.input);
  if (input.payload === undefined) return false;
  const ref = input.members?.[input.payload];
  if (!ref) return false;
  const shape = shapeOf(model, ref);
  return ref.streaming === true || shape.streaming === true || shape.eventstream === true;
}
