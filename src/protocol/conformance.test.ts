import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { ServiceModel, ShapeModel } from '../models/model.ts';
import { shapeOf } from './compiled.ts';
import { codecNames, createCodec } from './index.ts';
import {
  encodeCase,
  haveCases,
  type InputCase,
  modelOf,
  newToken,
  normalBody,
  type OutputCase,
  PROTOCOLS,
  readSuites,
  type Suite,
  TOKEN,
  typedValue,
} from './testing.ts';
import type { WireRequest } from './wire.ts';

const HEADER_ONLY = 'the member is bound to a header, which this protocol does not have: the client leaves it out, and it is not on the wire';

/** Cases in which a client is asked for what a server cannot do or show; at most 2 % of all. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0: HEADER_ONLY,
  SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1: HEADER_ONLY,
  SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery: HEADER_ONLY,
  SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query: HEADER_ONLY,
};

/**
 * Answers in a form that clients must understand and AWS's servers, like this one, do not choose. Our answer to each is checked by
 * botocore's parser (botocore.test.ts).
 */
const OTHER_FORMS: readonly (readonly [id: RegExp, reason: string])[] = [
  [/DateTimeWith(?:Negative|Positive)Offset$/, 'AWS answers in UTC'],
  [/FooErrorUsing|FooErrorWithDunderType/, 'one of several places in which a client looks for the code of an error'],
  [/DeserializeIgnoreType$/, 'an additional __type inside a union'],
  [/unexpected_json_output$|HandlesUnexpectedJsonOutput$|ExtraFieldsInTheBody/, 'members that no model knows'],
  [/^QueryEmptyInputAndEmptyOutput$|^QueryNoInputAndOutput$/, 'no body at all, where AWS sends the envelope with the request id'],
  [/^InvalidGreetingError$/, 'an element that the error does not have'],
  [/^(?:Ec2)?ComplexError$/, 'a message that the error does not have'],
  [/PayloadWithUnsetUnion$/, 'the recorded body is of another case'],
];

const otherForm = (id: string) => OTHER_FORMS.some(([pattern]) => pattern.test(id));

let inputs = 0;
let outputs = 0;
let others = 0;

describe.skipIf(!haveCases)('protocol cases recorded by AWS (skipped where ../shared/conformance is absent)', () => {
  for (const protocol of PROTOCOLS) {
    describe(`${protocol}: what clients serialize`, () => {
      for (const suite of haveCases ? readSuites<InputCase>('input', protocol) : []) {
        for (const recorded of suite.cases) {
          inputs++;
          test.skipIf(EXCEPTIONS[recorded.id])(recorded.id, async () => {
            const model = modelOf(suite, recorded.given);
            expect(shownInput(model, recorded, await decodeCase(suite, recorded))).toEqual(shownInput(model, recorded, expectedInput(suite, recorded)));
          });
        }
      }
    });
    const recordings = haveCases ? readSuites<OutputCase>('output', protocol) : [];
    describe.skipIf(recordings.length === 0)(`${protocol}: what clients parse`, () => {
      if (recordings.length === 0) test('nothing recorded', () => {});
      for (const suite of recordings) {
        for (const recorded of suite.cases) {
          outputs++;
          test.skipIf(EXCEPTIONS[recorded.id])(recorded.id, () => {
            const { name, response } = encodeCase(suite, recorded);
            expect(response.status).toBe(recorded.response.status_code);
            if (otherForm(recorded.id)) {
              others++;
              return;
            }
            const { body = '', headers = {} } = recorded.response;
            expect(normalBody(name, response.body as Buffer)).toEqual(normalBody(name, Buffer.from(body, name === 'rpcv2Cbor' ? 'base64' : 'utf8')));
            const lower = Object.fromEntries(Object.entries(response.headers).map(([key, value]) => [key.toLowerCase(), value]));
            for (const [key, value] of Object.entries(headers))
              if (!['content-type', 'content-length', 'x-amzn-requestid', 'x-amz-target'].includes(key.toLowerCase()))
                expect(lower[key.toLowerCase()], key).toBe(value);
          });
        }
      }
    });
  }
  test('at most 2 % of the cases are excepted', () => {
    expect(Object.keys(EXCEPTIONS).length).toBeLessThanOrEqual((inputs + outputs) * 0.02);
  });
  afterAll(() =>
    console.log(
      `protocol cases: ${inputs} requests decoded, ${outputs} responses encoded, ${Object.keys(EXCEPTIONS).length} excepted, ${others} answered in another form`,
    ),
  );
});

async function decodeCase(suite: Suite<InputCase>, { given, params, serialized }: InputCase): Promise<unknown> {
  const model = modelOf(suite, given);
  const [name = 'awsQuery'] = codecNames(model);
  const [path = '/', query = ''] = serialized.uri.split('?', 2);
  const isBase64 = name === 'rpcv2Cbor';
  const request: WireRequest = {
    method: serialized.method,
    path,
    query,
    headers: Object.fromEntries(Object.entries(serialized.headers ?? {}).map(([key, value]) => [key.toLowerCase(), String(value)])),
    body:
      serialized.body === undefined && given.requestcompression ? compressed(params, name) : Buffer.from(serialized.body ?? '', isBase64 ? 'base64' : 'utf8'),
  };
  const input = createCodec(model, name, newToken).decode(given, request);
  for (const [key, value] of Object.entries(input)) if (value instanceof Readable) input[key] = Buffer.concat(await value.toArray());
  return input;
}

function expectedInput(suite: Suite<InputCase>, { given, params }: InputCase): unknown {
  return given.input ? typedValue(modelOf(suite, given), given.input, params) : {};
}

/** What a request can show: no nulls, no empty collections outside JSON and CBOR, maps over the query string without what has a name of its own. */
function shownInput(model: ServiceModel, { given, params }: InputCase, input: unknown): unknown {
  const [name] = codecNames(model);
  const shape = given.input && shapeOf(model, given.input);
  if (!shape || typeof input !== 'object' || input === null) return input;
  const out: Record<string, unknown> = {};
  for (const [member, value] of Object.entries(input)) {
    const ref = shape.members?.[member];
    if (value === null || !ref || (ref.idempotencyToken && value === TOKEN && params[member] === undefined)) continue;
    const shown = ref.location === 'querystring' && shapeOf(model, ref).type === 'map' ? unnamed(shape, value as Record<string, unknown>) : value;
    const elsewhere = ref.location !== undefined || name === 'awsQuery' || name === 'ec2Query' || shape.payload === member;
    if (elsewhere && isEmpty(shown)) continue;
    out[member] = shown;
  }
  return out;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !Buffer.isBuffer(value) && Object.keys(value).length === 0;
}

function unnamed(shape: ShapeModel, map: Record<string, unknown>): Record<string, unknown> {
  const named = new Set(Object.values(shape.members ?? {}).map((ref) => ref.locationName));
  return Object.fromEntries(Object.entries(map).filter(([key]) => !named.has(key)));
}

/** The compression cases record only headers: the body is made here. */
function compressed(params: Record<string, unknown>, name: string): Buffer {
  const { data } = params;
  if (name === 'awsQuery' || name === 'ec2Query') return gzipSync(`${name === 'ec2Query' ? 'D' : 'd'}ata=${String(data)}`);
  return gzipSync(
    name === 'restXml' ? `<PutWithContentEncodingRequest><data>${String(data)}</data></PutWithContentEncodingRequest>` : JSON.stringify({ data }),
  );
}
