import { Readable } from 'node:stream';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { AwsError } from '../kit/errors.ts';
import { createIds } from '../kit/ids.ts';
import { loadModel } from '../models/index.ts';
import type { OperationModel, ServiceModel, ShapeModel, ShapeRef } from '../models/model.ts';
import { CborWriter } from './cbor/writer.ts';
import type { CodecName } from './codec.ts';
import { codecNames, createCodec, createRestRouter, validate, validationMessage } from './index.ts';
import type { WireRequest } from './wire.ts';

const RUNS = process.env['CROFT_SOAK'] ? 20_000 : 400;
const SEED = Number(process.env['CROFT_SEED'] ?? createIds().bytes(4).readInt32BE());
const newToken = () => 'token';

const SERVICES: readonly (readonly [service: string, codec: CodecName])[] = [
  ['dynamodb', 'awsJson1_0'],
  ['ssm', 'awsJson1_1'],
  ['sqs', 'awsJson1_0'],
  ['sqs', 'awsQuery'],
  ['cloudformation', 'awsQuery'],
  ['iam', 'awsQuery'],
  ['iam', 'ec2Query'],
  ['lambda', 'restJson'],
  ['apigateway', 'restJson'],
  ['s3', 'restXml'],
  ['cloudwatch', 'rpcv2Cbor'],
  ['cloudwatch', 'awsQuery'],
];

const models = new Map<string, ServiceModel>();
beforeAll(async () => {
  for (const [service] of SERVICES) models.set(service, await loadModel(service));
  console.log(`codec fuzz: seed ${SEED}, ${RUNS} bodies a codec (CROFT_SEED repeats it)`);
});

/** Decodes and validates: an AwsError is an answer, anything else a defect. */
function survives(model: ServiceModel, codec: CodecName, operation: OperationModel, request: WireRequest): void {
  const target = createCodec(model, codec, newToken);
  try {
    const input = target.decode(operation, request);
    const failures = validate(model, operation, input);
    if (failures.length > 0) expect(validationMessage(failures)).toMatch(/^\d+ validation errors? detected: /);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    expect(error.status).toBe(400);
    const answer = target.encodeError(operation, error, { requestId: 'r', method: request.method });
    expect(answer.status).toBe(400);
  }
}

/** Any JSON-like value, rather likely of the shape asked for. */
function valueFor(model: ServiceModel, ref: ShapeRef, random: () => number, depth: number): unknown {
  const pick = <T>(...options: T[]): T => options[Math.floor(random() * options.length)] as T;
  if (random() < 0.12 || depth > 6) return pick<unknown>(null, true, 0, -1.5, 1e300, '', 'x', '\u0000', '💥', [], {}, [null], { __proto__: 1 }, '9'.repeat(50));
  const shape = model.shapes[ref.shape] as ShapeModel;
  switch (shape.type) {
    case 'structure': {
      const out: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(shape.members ?? {})) if (random() < 0.4) out[name] = valueFor(model, member, random, depth + 1);
      return out;
    }
    case 'list':
      return Array.from({ length: Math.floor(random() * 3) }, () => valueFor(model, shape.member as ShapeRef, random, depth + 1));
    case 'map':
      return Object.fromEntries(
        Array.from({ length: Math.floor(random() * 3) }, () => [
          pick('a', '', '__proto__', 'x.y'),
          valueFor(model, shape.value as ShapeRef, random, depth + 1),
        ]),
      );
    case 'string':
      return pick(shape.enum?.[0] ?? 'text', 'text', 'a'.repeat(300));
    case 'boolean':
      return pick<unknown>(true, false, 'true', 'no');
    case 'timestamp':
      return pick<unknown>(1.5e9, '2020-01-01T00:00:00Z', '2020-02-31', 1e18);
    case 'blob':
      return pick('eA==', 'eB==', '!');
    default:
      return pick<unknown>(1, 2 ** 40, 1.5, '1', Number.NaN);
  }
}

function toQuery(value: unknown, name: string, out: string[]): string[] {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) toQuery(item, `${name}.member.${index + 1}`, out);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) toQuery(inner, name === '' ? key : `${name}.${key}`, out);
  else out.push(`${name}=${encodeURIComponent(String(value))}`);
  return out;
}

