import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { loadModel } from './index.ts';

/** Our models against the schemas that the installed SDK clients export: two renderings of the same AWS models. */
const CLIENTS: Readonly<Record<string, string>> = {
  apigateway: '@aws-sdk/client-api-gateway',
  cloudformation: '@aws-sdk/client-cloudformation',
  cloudwatch: '@aws-sdk/client-cloudwatch',
  dynamodb: '@aws-sdk/client-dynamodb',
  dynamodbstreams: '@aws-sdk/client-dynamodb-streams',
  iam: '@aws-sdk/client-iam',
  lambda: '@aws-sdk/client-lambda',
  logs: '@aws-sdk/client-cloudwatch-logs',
  s3: '@aws-sdk/client-s3',
  sns: '@aws-sdk/client-sns',
  sqs: '@aws-sdk/client-sqs',
  sts: '@aws-sdk/client-sts',
};

/** Differences that are known and right, `<service>: <what>`, with their reasons. */
const ACCEPTED: readonly (readonly [difference: RegExp, reason: string])[] = [
  [/^apigateway: only ours: .* jwtConfiguration$/, 'newer than the installed client'],
  [/^apigateway: only ours: GetSdkTypes output position$/, 'the SDK drops the token of a list that has one page'],
  [/^cloudwatch: only ours: operation \w+MetricDataQueryDefinitions?$/, 'newer than the installed client'],
  [/^dynamodbstreams: only ours: GetShardIterator input Timestamp$/, 'newer than the installed client'],
  [/^lambda: only ours: operation (?:Delete|Pause|Resume)DurableExecution$/, 'newer than the installed client'],
  [/^lambda: only ours: .* (?:RuntimeConfig|AcceleratorConfig|PauseDetails|ExpectedExecutionTimeoutTimestamp)$/, 'newer than the installed client'],
  [/^s3: only ours: (?:AbortMultipartUpload|CreateMultipartUpload|ListParts|UploadPart|UploadPartCopy) output VersionId$/, 'newer than the installed client'],
  [/^s3: only theirs: (?:Get|Head)Object output ExpiresString$/, 'a second view of Expires that the client makes'],
];

const requireHere = createRequire(import.meta.url);

type OperationSchema = readonly [kind: 9, namespace: string, name: string, traits: unknown, input: unknown, output: unknown];

function isSchema(value: unknown, kind: number): value is readonly unknown[] {
  return Array.isArray(value) && value[0] === kind && typeof value[2] === 'string';
}

/** A structure's member names; a schema may stand behind a function. */
function membersOf(schema: unknown): readonly string[] {
  const value: unknown = typeof schema === 'function' ? (schema as () => unknown)() : schema;
  return Array.isArray(value) && value[0] === 3 ? (value[4] as string[]) : [];
}

async function differences(service: string, client: string): Promise<string[]> {
  const model = await loadModel(service);
  const exported = Object.values(requireHere(client) as Record<string, unknown>);
  const operations = exported.filter((value): value is OperationSchema => isSchema(value, 9));
  expect(operations.length).toBeGreaterThan(0);
  const out: string[] = [];
  const compare = (what: string, ours: readonly string[], theirs: readonly string[]) => {
    for (const name of ours) if (!theirs.includes(name)) out.push(`${service}: only ours: ${what} ${name}`);
    for (const name of theirs) if (!ours.includes(name)) out.push(`${service}: only theirs: ${what} ${name}`);
  };
  compare(
    'operation',
    Object.keys(model.operations),
    operations.map((operation) => operation[2]),
  );
  for (const [, , name, , input, output] of operations) {
    const operation = model.operations[name];
    if (!operation) continue;
    compare(`${name} input`, Object.keys(model.shapes[operation.input?.shape ?? '']?.members ?? {}), membersOf(input));
    compare(`${name} output`, Object.keys(model.shapes[operation.output?.shape ?? '']?.members ?? {}), membersOf(output));
  }
  return out.filter((difference) => !ACCEPTED.some(([pattern]) => pattern.test(difference)));
}

describe('operations and members agree with the SDK', () => {
  for (const [service, client] of Object.entries(CLIENTS)) {
    test(service, async () => {
      expect(await differences(service, client)).toEqual([]);
    });
  }
});
