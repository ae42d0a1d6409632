import type { ServiceModel } from '../model.ts';

type Json = Record<string, unknown>;

/** The traits that a model keeps, in the order in which they are written. Everything else (prose, endpoints, deprecation) is dropped. */
const METADATA = [
  'apiVersion',
  'serviceId',
  'endpointPrefix',
  'signingName',
  'protocol',
  'protocols',
  'jsonVersion',
  'targetPrefix',
  'xmlNamespace',
  'awsQueryCompatible',
];
const OPERATION = [
  'name',
  'http',
  'input',
  'output',
  'errors',
  'httpChecksum',
  'httpChecksumRequired',
  'requestcompression',
  'authtype',
  'auth',
  'unsignedPayload',
];
const HTTP = ['method', 'requestUri', 'responseCode'];
const REF = [
  'shape',
  'location',
  'locationName',
  'queryName',
  'resultWrapper',
  'flattened',
  'xmlAttribute',
  'xmlNamespace',
  'streaming',
  'idempotencyToken',
  'jsonvalue',
  'timestampFormat',
  'box',
  'hostLabel',
  'eventpayload',
  'eventheader',
];
const SHAPE = [
  'type',
  'required',
  'members',
  'member',
  'key',
  'value',
  'payload',
  'flattened',
  'locationName',
  'xmlNamespace',
  'timestampFormat',
  'min',
  'max',
  'pattern',
  'enum',
  'sensitive',
  'union',
  'document',
  'streaming',
  'eventstream',
  'event',
  'wrapper',
  'exception',
  'fault',
  'error',
];
const ERROR = ['code', 'httpStatusCode', 'senderFault'];

/** Keeps of `source` the traits in `keys`, in that order. */
function pick(source: unknown, keys: readonly string[]): Json {
  const from = source as Json;
  const out: Json = {};
  for (const key of keys) if (from[key] !== undefined) out[key] = from[key];
  return out;
}

const trimRef = (ref: unknown): Json => pick(ref, REF);

function mapValues(source: unknown, map: (value: unknown, key: string) => unknown, sorted: boolean): Json {
  const entries = Object.entries((source ?? {}) as Json);
  if (sorted) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, map(value, key)]));
}

function trimOperation(source: unknown): Json {
  const out = pick(source, OPERATION);
  out['http'] = pick(out['http'], HTTP);
  for (const key of ['input', 'output']) if (out[key]) out[key] = trimRef(out[key]);
  if (out['errors']) out['errors'] = (out['errors'] as unknown[]).map((ref) => pick(ref, ['shape']));
  return out;
}

function trimShape(source: unknown): Json {
  const out = pick(source, SHAPE);
  if (out['members']) out['members'] = mapValues(out['members'], trimRef, false);
  for (const key of ['member', 'key', 'value']) if (out[key]) out[key] = trimRef(out[key]);
  if (out['error']) out['error'] = pick(out['error'], ERROR);
  return out;
}

/** A `service-2` model in the form of {@link ServiceModel}: known traits only, keys in a fixed order (members keep AWS's order). */
export function trimModel(source: unknown): ServiceModel {
  const raw = source as Json;
  const model = {
    metadata: pick(raw['metadata'], METADATA),
    operations: mapValues(raw['operations'], trimOperation, true),
    shapes: mapValues(raw['shapes'], trimShape, true),
  };
  return model as unknown as ServiceModel;
}

/**
 * Lays `overlay` over `base`: objects merge, null removes, everything else replaces. What AWS does and its model does not
 * say is kept in `overlay/<service>.json`.
 */
export function mergeOverlay(base: unknown, overlay: unknown): unknown {
  if (!isObject(base) || !isObject(overlay)) return overlay;
  const out: Json = { ...base };
  for (const [key, value] of Object.entries(overlay)) {
    if (key === '//') continue;
    if (value === null) delete out[key];
    else out[key] = key in out ? mergeOverlay(out[key], value) : value;
  }
  return out;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compact JSON with one operation or shape a line, so that a diff of two models reads well. */
export function printModel(model: ServiceModel): string {
  const section = (name: string, table: object) =>
    `"${name}":{\n${Object.entries(table)
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
      .join(',\n')}\n}`;
  return `{"metadata":${JSON.stringify(model.metadata)},\n${section('operations', model.operations)},\n${section('shapes', model.shapes)}}\n`;
}
