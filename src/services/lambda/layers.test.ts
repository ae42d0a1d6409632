import {
  AddLayerVersionPermissionCommand,
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  type PublishLayerVersionCommandInput,
  RemoveLayerVersionPermissionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let other: LambdaClient;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
  other = new LambdaClient({ ...croft.sdk, credentials: { accessKeyId: '111111111111', secretAccessKey: 'x' } });
});
afterAll(() => croft.stop());

const ARN = 'arn:aws:lambda:us-east-1:000000000000:layer';
const publish = async (LayerName: string, value: number, more: Partial<PublishLayerVersionCommandInput> = {}) =>
  lambda.send(
    new PublishLayerVersionCommand({
      LayerName,
      Content: { ZipFile: await zipFiles({ 'nodejs/node_modules/shared/index.js': `module.exports = ${value}` }) },
      ...more,
    }),
  );

async function create(FunctionName: string, Layers: string[]) {
  const ZipFile = await zipFiles({ 'index.js': 'exports.handler = async () => require("shared")' });
  return lambda.send(new CreateFunctionCommand({ FunctionName, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code: { ZipFile }, Layers }));
}
const run = async (FunctionName: string) => Buffer.from((await lambda.send(new InvokeCommand({ FunctionName }))).Payload ?? []).toString();

it('keeps versions of layers: shown, listed newest first and in pages, deleted, never numbered twice', async () => {
  const first = await publish('kept', 1, { Description: 'd', CompatibleRuntimes: ['nodejs24.x'], CompatibleArchitectures: ['arm64'], LicenseInfo: 'MIT' });
  expect(first).toMatchObject({ LayerArn: `${ARN}:kept`, LayerVersionArn: `${ARN}:kept:1`, Version: 1, Description: 'd', LicenseInfo: 'MIT' });
  expect(first).toMatchObject({ CompatibleRuntimes: ['nodejs24.x'], CompatibleArchitectures: ['arm64'] });
  expect((await fetch(first.Content?.Location ?? '')).status).toBe(200);
  await publish('kept', 2);
  const { $metadata: _1, Content: content, ...said } = first;
  const found = await lambda.send(new GetLayerVersionByArnCommand({ Arn: `${ARN}:kept:1` }));
  expect(found).toMatchObject({ ...said, Content: { CodeSha256: content?.CodeSha256 } });
  const one = await lambda.send(new ListLayerVersionsCommand({ LayerName: 'kept', MaxItems: 1 }));
  const two = await lambda.send(new ListLayerVersionsCommand({ LayerName: 'kept', MaxItems: 1, Marker: one.NextMarker }));
  expect([one, two].map((page) => page.LayerVersions?.map(({ Version }) => Version))).toEqual([[2], [1]]);
  expect(two.NextMarker).toBeUndefined();
  const layers = await lambda.send(new ListLayersCommand({ CompatibleRuntime: 'nodejs24.x' }));
  expect(layers.Layers).toMatchObject([{ LayerName: 'kept', LatestMatchingVersion: { Version: 1 } }]);
  for (const VersionNumber of [1, 2, 2]) await lambda.send(new DeleteLayerVersionCommand({ LayerName: 'kept', VersionNumber }));
  expect((await lambda.send(new ListLayersCommand({}))).Layers).toEqual([]);
  await expect(lambda.send(new GetLayerVersionCommand({ LayerName: 'kept', VersionNumber: 1 }))).rejects.toThrow('The resource you requested does not exist.');
  expect((await publish('kept', 3)).Version).toBe(3);
});

it('gives functions their layers, also those deleted since', async () => {
  for (const value of [1, 2]) await publish('used', value);
  await create('layered', [`${ARN}:used:1`]);
  expect(await run('layered')).toBe('1');
  await lambda.send(new DeleteLayerVersionCommand({ LayerName: 'used', VersionNumber: 1 }));
  const change = (Layers: string[]) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'layered', Layers }));
  await change([`${ARN}:used:1`]);
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 }, { FunctionName: 'layered' });
  expect(await run('layered')).toBe('1');
  await change([`${ARN}:used:2`]);
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 }, { FunctionName: 'layered' });
  expect(await run('layered')).toBe('2');
  expect((await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'layered' }))).Layers).toMatchObject([{ Arn: `${ARN}:used:2` }]);
  await expect(change([`${ARN}:used:1`])).rejects.toThrow(`Layer version ${ARN}:used:1 does not exist.`);
});

it.each([
  ['unknown', [`${ARN}:none:1`], `Layer version ${ARN}:none:1 does not exist.`],
  ['twice', [`${ARN}:a:1`, `${ARN}:a:2`], 'Two different versions of the same layer'],
  ['six', [1, 2, 3, 4, 5, 6].map((n) => `${ARN}:l${n}:1`), 'Cannot reference more than 5 layers.'],
  ['elsewhere', [`${ARN.replace('us-east-1', 'eu-west-1')}:a:1`], 'Layers are expected to be in region us-east-1.'],
])('refuses layers: %s', async (name, layers, message) => {
  await expect(create(name, layers)).rejects.toMatchObject({ name: 'InvalidParameterValueException', message: expect.stringContaining(message) });
});

it('says all that is wrong with a new layer version', async () => {
  const wrong = publish('wrong', 1, { CompatibleRuntimes: ['cobol' as 'nodejs24.x'], CompatibleArchitectures: ['vax' as 'arm64'] });
  await expect(wrong).rejects.toThrow(
    /^2 validation errors detected: Value '\[cobol\]' at 'compatibleRuntimes'.*; Value '\[vax\]' at 'compatibleArchitectures'/,
  );
});

it('lets other accounts read a layer version that its policy names', async () => {
  await publish('shared', 1);
  const read = () => other.send(new GetLayerVersionCommand({ LayerName: `${ARN}:shared`, VersionNumber: 1 }));
  await expect(read()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  const key = { LayerName: 'shared', VersionNumber: 1 };
  const statement = { ...key, Action: 'lambda:GetLayerVersion', Principal: '111111111111', StatementId: 's' };
  const { RevisionId } = await lambda.send(new AddLayerVersionPermissionCommand(statement));
  expect((await read()).Version).toBe(1);
  await expect(lambda.send(new AddLayerVersionPermissionCommand(statement))).rejects.toMatchObject({ name: 'ResourceConflictException' });
  expect(JSON.parse((await lambda.send(new GetLayerVersionPolicyCommand(key))).Policy ?? '')).toMatchObject({ Statement: [{ Sid: 's' }] });
  await expect(lambda.send(new RemoveLayerVersionPermissionCommand({ ...key, StatementId: 's', RevisionId: 'x' }))).rejects.toMatchObject({
    name: 'PreconditionFailedException',
  });
  await lambda.send(new RemoveLayerVersionPermissionCommand({ ...key, StatementId: 's', RevisionId }));
  await expect(read()).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
