/** Shared by the protocol tests: the recorded cases and values in the forms that both sides compare. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceMetadata, ServiceModel, ShapeModel, ShapeRef } from '../models/model.ts';
import { CborTag, parseCbor } from './cbor/reader.ts';
import type { CodecName } from './codec.ts';
import { shapeOf } from './compiled.ts';
import { codecNames, createCodec } from './index.ts';
import type { WireResponse } from './wire.ts';
import { parseXml, type XmlElement } from './xml/parse.ts';

export const TOKEN = '00000000-0000-4000-8000-000000000000';
export const newToken = () => TOKEN;

const casesDir = join(import.meta.dirname, '../../../shared/conformance/protocols');

/** Whether the recorded cases lie beside the project; a clone alone does not have them. */
export const haveCases = existsSync(casesDir);

export interface Suite<C> {
  readonly metadata: ServiceMetadata;
  readonly shapes: Record<string, ShapeModel>;
  readonly cases: readonly C[];
}

export interface InputCase {
  readonly id: string;
  readonly given: OperationModel;
  readonly params: Record<string, unknown>;
  readonly serialized: { readonly method: string; readonly uri: string; readonly body?: string; readonly headers?: Record<string, string> };
}

export interface OutputCase {
  readonly id: string;
  readonly given: OperationModel;
  readonly result?: Record<string, unknown>;
  readonly error?: Record<string, unknown>;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly response: { readonly status_code: number; readonly body?: string; readonly headers?: Record<string, string> };
}

export const PROTOCOLS = [
  'json',
  'json_1_0',
  'json_1_0-query-compatible',
  'query',
  'ec2',
  'rest-json',
  'rest-xml',
  'smithy-rpc-v2-cbor',
  'smithy-rpc-v2-cbor-query-compatible',
  'smithy-rpc-v2-cbor-non-query-compatible',
] as const;

export function readSuites<C>(direction: 'input' | 'output', protocol: string): Suite<C>[] {
  return JSON.parse(readFileSync(join(casesDir, direction, `${protocol}.json`), 'utf8')) as Suite<C>[];
}

export function modelOf(suite: Suite<unknown>, given: OperationModel): ServiceModel {
  return { metadata: suite.metadata, operations: { [given.name]: given }, shapes: suite.shapes };
}

/** A recorded value (blobs as text, timestamps as seconds, NaN as a word) as the SDK's own: what a codec decodes to and encodes from. */
export function typedValue(model: ServiceModel, ref: ShapeRef, value: unknown): unknown {
  const shape = shapeOf(model, ref);
  if (value === null || value === undefined || shape.document) return value;
  switch (shape.type) {
    case 'structure': {
      const members = shape.members ?? {};
      const entries = Object.entries(value as object).filter(([name]) => members[name]);
      return Object.fromEntries(entries.map(([name, inner]) => [name, typedValue(model, members[name] as ShapeRef, inner)]));
    }
    case 'list':
      return (value as unknown[]).map((inner) => typedValue(model, shape.member as ShapeRef, inner));
    case 'map':
      return Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, typedValue(model, shape.value as ShapeRef, inner)]));
    case 'blob':
      return Buffer.from(String(value), 'utf8');
    case 'timestamp':
      return new Date(Math.round(Number(value) * 1000));
    case 'float':
    case 'double':
      return Number(value);
    default:
      return value;
  }
}

/** Our answer to a recorded output or error. */
export function encodeCase(suite: Suite<OutputCase>, recorded: OutputCase): { readonly name: CodecName; readonly response: WireResponse } {
  const model = modelOf(suite, recorded.given);
  const [name = 'awsQuery'] = codecNames(model);
  const codec = createCodec(model, name, newToken);
  const context = { requestId: 'request-id', method: recorded.given.http.method };
  if (recorded.errorCode === undefined) {
    const { output } = recorded.given;
    const value = output ? (typedValue(model, output, recorded.result ?? {}) as Record<string, unknown>) : {};
    return { name, response: codec.encode(recorded.given, value, context) };
  }
  const ref = recorded.given.errors?.[0] ?? { shape: recorded.errorCode };
  const members = typedValue(model, ref, recorded.error ?? {}) as Record<string, unknown>;
  return { name, response: codec.encodeError(recorded.given, new AwsError(recorded.errorCode, recorded.errorMessage ?? '', { members }), context) };
}

/** A body as plain data, without what a client does not look at: names of documents, request ids, namespaces of error types. */
export function normalBody(name: CodecName, body: Buffer): unknown {
  if (body.length === 0) return name === 'rpcv2Cbor' || name.startsWith('awsJson') || name === 'restJson' ? {} : '';
  if (name === 'rpcv2Cbor') return withoutNulls(fromCbor(parseCbor(body)));
  if (name === 'awsQuery' || name === 'ec2Query' || name === 'restXml') {
    const text = body.toString('utf8');
    return text.trimStart().startsWith('<') ? rootXml(fromXml(parseXml(text))) : text;
  }
  const text = body.toString('utf8');
  return /^\s*[{["]/.test(text) ? withoutNulls(JSON.parse(text)) : text;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, key === '__type' ? String(inner).split('#').at(-1) : withoutNulls(inner)]));
}

function fromCbor(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, fromCbor(inner)]));
  if (Array.isArray(value)) return value.map(fromCbor);
  return value instanceof CborTag ? fromCbor(value.value) : value;
}

const IDS = new Set(['RequestId', 'RequestID', 'requestId', 'ResponseMetadata']);

/** The document's own name says nothing to a client, its attributes may. */
function rootXml({ attributes, content }: PlainXml): unknown {
  return attributes.length === 0 ? content : { attributes, content };
}

interface PlainXml {
  readonly name: string;
  readonly attributes: readonly (readonly [string, string])[];
  readonly content: unknown;
}

function fromXml(element: XmlElement): PlainXml {
  const children = element.children.filter((child) => !IDS.has(child.name)).map(fromXml);
  const attributes = [...element.attributes].filter(([name]) => !name.startsWith('xmlns'));
  return {
    name: element.name,
    attributes,
    content: children.length > 0 ? children : element.children.length > 0 || element.text.trim() === '' ? '' : element.text,
  };
}
