import { CloudWatchLogsClient, DescribeLogStreamsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListAliasesCommand,
  ListFunctionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { processesOf } from '../../compute/testing.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let zip: Uint8Array;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
  zip = await zipFiles({
    'index.js': 'exports.handler = async (event) => ({ event, version: process.env.AWS_LAMBDA_FUNCTION_VERSION, color: process.env.COLOR ?? null, code: 1 });',
  });
});
afterAll(() => croft.stop());

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function';
const wait = { maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 };

async function create(name: string, more: Partial<CreateFunctionCommandInput> = {}) {
  const created = await lambda.send(
    new CreateFunctionCommand({ FunctionName: name, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code: { ZipFile: zip }, ...more }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, ...wait }, { FunctionName: name });
  return created;
}

const updated = (name: string) => waitUntilFunctionUpdatedV2({ client: lambda, ...wait }, { FunctionName: name });

async function run(name: string, more: { Qualifier?: string; event?: unknown } = {}) {
  const { event = {}, ...rest } = more;
  const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)), ...rest }));
  return { ...answer, json: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as Record<string, unknown> };
}

describe('a function', () => {
  it('is created, found, downloaded, invoked, listed and deleted', async () => {
    const created = await create('life', {
      Description: 'of a function',
      MemorySize: 256,
      Timeout: 5,
      Environment: { Variables: { COLOR: 'blue' } },
      Tags: { a: 'b' },
    });
    expect(created).toMatchObject({
      $metadata: { httpStatusCode: 201 },
      FunctionArn: `${ARN}:life`,
      CodeSize: zip.length,
      Version: '$LATEST',
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/life' },
      PackageType: 'Zip',
      TracingConfig: { Mode: 'PassThrough' },
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      EphemeralStorage: { Size: 512 },
      Architectures: ['x86_64'],
    });
    expect(created.LastModified).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    const got = await lambda.send(new GetFunctionCommand({ FunctionName: `${ARN}:life` }));
    expect(got).toMatchObject({
      Configuration: { State: 'Active', LastUpdateStatus: 'Successful', Environment: { Variables: { COLOR: 'blue' } } },
      Code: { RepositoryType: 'S3' },
      Tags: { a: 'b' },
    });
    expect(got.Configuration?.RevisionId).not.toBe(created.RevisionId);
    expect(Buffer.from(await (await fetch(got.Code?.Location ?? '')).arrayBuffer()).equals(Buffer.from(zip))).toBe(true);
    expect((await fetch(`${got.Code?.Location}0`)).status).toBe(403);
    const answer = await run('life', { event: { n: 1 } });
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST', json: { event: { n: 1 }, version: '$LATEST', color: 'blue' } });
    expect(answer.FunctionError).toBeUndefined();
    const listed = (await lambda.send(new ListFunctionsCommand({}))).Functions?.find((one) => one.FunctionName === 'life');
    expect(listed).toMatchObject({ MemorySize: 256, Timeout: 5 });
    expect(listed?.State).toBeUndefined();
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'life' }));
    await expect(run('life')).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: `Function not found: ${ARN}:life:$LATEST` });
    await expect(lambda.send(new GetFunctionCommand({ FunctionName: 'life' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
      message: `Function not found: ${ARN}:life`,
    });
  });

  it('runs new code and configuration once the update is done', async () => {
    await create('changing');
    expect((await run('changing')).json).toMatchObject({ code: 1, color: null });
    const code = await zipFiles({ 'index.js': 'exports.handler = async () => ({ code: 2, color: process.env.COLOR });' });
    const updating = await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'changing', ZipFile: code }));
    expect(updating).toMatchObject({ State: 'Active', LastUpdateStatus: 'InProgress', LastUpdateStatusReasonCode: 'Creating', CodeSize: code.length });
    await updated('changing');
    expect((await run('changing')).json).toEqual({ code: 2 });
    const { RevisionId } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'changing' }));
    const wrong = new UpdateFunctionConfigurationCommand({ FunctionName: 'changing', RevisionId: 'wrong', Timeout: 9 });
    await expect(lambda.send(wrong)).rejects.toMatchObject({ name: 'PreconditionFailedException', $metadata: { httpStatusCode: 412 } });
    await lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'changing', ...(RevisionId ? { RevisionId } : {}), Environment: { Variables: { COLOR: 'red' } } }),
    );
    await updated('changing');
    expect((await run('changing')).json).toEqual({ code: 2, color: 'red' });
    const dry = await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'changing', ZipFile: zip, DryRun: true }));
    expect(dry.CodeSize).toBe(zip.length);
    expect((await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'changing' }))).CodeSize).toBe(code.length);
  });

  it('ends what it began with the code it began with', async () => {
    const source = (code: string) =>
      zipFiles({
        'index.js': `exports.handler = async (ms) => { await new Promise((done) => setTimeout(done, ms)); return ['${code}', process.env.AWS_LAMBDA_LOG_STREAM_NAME]; };`,
      });
    await create('slow', { Code: { ZipFile: await source('old') } });
    const warm = (await run('slow', { event: 0 })).json as unknown as [string, string];
    expect(processesOf(warm[1])).toHaveLength(1);
    const running = run('slow', { event: 700 });
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'slow', ZipFile: await source('new') }));
    await updated('slow');
    expect((await run('slow', { event: 0 })).json[0 as never]).toBe('new');
    expect((await running).json).toEqual(['old', warm[1]]);
    await expect.poll(() => processesOf(warm[1])).toEqual([]);
  });

  it('may have its code in S3', async () => {
    const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'code' }));
    await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'fn.zip', Body: zip }));
    await create('from-s3', { Code: { S3Bucket: 'code', S3Key: 'fn.zip' } });
    expect((await run('from-s3')).json).toMatchObject({ code: 1 });
    await expect(create('no-key', { Code: { S3Bucket: 'code', S3Key: 'nothing' } })).rejects.toThrow(
      'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
    );
    await expect(create('no-bucket', { Code: { S3Bucket: 'nobucket', S3Key: 'nothing' } })).rejects.toThrow(
      'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist',
    );
  });

  it('writes its output to its log group', async () => {
    const code = await zipFiles({ 'index.py': 'def handler(event, context):\n    print("hello", event["name"])\n' });
    await create('logging', { Runtime: 'python3.11', Code: { ZipFile: code } });
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'logging', Payload: Buffer.from('{"name":"Ada"}'), LogType: 'Tail' }));
    const requestId = answer.$metadata.requestId;
    const tail = Buffer.from(answer.LogResult ?? '', 'base64').toString();
    expect(tail).toMatch(
      new RegExp(`^START RequestId: ${requestId} Version: \\$LATEST\nhello Ada\nEND RequestId: ${requestId}\nREPORT RequestId: ${requestId}\t`),
    );
    const logs = new CloudWatchLogsClient(croft.sdk);
    const messages = async () =>
      ((await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/logging' }))).events ?? []).map(({ message }) => message);
    await expect.poll(messages, { timeout: 3000 }).toContain('hello Ada\n');
    const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName: '/aws/lambda/logging' }));
    expect(logStreams?.[0]?.logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  });

  it('may be called as soon as it is created, and have a name of one letter', async () => {
    await lambda.send(new CreateFunctionCommand({ FunctionName: 'h', Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code: { ZipFile: zip } }));
    expect((await run('h')).json).toMatchObject({ code: 1 });
  });
});

