import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, GetFunctionConfigurationCommand, InvokeCommand, LambdaClient, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let folder: string;
beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  folder = await mkdtemp(join(tmpdir(), 'croft-hot-'));
});
afterAll(async () => {
  await croft.stop();
  await rm(folder, { recursive: true, force: true });
});

const make = (FunctionName: string, Runtime: 'nodejs24.x' | 'python3.12', S3Key: string) =>
  lambda.send(new CreateFunctionCommand({ FunctionName, Runtime, Role: ROLE, Handler: 'app.handler', Code: { S3Bucket: 'hot-reload', S3Key } }));
const call = async (FunctionName: string): Promise<unknown> => {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  return JSON.parse(Payload?.transformToString() ?? 'null');
};

it('runs the directory as it is at each call: JavaScript, with what it imports', async () => {
  const code = join(folder, 'js');
  await mkdir(join(code, 'lib'), { recursive: true });
  await writeFile(join(code, 'app.js'), "const { name } = require('./lib/name.js'); exports.handler = async () => 'one ' + name;");
  await writeFile(join(code, 'lib/name.js'), "exports.name = 'first';");
  const made = await make('js', 'nodejs24.x', code);
  expect(made).toMatchObject({ CodeSha256: 'hot-reloading-hash-not-available', CodeSize: 0 });
  expect(await call('js')).toBe('one first');
  await writeFile(join(code, 'lib/name.js'), "exports.name = 'second';");
  expect(await call('js')).toBe('one second');
  // As editors save: beside it, then in its place.
  await writeFile(join(code, 'app.js~'), "const { name } = require('./lib/name.js'); exports.handler = async () => 'two ' + name;");
  await rename(join(code, 'app.js~'), join(code, 'app.js'));
  expect(await call('js')).toBe('two second');
  expect((await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'js' }))).State).toBe('Active');
});

it('does so for Python, in the same second and the same size too', async () => {
  const code = join(folder, 'py');
  await mkdir(code);
  const write = (n: number) => writeFile(join(code, 'app.py'), `import part\ndef handler(event, context):\n    return [${n}, part.N]\n`);
  const part = (n: number) => writeFile(join(code, 'part.py'), `N = ${n}\n`);
  await Promise.all([write(1), part(1)]);
  await make('py', 'python3.12', code);
  for (const n of [1, 2, 3]) {
    await write(n);
    expect(await call('py')).toEqual([n, n === 1 ? 1 : n - 1]);
    await part(n);
    expect(await call('py')).toEqual([n, n]);
  }
});

it('keeps an environment while nothing changes', async () => {
  const code = join(folder, 'count');
  await mkdir(code);
  await writeFile(join(code, 'app.js'), 'let n = 0; exports.handler = async () => ++n;');
  await make('count', 'nodejs24.x', code);
  expect([await call('count'), await call('count'), await call('count')]).toEqual([1, 2, 3]);
});

it('goes from a package to a directory and back', async () => {
  const code = join(folder, 'count');
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'both',
      Runtime: 'nodejs24.x',
      Role: ROLE,
      Handler: 'app.handler',
      Code: { ZipFile: await zipFiles({ 'app.js': "exports.handler = async () => 'zip';" }) },
    }),
  );
  expect(await call('both')).toBe('zip');
  const settled = () =>
    expect.poll(async () => (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'both' }))).LastUpdateStatus).toBe('Successful');
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'both', S3Bucket: 'hot-reload', S3Key: code }));
  await settled();
  expect(await call('both')).toBe(1);
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'both', ZipFile: await zipFiles({ 'app.js': "exports.handler = async () => 'again';" }) }));
  await settled();
  expect(await call('both')).toBe('again');
});

it('refuses what is no directory, and everything where callers are checked', async () => {
  await expect(make('none', 'nodejs24.x', 'relative/path')).rejects.toThrow('must be the absolute path of a directory');
  await expect(make('none', 'nodejs24.x', join(folder, 'nowhere'))).rejects.toThrow('There is no directory');
  const checked = await startCroft({ auth: 'verify', rootAccessKeyId: 'AKIAROOT', rootSecretAccessKey: 'root-secret' });
  const sdk = { ...checked.sdk, credentials: { accessKeyId: 'AKIAROOT', secretAccessKey: 'root-secret' } };
  const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
  await new IAMClient(sdk).send(new CreateRoleCommand({ RoleName: 'functions', AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const root = new LambdaClient(sdk);
  const asked = { FunctionName: 'none', Runtime: 'nodejs24.x', Role: ROLE, Handler: 'app.handler', Code: { S3Bucket: 'hot-reload', S3Key: folder } } as const;
  await expect(root.send(new CreateFunctionCommand(asked))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await checked.stop();
});
