import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateRepositoryCommand, DeleteRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { type Headers, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invoke, ROLE } from '../../../test/e2e/functions.ts';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let croft: TestCroft;
let lambda: LambdaClient;
let ecr: ECRClient;
let folder: string;
/** The image, and the same with another command. */
let uri: string;
let otherUri: string;
let isolated: boolean;
/** Why images cannot be run here. */
let unable: string | undefined;

async function layerOf(entries: readonly (readonly [Headers, (string | Buffer)?])[]): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content ?? '');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

function send(
  method: string,
  path: string,
  body: Uint8Array | string = '',
  headers: Record<string, string> = {},
): Promise<{ status: number; location: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: croft.port, method, path, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '' }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Pushes an image by the registry protocol; its URI. */
async function push(name: string, tag: string, layers: readonly Buffer[], config: Record<string, unknown>): Promise<string> {
  const configText = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config }));
  for (const blob of [configText, ...layers]) {
    const { location } = await send('POST', `/v2/${name}/blobs/uploads/`);
    expect((await send('PUT', `${location}?digest=${digestOf(blob)}`, blob)).status).toBe(201);
  }
  const described = (mediaType: string, blob: Buffer) => ({ mediaType, size: blob.length, digest: digestOf(blob) });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: DOCKER,
    config: described('application/vnd.docker.container.image.v1+json', configText),
    layers: layers.map((layer) => described('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)),
  });
  expect((await send('PUT', `/v2/${name}/manifests/${tag}`, manifest, { 'content-type': DOCKER })).status).toBe(201);
  return `000000000000.dkr.ecr.us-east-1.amazonaws.com/${name}:${tag}`;
}

async function create(name: string, more: Partial<CreateFunctionCommandInput> = {}): Promise<void> {
  await lambda.send(new CreateFunctionCommand({ FunctionName: name, Role: ROLE, PackageType: 'Image', Code: { ImageUri: uri }, ...more }));
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { FunctionName: name });
}

beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  ecr = new ECRClient(croft.sdk);
  folder = mkdtempSync(join(tmpdir(), 'croft-image-'));
  const program = join(folder, 'bootstrap');
  try {
    execFileSync('cc', ['-O1', '-static', '-o', program, join(import.meta.dirname, '../../../test/image/bootstrap.c')], { stdio: 'pipe' });
  } catch (error) {
    unable = `no static program can be built on this machine: ${String(error)}`;
    writeFileSync(program, '');
  }
  const health = (await (await fetch(`${croft.endpoint}/_croft/health`)).json()) as { isolation: string };
  isolated = health.isolation !== 'none';
  if (!isolated) unable ??= 'functions run as plain processes on this machine';
  await ecr.send(new CreateRepositoryCommand({ repositoryName: 'app' }));
  const layers = [
    await layerOf([
      [{ name: 'srv/bin/main', type: 'file', mode: 0o755 }, readFileSync(program)],
      [{ name: 'var/task', type: 'directory' }],
      [{ name: 'gone', type: 'file' }, 'gone'],
    ]),
    await layerOf([[{ name: '.wh.gone', type: 'file' }], [{ name: 'bin', type: 'symlink', linkname: 'srv/bin' }]]),
  ];
  const config = { Entrypoint: ['main', 'entry'], Cmd: ['app.handler'], Env: ['PATH=/srv/bin', 'FROM_IMAGE=yes', 'FROM_FUNCTION=no'], WorkingDir: '/var/task' };
  uri = await push('app', 'latest', layers, config);
  otherUri = await push('app', 'other', layers, { ...config, Cmd: ['other.handler'] });
});
afterAll(async () => {
  lambda.destroy();
  ecr.destroy();
  await croft.stop();
  rmSync(folder, { recursive: true, force: true });
});

const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error('expected a failure');
    },
    (error) => error as Error,
  );