describe('versions and aliases', () => {
  it('keep what was published, under numbers and names', async () => {
    const created = await create('versioned', { Publish: true, Environment: { Variables: { COLOR: 'one' } } });
    expect(created).toMatchObject({ Version: '1', FunctionArn: `${ARN}:versioned` });
    const same = await lambda.send(new PublishVersionCommand({ FunctionName: 'versioned' }));
    expect(same.Version).toBe('1');
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'versioned', Environment: { Variables: { COLOR: 'two' } } }));
    await updated('versioned');
    const second = await lambda.send(new PublishVersionCommand({ FunctionName: 'versioned', Description: 'second' }));
    expect(second).toMatchObject({ Version: '2', FunctionArn: `${ARN}:versioned:2`, Description: 'second', State: 'Active' });
    expect((await run('versioned', { Qualifier: '1' })).json).toMatchObject({ version: '1', color: 'one' });
    expect((await run(`${ARN}:versioned:2`)).json).toMatchObject({ version: '2', color: 'two' });
    const alias = await lambda.send(new CreateAliasCommand({ FunctionName: 'versioned', Name: 'live', FunctionVersion: '1' }));
    expect(alias).toMatchObject({ AliasArn: `${ARN}:versioned:live`, Description: '', FunctionVersion: '1' });
    expect((await run('versioned:live')).ExecutedVersion).toBe('1');
    await lambda.send(
      new UpdateAliasCommand({ FunctionName: 'versioned', Name: 'live', FunctionVersion: '2', RoutingConfig: { AdditionalVersionWeights: { '1': 1 } } }),
    );
    expect((await run('versioned:live')).ExecutedVersion).toBe('1');
    expect(await lambda.send(new GetAliasCommand({ FunctionName: 'versioned', Name: 'live' }))).toMatchObject({
      RoutingConfig: { AdditionalVersionWeights: { '1': 1 } },
    });
    const { Versions } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'versioned' }));
    expect(Versions?.map(({ FunctionArn }) => FunctionArn)).toEqual([`${ARN}:versioned:$LATEST`, `${ARN}:versioned:1`, `${ARN}:versioned:2`]);
    expect((await lambda.send(new ListAliasesCommand({ FunctionName: 'versioned' }))).Aliases).toHaveLength(1);
    await expect(lambda.send(new DeleteFunctionCommand({ FunctionName: 'versioned', Qualifier: '1' }))).rejects.toMatchObject({
      name: 'ResourceConflictException',
    });
    await lambda.send(new DeleteAliasCommand({ FunctionName: 'versioned', Name: 'live' }));
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'versioned', Qualifier: '1' }));
    await expect(run('versioned', { Qualifier: '1' })).rejects.toThrow(`Function not found: ${ARN}:versioned:1`);
    await expect(run('versioned', { Qualifier: 'live' })).rejects.toThrow(`Function not found: ${ARN}:versioned:live`);
  });

  it('are refused as AWS refuses them', async () => {
    await create('refusing', { Publish: true });
    const alias = (more: object) => lambda.send(new CreateAliasCommand({ FunctionName: 'refusing', Name: 'a', FunctionVersion: '1', ...more }));
    await expect(alias({ FunctionVersion: '10' })).rejects.toThrow(`Function not found: ${ARN}:refusing:10`);
    await expect(alias({ RoutingConfig: { AdditionalVersionWeights: { '1': 0.5 } } })).rejects.toThrow(
      'Invalid function version 1. Function version 1 is already included in routing configuration.',
    );
    await expect(alias({ RoutingConfig: { AdditionalVersionWeights: { '1': 0.5, '2': 0.5 } } })).rejects.toThrow(
      'Number of items in AdditionalVersionWeights cannot be greater than 1',
    );
    await alias({});
    await expect(alias({})).rejects.toThrow(`Alias already exists: ${ARN}:refusing:a`);
    await expect(lambda.send(new GetAliasCommand({ FunctionName: 'refusing', Name: 'b' }))).rejects.toThrow(`Cannot find alias arn: ${ARN}:refusing:b`);
    await expect(lambda.send(new PublishVersionCommand({ FunctionName: 'refusing', CodeSha256: 'x' }))).rejects.toThrow(
      /^CodeSHA256 \(x\) is different from current CodeSHA256 in \$LATEST \(.+\)\. Please/,
    );
    await expect(lambda.send(new GetFunctionCommand({ FunctionName: 'refusing:1', Qualifier: '2' }))).rejects.toThrow(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
    await expect(lambda.send(new DeleteFunctionCommand({ FunctionName: 'refusing', Qualifier: '$LATEST' }))).rejects.toThrow(
      '$LATEST version cannot be deleted without deleting the function.',
    );
  });
});

