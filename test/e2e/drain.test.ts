import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, expect, it } from 'vitest';
import { processesOf } from '../../src/compute/testing.ts';
import { type CroftProcess, startProcess } from '../process.ts';
import { createFunction, invoke, zipOf } from './functions.ts';

let croft: CroftProcess | undefined;
afterEach(() => croft?.dispose());

it('SIGTERM lets requests finish, then ends with 0, and no function process is left', { timeout: 60_000 }, async () => {
  croft = await startProcess();
  const folder = mkdtempSync(join(tmpdir(), 'croft-drain-'));
  // The function says when it runs by calling a server of the test, so that the test waits for that and not for a time.
  let arrive = (_stream: string) => {};
  const arrived = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  const server = createServer((request, response) => {
    arrive(decodeURIComponent(request.url?.slice(1) ?? ''));
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  writeFileSync(
    join(folder, 'lambda_function.py'),
    'import os, time, urllib.parse, urllib.request\ndef lambda_handler(event, context):\n    urllib.request.urlopen(os.environ["SERVER"] + urllib.parse.quote(context.log_stream_name, ""))\n    time.sleep(1)\n    return "finished"\n',
  );
  const lambda = new LambdaClient({ ...croft.sdk, maxAttempts: 1 });
  const SERVER = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await createFunction(lambda, 'slow', await zipOf(folder), { Timeout: 20, Environment: { Variables: { SERVER } } });
  const answer = invoke(lambda, 'slow', {});
  const stream = await arrived;
  expect(processesOf(stream)).toHaveLength(1);
  const stopped = croft.stop();
  expect((await answer).payload).toBe('finished');
  expect(await stopped).toBe(0);
  expect(processesOf(stream)).toEqual([]);
  server.closeAllConnections();
  server.close();
});

it('kill -9 leaves no function process behind', { timeout: 60_000 }, async () => {
  croft = await startProcess();
  const folder = mkdtempSync(join(tmpdir(), 'croft-orphan-'));
  writeFileSync(join(folder, 'lambda_function.py'), 'import os\ndef lambda_handler(event, context):\n    return context.log_stream_name\n');
  const lambda = new LambdaClient({ ...croft.sdk, maxAttempts: 1 });
  await createFunction(lambda, 'pid', await zipOf(folder));
  const { payload: stream } = await invoke(lambda, 'pid', {});
  expect(processesOf(stream)).toHaveLength(1);
  await croft.kill();
  while (processesOf(stream).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
