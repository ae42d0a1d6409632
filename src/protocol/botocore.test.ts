import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { asBuffer } from './scalars.ts';
import { encodeCase, haveCases, type OutputCase, PROTOCOLS, readSuites, type Suite } from './testing.ts';

const haveBotocore = haveCases && spawnSync('python3', ['-c', 'import botocore.parsers, botocore.model']).status === 0;

/** Reads one JSON case a line, parses our answer as botocore's client does, prints what it understood. */
const PARSE = `
import base64, json, sys, math
from datetime import datetime
from botocore import parsers, model

class Case(dict):
    def get(self, key, default=None):
        return next((v for k, v in self.items() if k.lower() == key.lower()), default)
    def __contains__(self, key):
        return any(k.lower() == key.lower() for k in self)
    def __getitem__(self, key):
        return next(v for k, v in self.items() if k.lower() == key.lower())

def plain(value):
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    if isinstance(value, datetime): return round(value.timestamp(), 3)
    if isinstance(value, (bytes, bytearray)): return value.decode('utf8')
    if isinstance(value, float) and (math.isnan(value) or math.isinf(value)): return 'NaN' if math.isnan(value) else 'Infinity' if value > 0 else '-Infinity'
    return value

for line in sys.stdin:
    case = json.loads(line)
    metadata = case['metadata']
    resolver = model.ShapeResolver(case['shapes'])
    operation = model.OperationModel(case['given'], model.ServiceModel({'metadata': metadata, 'operations': {}, 'shapes': case['shapes']}))
    protocol = metadata['protocols'][0]
    parser = parsers.PROTOCOL_PARSERS[protocol](timestamp_parser=None)
    response = {'status_code': case['status'], 'headers': Case(case['headers']), 'body': base64.b64decode(case['body']), 'context': {}}
    try:
        parsed = parser.parse(response, operation.output_shape)
    except Exception as error:
        print(json.dumps({'failure': str(error)}))
        continue
    error = parsed.get('Error')
    result = {k: v for k, v in parsed.items() if k not in ('ResponseMetadata', 'Error')}
    if error is not None and case['errorShape']:
        shape = resolver.get_shape_by_name(case['errorShape'])
        result = {k: v for k, v in parser.parse(response, shape).items() if k not in ('ResponseMetadata', 'Error')}
    print(json.dumps({'result': plain(result), 'code': error and error.get('Code')}))
`;

describe.skipIf(!haveBotocore)("botocore's own parsers on our answers (skipped without Python's botocore or ../shared/conformance)", () => {
  for (const protocol of PROTOCOLS.filter((name) => haveCases && readSuites('output', name).length > 0)) {
    test(protocol, () => {
      const recordings = readSuites<OutputCase>('output', protocol).flatMap((suite) => suite.cases.map((recorded) => ({ suite, recorded })));
      const ours = understand(recordings.map(({ suite, recorded }) => ({ suite, recorded, answer: ourAnswer(suite, recorded) })));
      const theirs = understand(recordings.map(({ suite, recorded }) => ({ suite, recorded, answer: recordedAnswer(protocol, recorded) })));
      for (const [index, { recorded }] of recordings.entries()) {
        // Where this botocore cannot read what AWS recorded, it says nothing about ours.
        if (theirs[index]?.failure !== undefined) continue;
        expect({ id: recorded.id, ...ours[index] }).toEqual({
          id: recorded.id,
          ...theirs[index],
          ...(recorded.errorCode === undefined ? {} : { code: recorded.errorCode }),
        });
      }
    });
  }
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Understood {
  readonly result?: unknown;
  readonly code?: unknown;
  readonly failure?: string;
}

function ourAnswer(suite: Suite<OutputCase>, recorded: OutputCase): Answer {
  const { response } = encodeCase(suite, recorded);
  // A map over all headers would show those that every server adds.
  const { 'Content-Type': _type, 'x-amzn-RequestId': _id, ...headers } = response.headers;
  return { status: response.status, headers, body: asBuffer(response.body as Buffer).toString('base64') };
}

function recordedAnswer(protocol: string, { response }: OutputCase): Answer {
  const isBase64 = protocol.startsWith('smithy-rpc-v2-cbor');
  const body = isBase64 ? (response.body ?? '') : Buffer.from(response.body ?? '', 'utf8').toString('base64');
  return { status: response.status_code, headers: response.headers ?? {}, body };
}

function understand(cases: readonly { suite: Suite<OutputCase>; recorded: OutputCase; answer: Answer }[]): Understood[] {
  if (cases.length === 0) return [];
  const lines = cases.map(({ suite, recorded, answer }) => {
    const errorShape = recorded.errorCode === undefined ? null : (recorded.given.errors?.[0]?.shape ?? null);
    return JSON.stringify({ ...answer, metadata: suite.metadata, shapes: suite.shapes, given: recorded.given, errorShape });
  });
  const answers = execFileSync('python3', ['-c', PARSE], { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 26 });
  return answers
    .trim()
    .split('\n')
    .map((line) => shown(JSON.parse(line)) as Understood);
}

/** botocore shows members that are absent as null here and there, and recorded results leave some out. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? Math.fround(value) : value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, shown(inner)]),
  );
}