it('keeps permissions as a resource policy', async () => {
  await create('shared');
  const add = (StatementId: string, Principal: string, more: object = {}) =>
    lambda.send(new AddPermissionCommand({ FunctionName: 'shared', StatementId, Action: 'lambda:InvokeFunction', Principal, ...more }));
  const { Statement } = await add('s3', 's3.amazonaws.com', { SourceArn: 'arn:aws:s3:::bucket', SourceAccount: '000000000000' });
  const first = {
    Sid: 's3',
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: `${ARN}:shared`,
    Condition: { StringEquals: { 'AWS:SourceAccount': '000000000000' }, ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' } },
  };
  expect(JSON.parse(Statement ?? '')).toEqual(first);
  await add('other', '111111111111');
  const { Policy } = await lambda.send(new GetPolicyCommand({ FunctionName: 'shared' }));
  expect(JSON.parse(Policy ?? '')).toEqual({
    Version: '2012-10-17',
    Id: 'default',
    Statement: [first, expect.objectContaining({ Principal: { AWS: 'arn:aws:iam::111111111111:root' } })],
  });
  await expect(add('s3', '*')).rejects.toMatchObject({
    name: 'ResourceConflictException',
    message: 'The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.',
  });
  await expect(add('bad', 'nobody')).rejects.toThrow('The provided principal was invalid. Please check the principal and try again.');
  await lambda.send(new RemovePermissionCommand({ FunctionName: 'shared', StatementId: 's3' }));
  await expect(lambda.send(new RemovePermissionCommand({ FunctionName: 'shared', StatementId: 's3' }))).rejects.toThrow(
    'Statement s3 is not found in resource policy.',
  );
  await lambda.send(new RemovePermissionCommand({ FunctionName: 'shared', StatementId: 'other' }));
  await expect(lambda.send(new GetPolicyCommand({ FunctionName: 'shared' }))).rejects.toThrow('The resource you requested does not exist.');
});

it('has no code signing to tell of', async () => {
  await create('unsigned');
  expect((await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: 'unsigned' }))).CodeSigningConfigArn).toBeUndefined();
  await expect(lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: 'nobody' }))).rejects.toThrow(`Function not found: ${ARN}:nobody`);
});