function toXml(value: unknown, name: string): string {
  const tag = /^[A-Za-z_][\w.-]*$/.test(name) ? name : 'x';
  if (Array.isArray(value)) return `<${tag}>${value.map((item) => toXml(item, 'member')).join('')}</${tag}>`;
  if (typeof value === 'object' && value !== null)
    return `<${tag}>${Object.entries(value)
      .map(([key, inner]) => toXml(inner, key))
      .join('')}</${tag}>`;
  return `<${tag}>${String(value).replaceAll('\u0000', '&lt;')}</${tag}>`;
}

function toCbor(value: unknown, writer: CborWriter): void {
  if (value === null || value === undefined) writer.nil();
  else if (typeof value === 'string') writer.text(value);
  else if (typeof value === 'number') writer.double(value);
  else if (typeof value === 'boolean') writer.boolean(value);
  else if (Array.isArray(value)) {
    writer.startList(value.length);
    for (const item of value) toCbor(item, writer);
  } else {
    writer.startMap();
    for (const [key, inner] of Object.entries(value as object)) {
      writer.text(key);
      toCbor(inner, writer);
    }
    writer.end();
  }
}

function bodyOf(codec: CodecName, value: unknown): Buffer {
  switch (codec) {
    case 'awsQuery':
    case 'ec2Query':
      return Buffer.from(toQuery(value, '', []).join('&'));
    case 'restXml':
      return Buffer.from(toXml(value, 'Root'));
    case 'rpcv2Cbor': {
      const writer = new CborWriter();
      toCbor(value, writer);
      return writer.bytes();
    }
    default:
      return Buffer.from(JSON.stringify(value) ?? '');
  }
}

/** Overwrites, cuts, doubles and inserts bytes. */
function mutate(body: Buffer, random: () => number): Buffer {
  let out = Buffer.from(body);
  for (let n = Math.floor(random() * 4); n > 0; n--) {
    const at = Math.floor(random() * (out.length + 1));
    const kind = random();
    if (kind < 0.3 && out.length > 0) out[Math.min(at, out.length - 1)] = Math.floor(random() * 256);
    else if (kind < 0.5) out = out.subarray(0, at);
    else if (kind < 0.7) out = Buffer.concat([out, out.subarray(at)]);
    else
      out = Buffer.concat([
        out.subarray(0, at),
        Buffer.from(['{', '"', '<', '&', '%', '\\', '[', ']]>', '\u00ff'][Math.floor(random() * 9)] ?? ''),
        out.subarray(at),
      ]);
  }
  return out;
}

const ODD_TEXT = [
  '',
  'x',
  '%',
  '%ff',
  '%2F',
  'a/b',
  '1',
  '-1',
  'true',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  '2020-01-01',
  '"',
  '"a","b',
  ',',
  '💥',
  'a'.repeat(200),
];

function requestFor(operation: OperationModel, body: Buffer, shape: ShapeModel | undefined, random: () => number): WireRequest {
  const odd = () => ODD_TEXT[Math.floor(random() * ODD_TEXT.length)] ?? '';
  const [path = '/', literal = ''] = operation.http.requestUri.split('?', 2);
  const query = literal === '' ? [] : [literal];
  const headers: Record<string, string> = random() < 0.1 ? { 'content-encoding': 'gzip' } : {};
  for (const [name, ref] of Object.entries(shape?.members ?? {})) {
    if (random() < 0.5) continue;
    if (ref.location === 'querystring') query.push(`${ref.locationName ?? name}=${odd()}`);
    if (ref.location === 'header') headers[(ref.locationName ?? name).toLowerCase()] = odd();
    if (ref.location === 'headers') headers[`${(ref.locationName ?? '').toLowerCase()}${odd()}`] = odd();
  }
  return { method: operation.http.method, path: path.replace(/\{[^}]+\}/g, odd), query: query.join('&'), headers, body };
}

