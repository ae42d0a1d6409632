import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandOf, extensionsOf, placed } from './command.ts';
import type { Launch, ResolvedRuntime } from './types.ts';

const AWS = { code: '/var/task', opt: '/opt', runtimes: '/var/runtime' };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'croft-command-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const launchOf = (family: ResolvedRuntime['family'], name: string, version: string, more: Partial<Launch> = {}): Launch => ({
  runtime: { name, family, executable: `/bin/${family}`, version, exact: true },
  codeDirectory: folder,
  variables: { _HANDLER: 'a.b' },
  memoryMb: 512,
  ...more,
});

describe('what is started', () => {
  it('has the variables of AWS’s runtimes where the driver has its places', () => {
    expect(commandOf(launchOf('nodejs', 'nodejs22.x', '22.1.0'), AWS).variables).toMatchObject({
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      NODE_PATH: '/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task',
    });
    expect(commandOf(launchOf('python', 'python3.13', '3.13.0'), AWS).variables).toMatchObject({
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      PYTHONPATH: '/var/runtime',
    });
    expect(commandOf(launchOf('ruby', 'ruby3.4', '3.4.1'), AWS).variables).toMatchObject({
      GEM_HOME: '/var/runtime',
      GEM_PATH: '/var/task/vendor/bundle/ruby/3.4.0:/opt/ruby/gems/3.4.0:/var/runtime:/var/runtime/ruby/3.4.0',
    });
  });

  it('gives old Pythons an SDK that they can load', () => {
    expect(commandOf(launchOf('python', 'python3.9', '3.9.18'), AWS).args).toContain('/var/runtime/python/vendor-old');
    expect(commandOf(launchOf('python', 'python3.10', '3.10.1'), AWS).args).toContain('/var/runtime/python/vendor');
  });

  it('is AWS’s client with a heap of the memory size, for Java', () => {
    const { args, frames } = commandOf(launchOf('java', 'java17', '17.0.1'), AWS);
    expect(args).toEqual(expect.arrayContaining(['-XX:MaxHeapSize=403m', '--add-opens=java.base/java.io=ALL-UNNAMED']));
    expect([args.at(-2), args.at(-1), frames]).toEqual(['com.amazonaws.services.lambda.runtime.api.client.AWSLambda', 'a.b', true]);
    expect(commandOf(launchOf('java', 'java8.al2', '8.0_392'), AWS).args.join(' ')).not.toContain('--add-opens');
  });

  it('is a program, for .NET', () => {
    const program = launchOf('dotnet', 'dotnet8', '8.0.1', { variables: { _HANDLER: 'Mine' } });
    expect(commandOf(program, AWS).args).toEqual(['exec', '/var/task/Mine.dll']);
    expect(() => commandOf(launchOf('dotnet', 'dotnet8', '8.0.1', { variables: { _HANDLER: 'A::B::C' } }), AWS)).toThrow(/class library/);
  });

  it('is the wrapper before it, which must not be one for custom runtimes', async () => {
    const variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' };
    const wrapped = commandOf(launchOf('nodejs', 'nodejs22.x', '22.1.0', { variables }), { ...AWS, opt: '/layers' });
    expect([wrapped.file, ...wrapped.args.slice(0, 4)]).toEqual(['/bin/sh', '-c', 'exec "$0" "$@"', '/layers/wrapper', '/bin/nodejs']);
    await writeFile(join(folder, 'bootstrap'), '#!/usr/bin/env node\n');
    expect(commandOf(launchOf('provided', 'provided.al2023', '', { variables }), AWS)).toMatchObject({ file: '/var/task/bootstrap', args: [] });
  });

  it('is Bash for scripts of /bin/sh that can be executed', async () => {
    const file = join(folder, 'bootstrap');
    await writeFile(file, '#!/bin/sh\nset -o pipefail\n');
    expect(commandOf(launchOf('provided', 'provided.al2', ''), AWS).file).toBe('/var/task/bootstrap');
    await chmod(file, 0o755);
    expect(commandOf(launchOf('provided', 'provided.al2', ''), AWS)).toMatchObject({ file: '/bin/bash', args: ['--posix', '/var/task/bootstrap'] });
  });
});

it('finds the extensions of layers, unless a layer turns them off', async () => {
  const opt = join(folder, 'opt');
  await mkdir(join(opt, 'extensions', 'folder'), { recursive: true });
  await Promise.all(['b', 'a'].map((name) => writeFile(join(opt, 'extensions', name), '')));
  const launch = launchOf('python', 'python3.13', '3.13.0', { optDirectory: opt });
  expect(extensionsOf(launch)).toEqual(['a', 'b']);
  await writeFile(join(opt, 'disable-extensions-jwigqn8j'), '');
  expect(extensionsOf(launch)).toEqual([]);
  expect(extensionsOf(launchOf('python', 'python3.13', '3.13.0'))).toEqual([]);
});

it.each([
  ['/opt/a', '/layers/a'],
  ['/var/task', '/code'],
  ['/var/taskx', '/var/taskx'],
  ['/opt', '/layers'],
])('puts %s at %s', (path, at) => {
  expect(placed(path, { code: '/code', opt: '/layers' })).toBe(at);
});