it('keeps tags', async () => {
  const { FunctionArn: Resource = '' } = await create('tagged', { Tags: { a: '1' } });
  await lambda.send(new TagResourceCommand({ Resource, Tags: { a: '2', b: '3' } }));
  await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['b', 'c'] }));
  expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ a: '2' });
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v']));
  await expect(lambda.send(new TagResourceCommand({ Resource, Tags: many }))).rejects.toThrow('Number of tags exceeds resource tag limit.');
  await expect(lambda.send(new TagResourceCommand({ Resource: `${Resource}:1`, Tags: { a: 'b' } }))).rejects.toThrow(
    'Tags on function aliases and versions are not supported. Please specify a function ARN.',
  );
});

it('runs no more at once than is reserved', async () => {
  const code = await zipFiles({ 'index.js': 'exports.handler = (ms) => new Promise((done) => setTimeout(done, ms));' });
  await create('reserved', { Code: { ZipFile: code } });
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'reserved', ReservedConcurrentExecutions: 1 }));
  expect(await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: 'reserved' }))).toMatchObject({ ReservedConcurrentExecutions: 1 });
  expect((await lambda.send(new GetAccountSettingsCommand({}))).AccountLimit).toMatchObject({
    ConcurrentExecutions: 1000,
    UnreservedConcurrentExecutions: 999,
  });
  const results = await Promise.allSettled([1, 2].map(() => lambda.send(new InvokeCommand({ FunctionName: 'reserved', Payload: Buffer.from('400') }))));
  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as Record<string, unknown>);
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({
    name: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    $metadata: { httpStatusCode: 429 },
  });
  await expect(lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'reserved', ReservedConcurrentExecutions: 901 }))).rejects.toThrow(
    /UnreservedConcurrentExecution below its minimum value of \[100\]\.$/,
  );
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'reserved' }));
  expect((await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: 'reserved' }))).ReservedConcurrentExecutions).toBeUndefined();
});

