import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../kit/clock.ts';
import { RuntimeMissingError } from './failures.ts';
import { missingRuntimeResult } from './missing-runtime.ts';
import { discoverRuntimes, resolveRuntime } from './runtimes.ts';
import { call, packageOf, startCompute, type TestCompute, testFunction } from './testing.ts';

let plane: TestCompute;
beforeAll(async () => {
  plane = await startCompute();
});
afterAll(() => plane.stop());

/** A custom runtime in the language that every machine with Croft has. */
const BOOTSTRAP = `#!${process.execPath}
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime';
(async () => {
  if (process.env._HANDLER === 'broken') {
    await fetch(api + '/init/error', { method: 'POST', headers: { 'Lambda-Runtime-Function-Error-Type': 'Mine' }, body: '{"errorMessage":"no","errorType":"Mine"}' });
    process.exit(1);
  }
  for (;;) {
    const next = await fetch(api + '/invocation/next');
    const event = await next.json();
    const id = next.headers.get('lambda-runtime-aws-request-id');
    const post = (what, body, headers = {}) => fetch(api + '/invocation/' + id + '/' + what, { method: 'POST', body, headers });
    if (event.do === 'cause') await post('error', '{"errorMessage":"m","errorType":"t","errorCause":{"exceptions":[]}}', { 'Content-Type': 'application/vnd.aws.lambda.error.cause+json' });
    else if (event.do === 'mode') await post('response', '1', { 'Lambda-Runtime-Function-Response-Mode': 'other' });
    else await post('response', JSON.stringify({ env: process.env, cwd: process.cwd(), argv: process.argv.slice(2), ping: await (await fetch(api.replace('/runtime', '/ping'))).text() }));
  }
})();
`;

describe('a custom runtime', () => {
  it('is the bootstrap of the function', async () => {
    const fn = await testFunction({ bootstrap: BOOTSTRAP }, { runtime: 'provided.al2023', functionName: 'custom', handler: 'whatever' });
    const { json } = await call(plane, fn);
    const { env, cwd, argv, ping } = json as { env: Record<string, string>; cwd: string; argv: string[]; ping: string };
    expect([env['_HANDLER'], cwd, argv, ping]).toEqual(['whatever', env['LAMBDA_TASK_ROOT'], [], 'pong']);
    expect(env['AWS_EXECUTION_ENV']).toBeUndefined();
    expect(fn.log[0]).toMatch(/^INIT_START Runtime Version: provided:al2023\.v1\t/);
    expect((await call(plane, fn, { do: 'cause' })).json).toEqual({ errorMessage: 'm', errorType: 't' });
    const odd = await plane.compute.invoke(fn.spec, { requestId: 'odd', payload: Buffer.from('{"do":"mode"}'), invokedFunctionArn: 'arn', trace: 't' });
    expect([odd.functionError, odd.payload.length]).toEqual(['Unhandled', 0]);
  });

  it('may come with a layer', async () => {
    const layer = await packageOf({ bootstrap: BOOTSTRAP });
    const fn = await testFunction({ 'x.txt': '' }, { runtime: 'provided.al2', functionName: 'layered', layers: [layer] });
    expect((await call(plane, fn)).functionError).toBeUndefined();
  });

  it.each([
    ['is absent', { 'x.txt': '' }, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"],
    ['is no program', { bootstrap: 'echo' }, 'fork/exec /var/task/bootstrap: permission denied'],
    ['is of no interpreter', { bootstrap: '#!/no/such/interpreter\n' }, 'fork/exec /var/task/bootstrap: no such file or directory'],
  ])('%s', async (name, files, reason) => {
    const fn = await testFunction(files as Record<string, string>, { runtime: 'provided.al2023', functionName: `custom-${name.replaceAll(' ', '-')}` });
    const { json, requestId } = await call(plane, fn, {}, { tail: true });
    expect(json).toEqual({ errorType: 'Runtime.InvalidEntrypoint', errorMessage: `RequestId: ${requestId} Error: ${reason}` });
    expect(fn.log).toContain(`RequestId: ${requestId} Error: ${reason}\nRuntime.InvalidEntrypoint\n`);
  });

  it('may fail to initialise', async () => {
    const fn = await testFunction({ bootstrap: BOOTSTRAP }, { runtime: 'provided.al2023', functionName: 'custom-init', handler: 'broken' });
    expect((await call(plane, fn)).json).toEqual({ errorMessage: 'no', errorType: 'Mine' });
    expect(fn.log.some((line) => line.endsWith('\tStatus: error\tError Type: Runtime.Unknown\n'))).toBe(true);
  });
});

describe('an exec wrapper', () => {
  const wrapper = '#!/bin/sh\nexport WRAPPED="$#"\nexec "$@"\n';
  it.each([
    ['python3.11', { 'index.py': 'import os\ndef handler(e, c): return os.environ["WRAPPED"]' }],
    ['nodejs22.x', { 'index.js': 'exports.handler = async () => process.env.WRAPPED' }],
  ])('runs before %s', async (runtime, files) => {
    const variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' };
    const fn = await testFunction(files as Record<string, string>, {
      runtime,
      functionName: `wrapped-${runtime}`,
      variables,
      layers: [await packageOf({ wrapper })],
    });
    expect(Number((await call(plane, fn)).json)).toBeGreaterThan(3);
  });

  it('that is not there ends the runtime as a shell would', async () => {
    const fn = await testFunction(
      { 'index.py': '' },
      { runtime: 'python3.11', functionName: 'unwrapped', variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/none' } },
    );
    const { json, requestId } = await call(plane, fn);
    expect(json).toEqual({ errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 127` });
  });
});

describe('a runtime that is not on this machine', () => {
  it('says what to install', async () => {
    await expect(resolveRuntime('nodejs99.x', { strict: true })).rejects.toThrow(
      /--strict-runtimes lets no other version stand in\. Install `croft runtimes install nodejs99\.x`/,
    );
    const lists = await discoverRuntimes();
    expect(lists.find(({ name }) => name === 'provided.al2023')).toEqual({ name: 'provided.al2023', status: 'exact' });
    for (const { status, install } of lists) if (status !== 'exact') expect(install).toBeTruthy();
  });

  it('fails the invocation with Runtime.NotFound, in the answer and in the log', async () => {
    const fn = await testFunction({}, { runtime: 'dotnet8' });
    const result = missingRuntimeResult(
      fn.spec,
      { requestId: 'r', tail: true },
      new RuntimeMissingError('The runtime dotnet8 is absent'),
      systemClock(),
      'stream',
    );
    expect(result.payload.toString()).toBe('{"errorType":"Runtime.NotFound","errorMessage":"RequestId: r Error: The runtime dotnet8 is absent"}');
    expect(fn.log).toEqual([
      'START RequestId: r Version: $LATEST\n',
      'RequestId: r Error: The runtime dotnet8 is absent\nRuntime.NotFound\n',
      'END RequestId: r\n',
      expect.stringMatching(/^REPORT RequestId: r\t.*\tStatus: error\tError Type: Runtime\.NotFound\n$/),
    ]);
    expect(Buffer.from(result.logTail ?? '', 'base64').toString()).toBe(fn.log.join(''));
  });
});
