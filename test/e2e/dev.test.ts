import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cleanEnvironment, ROOT } from '../process.ts';

/** A busy machine takes its time. */
const PATIENT = { timeout: 30_000, interval: 50 };
const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: { Timeout: 20, Environment: { Variables: { STAGE: one } } }
Resources:
  Typed:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: typed, CodeUri: typed/, Handler: src/app.handler, Runtime: nodejs24.x }
  Script:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: script, CodeUri: script/, Handler: app.handler, Runtime: nodejs24.x }
  Snake:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: snake, CodeUri: snake/, Handler: app.handler, Runtime: python3.12 }
`;
const APP = `import { greet } from '../lib/greet';

interface Event {
  readonly name: string;
  readonly fail?: boolean;
}

export const handler = async (event: Event): Promise<string> => {
  if (event.fail) {
    throw new Error('typed failure');
  }
  return greet(event.name);
};
`;

let folder: string;
let child: ChildProcess;
let lambda: LambdaClient;
let said = '';
const write = async (name: string, text: string) => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
};
const call = async (FunctionName: string, event: object = { name: 'you' }) => {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return { payload: JSON.parse(Payload?.transformToString() ?? 'null'), failed: FunctionError !== undefined };
};
const answers = (FunctionName: string) => expect.poll(async () => (await call(FunctionName)).payload, PATIENT);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'croft-dev-'));
  await write('template.yaml', TEMPLATE);
  await write('typed/src/app.ts', APP);
  await write('typed/lib/greet.ts', "export const greet = (name: string): string => 'hello ' + name;\n");
  await write('script/app.js', "exports.handler = async () => 'script ' + process.env.STAGE;\n");
  await write('snake/app.py', "def handler(event, context):\n    return 'snake 1'\n");
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'dev', '--endpoint', endpoint, '--stack-name', 'devapp'], {
    cwd: folder,
    env: { ...cleanEnvironment(), CROFT_DRAIN_MS: '1000' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  lambda = new LambdaClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 });
  await vi.waitFor(() => expect(said).toContain('Watching.'), { timeout: 55_000, interval: 50 });
});
afterAll(async () => {
  // It ends the Croft that it started.
  if (child.exitCode === null && child.kill('SIGTERM')) await new Promise((resolve) => child.once('exit', resolve));
  await rm(folder, { recursive: true, force: true });
});

it('runs what is saved: TypeScript with its imports, JavaScript and Python', async () => {
  expect((await call('typed')).payload).toBe('hello you');
  await write('typed/lib/greet.ts', "export const greet = (name: string): string => 'goodbye ' + name;\n");
  await answers('typed').toBe('goodbye you');
  expect((await call('script')).payload).toBe('script one');
  await write('script/app.js', "exports.handler = async () => 'edited';\n");
  // These two run as they lie on disk: the very next call has to be the new code's.
  expect((await call('script')).payload).toBe('edited');
  expect((await call('snake')).payload).toBe('snake 1');
  await write('snake/app.py', "def handler(event, context):\n    return 'snake 2'\n");
  expect((await call('snake')).payload).toBe('snake 2');
});

it('points errors at the TypeScript line', async () => {
  const { payload, failed } = await call('typed', { name: 'you', fail: true });
  expect(failed).toBe(true);
  expect(payload.errorMessage).toBe('typed failure');
  expect(payload.trace.join('\n')).toContain(`${join(folder, 'typed/src/app.ts')}:10:11`);
});

it('fails the function while its source cannot be bundled, and says where', async () => {
  await write('typed/lib/greet.ts', 'export const greet = (name: string): string => (;\n');
  await answers('typed').toMatchObject({ errorMessage: expect.stringContaining('lib/greet.ts:1:') });
  expect(said).toContain('lib/greet.ts:1:');
  await write('typed/lib/greet.ts', "export const greet = (name: string): string => 'mended ' + name;\n");
  await answers('typed').toBe('mended you');
});

it('deploys when the template changes', async () => {
  await write('script/app.js', "exports.handler = async () => 'script ' + process.env.STAGE;\n");
  await write('template.yaml', TEMPLATE.replace('STAGE: one', 'STAGE: two'));
  await answers('script').toBe('script two');
});

it('ends the Croft that it started', async () => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect(call('script')).rejects.toThrow();
  expect(existsSync(join(folder, '.croft'))).toBe(true);
});