describe('a request that AWS refuses', () => {
  const base = { Runtime: 'python3.12', Role: ROLE, Handler: 'index.handler' } as const;
  it.each<[string, Partial<CreateFunctionCommandInput>, string, string]>([
    [
      'role',
      { Role: 'r1' },
      'ValidationException',
      "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
    ],
    [
      'runtime',
      { Runtime: 'cobol' as never },
      'InvalidParameterValueException',
      "Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, python3.14,",
    ],
    [
      'old runtime',
      { Runtime: 'python3.7' },
      'InvalidParameterValueException',
      'The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.',
    ],
    [
      'architecture',
      { Architectures: ['X86_64' as never] },
      'ValidationException',
      "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    ],
    [
      'timeout',
      { Timeout: 901 },
      'ValidationException',
      "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
    ],
    [
      'memory',
      { MemorySize: 10_241 },
      'InvalidParameterValueException',
      "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
    ],
    [
      'little memory',
      { MemorySize: 127 },
      'ValidationException',
      "1 validation error detected: Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
    ],
    [
      'zip',
      { Code: { ZipFile: Buffer.from('no zip') } },
      'InvalidParameterValueException',
      'Could not unzip uploaded file. Please check your file, then try to upload again.',
    ],
    ['no code', { Code: {} }, 'InvalidParameterValueException', 'Please provide a source for function code.'],
    [
      'name',
      { FunctionName: 'a'.repeat(65) },
      'InvalidParameterValueException',
      `1 validation error detected: Value '${'a'.repeat(65)}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [
      'region',
      { FunctionName: 'arn:aws:lambda:eu-west-1:000000000000:function:f' },
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    ],
    [
      'reserved variable',
      { Environment: { Variables: { AWS_REGION: 'x' } } },
      'InvalidParameterValueException',
      'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION',
    ],
    [
      'large variables',
      { Environment: { Variables: { LARGE: 'x'.repeat(4096) } } },
      'InvalidParameterValueException',
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"LARGE":"xxx',
    ],
    [
      'an image with a handler',
      { PackageType: 'Image', Code: { ImageUri: 'x' } },
      'InvalidParameterValueException',
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    ],
    [
      'tags',
      { Tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) },
      'InvalidParameterValueException',
      'Number of tags exceeds resource tag limit.',
    ],
  ])('%s', async (_what, input, name, message) => {
    const refused = lambda.send(new CreateFunctionCommand({ FunctionName: 'refused', ...base, Code: { ZipFile: zip }, ...input }));
    await expect(refused).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  it('a second function of a name', async () => {
    await create('twice');
    await expect(create('twice')).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: 'Function already exist: twice',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it('payloads that are no JSON, or too large', async () => {
    await create('payloads');
    const invoke = (Payload: Uint8Array, InvocationType: 'Event' | 'RequestResponse' = 'RequestResponse') =>
      lambda.send(new InvokeCommand({ FunctionName: 'payloads', Payload, InvocationType }));
    await expect(invoke(Buffer.from('{'))).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
      message: expect.stringContaining('Could not parse request body into json: '),
    });
    await expect(invoke(Buffer.alloc(6_291_457, '1'))).rejects.toMatchObject({ name: 'RequestEntityTooLargeException', $metadata: { httpStatusCode: 413 } });
    await expect(invoke(Buffer.alloc(1_048_577, '1'), 'Event')).rejects.toThrow(
      '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
    );
    expect((await lambda.send(new InvokeCommand({ FunctionName: 'payloads', InvocationType: 'DryRun' }))).StatusCode).toBe(204);
    expect((await lambda.send(new InvokeCommand({ FunctionName: 'payloads' }))).StatusCode).toBe(200);
  });
});

it('lists in pages', async () => {
  const names: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await lambda.send(new ListFunctionsCommand({ MaxItems: 3, ...(Marker ? { Marker } : {}) }));
    expect(page.Functions?.length).toBeLessThanOrEqual(3);
    names.push(...(page.Functions ?? []).map(({ FunctionName }) => FunctionName));
    Marker = page.NextMarker;
  } while (Marker);
  expect(names).toEqual([...names].sort());
  expect(names).toContain('twice');
  await expect(lambda.send(new ListFunctionsCommand({ Marker: 'bm90IG91cnM=' }))).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
});