describe('a function that is a container image', () => {
  test('is described as AWS does: no runtime, no handler, the digest of its manifest', async () => {
    await create('described', { ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' } });
    const { Configuration, Code } = await lambda.send(new GetFunctionCommand({ FunctionName: 'described' }));
    expect(Configuration).toMatchObject({
      PackageType: 'Image',
      State: 'Active',
      LastUpdateStatus: 'Successful',
      ImageConfigResponse: { ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' } },
    });
    for (const absent of ['Runtime', 'Handler', 'Layers', 'RuntimeVersionConfig']) expect(Configuration).not.toHaveProperty(absent);
    expect(Configuration?.CodeSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Code).toEqual({
      RepositoryType: 'ECR',
      ImageUri: uri,
      ResolvedImageUri: `000000000000.dkr.ecr.us-east-1.amazonaws.com/app@sha256:${Configuration?.CodeSha256}`,
    });
    const { Version, CodeSha256 } = await lambda.send(new PublishVersionCommand({ FunctionName: 'described' }));
    expect([Version, CodeSha256]).toEqual(['1', Configuration?.CodeSha256]);
  });

  test('runs the image’s program in the image’s files, as the image says', async ({ skip }) => {
    if (unable !== undefined) skip(unable);
    await create('runs', { Environment: { Variables: { FROM_FUNCTION: 'yes' } } });
    const { payload, functionError, log } = await invoke(lambda, 'runs', { n: 1 });
    expect(functionError, log).toBeUndefined();
    expect(payload).toEqual({
      arguments: ['entry', 'app.handler'],
      directory: '/var/task',
      fromImage: 'yes',
      fromFunction: 'yes',
      execution: '',
      written: true,
      rootIsClosed: true,
      machine: false,
      event: { n: 1 },
    });
    expect(log).toContain('answered ');
    expect((await invoke(lambda, 'runs', null)).payload.event).toBeNull();
  });

  test('takes entry point, command and directory of the function instead', async ({ skip }) => {
    if (unable !== undefined) skip(unable);
    await create('overridden', { ImageConfig: { EntryPoint: ['/bin/main'], Command: ['a', 'b'], WorkingDirectory: '/srv' } });
    expect((await invoke(lambda, 'overridden', {})).payload).toMatchObject({ arguments: ['a', 'b'], directory: '/srv' });
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'overridden', ImageConfig: {} }));
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { FunctionName: 'overridden' });
    expect((await invoke(lambda, 'overridden', {})).payload).toMatchObject({ arguments: ['entry', 'app.handler'], directory: '/var/task' });
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'overridden', ImageUri: otherUri }));
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { FunctionName: 'overridden' });
    expect((await invoke(lambda, 'overridden', {})).payload).toMatchObject({ arguments: ['entry', 'other.handler'] });
  });

  test('fails as AWS says where its program is not there, and as plain processes', async () => {
    await create('programless', { ImageConfig: { EntryPoint: ['nothing'] } });
    const { payload, functionError } = await invoke(lambda, 'programless', {});
    expect(functionError).toBe('Unhandled');
    expect(payload).toMatchObject({ errorType: 'Runtime.InvalidEntrypoint' });
    expect(payload.errorMessage).toContain(isolated ? 'exec: "nothing": no such file or directory' : 'linux-sandbox');
  });

  test('is refused with AWS’s words', async () => {
    const creating = (input: Partial<CreateFunctionCommandInput>) =>
      failure(lambda.send(new CreateFunctionCommand({ FunctionName: 'refused', Role: ROLE, PackageType: 'Image', Code: { ImageUri: uri }, ...input })));
    expect(await creating({ Handler: 'a.b' })).toMatchObject({
      name: 'InvalidParameterValueException',
      message: "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    });
    const elsewhere = '000000000000.dkr.ecr.eu-west-1.amazonaws.com/app:latest';
    expect((await creating({ Code: { ImageUri: elsewhere } })).message).toBe(`Source image ${elsewhere} is not valid. Provide a valid source image.`);
    const absent = '000000000000.dkr.ecr.us-east-1.amazonaws.com/app:none';
    expect((await creating({ Code: { ImageUri: absent } })).message).toBe(`Source image ${absent} does not exist. Provide a valid source image.`);
    await create('kept');
    const { message } = await failure(lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'kept', ZipFile: Buffer.from('zip') })));
    expect(message).toBe('Please provide ImageUri when updating a function with packageType Image.');
  });

  test('does not need the repository any more', async ({ skip }) => {
    if (unable !== undefined) skip(unable);
    await create('owned');
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: 'app', force: true }));
    expect((await invoke(lambda, 'owned', { n: 2 })).payload.event).toEqual({ n: 2 });
  });
});
