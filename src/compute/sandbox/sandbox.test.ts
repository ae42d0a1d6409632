import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { reasonToSkip, startSandboxed } from '../../../test/security/host.ts';
import { leftovers } from '../../../test/security/leftovers.ts';
import type { Command } from '../command.ts';
import { call, testFunction } from '../testing.ts';
import type { ResolvedRuntime } from '../types.ts';
import { missing } from './choose.ts';
import { namedPorts } from './host-ports.ts';
import { launchMessage, waitingCommand } from './parking.ts';
import { exitOf } from './process.ts';

const reason = await reasonToSkip();
if (reason !== undefined) console.warn(`the sandbox tests are skipped: ${reason}`);

it.each([
  [{ URL: 'http://127.0.0.1:8000/data' }, [8000]],
  [{ DATABASE_URL: 'postgres://me:secret@localhost:5432/app', CACHE: 'redis://localhost:6379' }, [5432, 6379]],
  [{ HOSTS: '127.0.0.1:1,localhost:2;localhost:2', PLAIN: 'localhost:3' }, [1, 2, 3]],
  [{ OTHER: 'http://notlocalhost:80 http://example.com:443', WRONG: 'localhost:0 localhost:65536 localhost:123456', PORT: '8080' }, []],
])('finds the ports that %j names', (variables, ports) => expect(namedPorts(variables)).toEqual(ports));

it.each([
  [0, { code: 0, signal: null }],
  [3 << 8, { code: 3, signal: null }],
  [9, { code: null, signal: 'SIGKILL' }],
  [0x80 | 11, { code: null, signal: 'SIGSEGV' }],
])('reads the status %i', (status, exit) => expect(exitOf(status)).toEqual(exit));

it('says what a machine lacks', () => {
  const all = { user: 'own', cgroup: 1, memory: true, pids: true, cpu: true, freeze: true, note: '' } as const;
  expect(missing(all)).toEqual([]);
  expect(missing({ ...all, memory: false, note: 'no cgroup' })).toEqual(['memory sizes are not enforced (no cgroup)']);
});

describe('a runtime that waits', () => {
  const runtime: ResolvedRuntime = { name: 'python3.12', family: 'python', executable: '/usr/bin/python3', version: '3.12.1', exact: true };
  const command = (variables: Record<string, string> = {}): Command => ({
    file: '/usr/bin/python3',
    args: ['-S', '-u', '/var/runtime/python/bootstrap.py', '-1', '/var/runtime/python/vendor', ''],
    variables: { LANG: 'en_US.UTF-8', AWS_EXECUTION_ENV: 'AWS_Lambda_python3.12', AWS_SECRET_ACCESS_KEY: 'secret', MINE: '1', ...variables },
    directory: '/var/task',
    lifeline: true,
    frames: false,
  });
  const waiting = waitingCommand(runtime, command());

  it('knows nothing of the function that it was modelled on', () => {
    expect(waiting?.variables).toEqual({ LANG: 'en_US.UTF-8', AWS_EXECUTION_ENV: 'AWS_Lambda_python3.12' });
    expect(waiting?.args).toEqual(['-S', '-u', '/var/runtime/python/bootstrap.py', '--pool']);
  });

  it('becomes a function by a message, or not where it would have read something when it started', () => {
    if (!waiting) throw new Error('Python can wait');
    const become = (variables: Record<string, string>) => launchMessage(runtime, waiting, command(variables));
    expect(JSON.parse(String(become({ PYTHONPATH: '/opt/x' })))).toMatchObject({ args: ['-1', '/var/runtime/python/vendor', ''], directory: '/var/task' });
    for (const name of ['PYTHONHASHSEED', 'LD_PRELOAD', 'LC_ALL', 'MALLOC_ARENA_MAX']) expect(become({ [name]: '0' })).toBeUndefined();
    expect(become({ LANG: 'C' })).toBeUndefined();
    expect(launchMessage(runtime, waiting, { ...command(), file: '/bin/sh', args: ['-c', 'exec "$0" "$@"', '/opt/wrapper'] })).toBeUndefined();
  });
});