describe('hostile requests get an AWS error or decode', () => {
  for (const [service, codec] of SERVICES) {
    test(`${service} ${codec}`, () => {
      const model = models.get(service) as ServiceModel;
      const operations = Object.values(model.operations);
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const random = createIds(String(seed)).float;
          const operation = operations[Math.floor(random() * operations.length)] as OperationModel;
          const input = operation.input && model.shapes[operation.input.shape];
          const value = operation.input ? valueFor(model, operation.input, random, 0) : {};
          const request = requestFor(operation, mutate(bodyOf(codec, value), random), input, random);
          survives(model, codec, operation, request);
        }),
        { numRuns: RUNS, seed: SEED },
      );
    });

    test(`${service} ${codec}: bytes`, () => {
      const model = models.get(service) as ServiceModel;
      const operations = Object.values(model.operations);
      fc.assert(
        fc.property(fc.nat(operations.length - 1), fc.uint8Array({ maxLength: 60 }), (index, bytes) => {
          const operation = operations[index] as OperationModel;
          survives(model, codec, operation, { method: 'POST', path: '/', query: '', headers: {}, body: Buffer.from(bytes) });
        }),
        { numRuns: RUNS, seed: SEED },
      );
    });
  }

  test('routers take any path', () => {
    const routers = ['s3', 'lambda', 'apigateway'].map((service) => createRestRouter(models.get(service) as ServiceModel));
    fc.assert(
      fc.property(fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH'), fc.string(), fc.string(), (method, path, query) => {
        for (const route of routers) route({ method, path: `/${path}`, query, headers: {} });
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
});

describe('large hostile bodies take linear time', () => {
  const size = 200_000;
  test.each<[string, CodecName, string, string | Buffer]>([
    ['s3', 'restXml', 'DeleteObjects', `<Delete>${'<a>'.repeat(size)}`],
    ['s3', 'restXml', 'DeleteObjects', `<Delete ${' '.repeat(size)}`],
    ['s3', 'restXml', 'DeleteObjects', `<Delete>${'&'.repeat(size)}</Delete>`],
    ['s3', 'restXml', 'DeleteObjects', `<Delete>${'<![CDATA['.repeat(size)}`],
    ['s3', 'restXml', 'DeleteObjects', `<Delete>${'<!--'.repeat(size)}`],
    ['s3', 'restXml', 'DeleteObjects', `<Delete a="${'<'.repeat(size)}`],
    ['dynamodb', 'awsJson1_0', 'PutItem', '['.repeat(size)],
    ['dynamodb', 'awsJson1_0', 'PutItem', `${'{"Item":'.repeat(size)}`],
    ['iam', 'awsQuery', 'CreateRole', `${'a.'.repeat(size)}=1`],
    ['iam', 'awsQuery', 'CreateRole', `${'a=1&'.repeat(size)}`],
    ['iam', 'awsQuery', 'CreateRole', `Tags.member.${'9'.repeat(size)}.Key=1`],
    ['cloudwatch', 'rpcv2Cbor', 'PutMetricData', Buffer.alloc(size, 0x9f)],
    ['cloudwatch', 'rpcv2Cbor', 'PutMetricData', Buffer.alloc(size, 0xc1)],
    ['cloudwatch', 'rpcv2Cbor', 'PutMetricData', Buffer.from('9bffffffffffffffff', 'hex')],
    ['cloudwatch', 'rpcv2Cbor', 'PutMetricData', Buffer.from('5bffffffffffffffff', 'hex')],
  ])('%s %s %s %#', (service, codec, operation, body) => {
    const model = models.get(service) as ServiceModel;
    expect(codecNames(model).length).toBeGreaterThan(0);
    survives(model, codec, model.operations[operation] as OperationModel, {
      method: 'POST',
      path: '/b',
      query: '',
      headers: {},
      body: Buffer.isBuffer(body) ? body : Buffer.from(body),
    });
  });
});

test('a streaming body is not read by the codec', () => {
  const model = models.get('s3') as ServiceModel;
  const body = Readable.from(['x']);
  createCodec(model, 'restXml').decode(model.operations['PutObject'] as OperationModel, { method: 'PUT', path: '/b/k', query: '', headers: {}, body });
  expect(body.readableDidRead).toBe(false);
});