describe.skipIf(reason !== undefined)('a sandbox', () => {
  it('opens the ports that a function’s variables name, where somebody listens, and no others', async () => {
    const server = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const plane = await startSandboxed({ namedHostPorts: true });
    try {
      const files = { 'index.mjs': 'export const handler = async (url) => (await fetch(url)).text().catch(String);' };
      const make = (functionName: string, variables: Record<string, string>) => testFunction(files, { runtime: 'nodejs24.x', functionName, variables });
      expect((await call(plane, await make('named', { URL: url }), url)).json).toBe('hello');
      expect((await call(plane, await make('unnamed', {}), url)).functionError).toBe('Unhandled');
    } finally {
      server.closeAllConnections();
      server.close();
      await plane.stop();
    }
  });

  it('gives no CPU to an idle environment', async ({ skip }) => {
    const plane = await startSandboxed();
    try {
      if (!(await plane.driver.probe()).freeze) skip('this machine freezes no cgroups');
      const source = 'let ticks = 0; setInterval(() => ticks++, 5); exports.handler = async () => ticks;';
      const fn = await testFunction({ 'index.js': source }, { runtime: 'nodejs24.x', functionName: 'ticking' });
      const before = Number((await call(plane, fn)).json);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      // Frozen after 75 ms of the 1500; awake, it would have ticked some 300 times.
      expect(Number((await call(plane, fn)).json) - before).toBeLessThan(100);
    } finally {
      await plane.stop();
    }
  });

  it('gives no more CPU than the memory size buys, once init is over', async ({ skip }) => {
    const plane = await startSandboxed({ limitCpu: true });
    try {
      if (!(await plane.driver.probe()).cpu) skip('this machine limits no CPU');
      const burn = 'const burn = (ms) => { const until = process.cpuUsage().user + ms * 1000; while (process.cpuUsage().user < until); };';
      const source = `${burn} const began = Date.now(); burn(50); const init = Date.now() - began; exports.handler = async () => { const began = Date.now(); burn(100); return Date.now() - began; };`;
      const fn = await testFunction({ 'index.js': source }, { runtime: 'nodejs24.x', functionName: 'burning', timeoutMs: 30_000 });
      // 128 MB are 7.2 % of a processor: 100 ms take 1.4 s.
      expect(Number((await call(plane, fn)).json)).toBeGreaterThan(1000);
    } finally {
      await plane.stop();
    }
  });

  it('does without waiting runtimes that end, and without a helper that ends', async () => {
    const plane = await startSandboxed();
    try {
      const files = { 'index.py': 'import os\ndef handler(event, context):\n    return context.log_stream_name' };
      const fn = await testFunction(files, { runtime: 'python3.11', functionName: 'first' });
      await call(plane, fn);
      await expect.poll(() => plane.driver.waiting()).toBe(2);
      const helpers = leftovers(`croft-${process.pid}-`).processes.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'croft-sandboxd\n');
      expect(helpers).toHaveLength(1);
      process.kill(Number(helpers[0]), 'SIGKILL');
      await expect.poll(() => plane.driver.waiting()).toBe(0);
      const after = await testFunction(files, { runtime: 'python3.11', functionName: 'after' });
      expect((await call(plane, after)).functionError).toBeUndefined();
    } finally {
      await plane.stop();
    }
  });

  it.each([
    ['nodejs24.x', { 'index.js': "exports.handler = async () => console.log('said');" }],
    ['python3.11', { 'index.py': 'import logging\ndef handler(event, context):\n    logging.getLogger().warning("said")\n' }],
  ])('logs JSON for a function that asks for it, though the %s that waited knew nothing of it', async (runtime, files) => {
    const plane = await startSandboxed();
    try {
      await call(plane, await testFunction(files, { runtime, functionName: 'first' }));
      await expect.poll(() => plane.driver.waiting()).toBe(2);
      const platformVariables = () => ({ AWS_LAMBDA_LOG_FORMAT: 'JSON' });
      const fn = await testFunction(files, { runtime, functionName: 'json', platformVariables, logging: { format: 'JSON' } });
      await call(plane, fn);
      expect(plane.driver.waiting()).toBe(1);
      await expect.poll(() => fn.log.find((line) => line.includes('said'))).toMatch(/^\{.*"message": ?"said"/);
    } finally {
      await plane.stop();
    }
  });

  it('starts a runtime anew where the waiting one has read too much', async () => {
    const plane = await startSandboxed();
    try {
      const files = { 'index.js': 'exports.handler = async () => process.execArgv.concat(process.env.NODE_OPTIONS ?? []);' };
      await call(plane, await testFunction(files, { runtime: 'nodejs24.x', functionName: 'plain' }));
      await expect.poll(() => plane.driver.waiting()).toBe(2);
      const variables = { NODE_OPTIONS: '--no-warnings' };
      expect((await call(plane, await testFunction(files, { runtime: 'nodejs24.x', functionName: 'special', variables }))).json).toEqual(['--no-warnings']);
    } finally {
      await plane.stop();
    }
  });
});
