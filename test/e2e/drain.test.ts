import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, expect, it } from 'vitest';
import { type CroftProcess, startProcess } from '../process.ts';
import { createFunction, invoke, zipOf } from './functions.ts';

let croft: CroftProcess | undefined;
afterEach(() => croft?.dispose());

it('SIGTERM lets requests finish, then ends with 0, and no function process is left', { timeout: 60_000 }, async () => {
  croft = await startProcess();
  const folder = mkdtempSync(join(tmpdir(), 'croft-drain-'));
  // The function says when it runs by making a file, so that the test waits for that and not for a time.
  writeFileSync(
    join(folder, 'lambda_function.py'),
    'import os, time\ndef lambda_handler(event, context):\n    open(event["mark"], "w").write(str(os.getpid()))\n    time.sleep(1)\n    return "finished"\n',
  );
  const lambda = new LambdaClient({ ...croft.sdk, maxAttempts: 1 });
  await createFunction(lambda, 'slow', await zipOf(folder), { Timeout: 20 });
  const mark = join(folder, 'mark');
  const answer = invoke(lambda, 'slow', { mark });
  const { existsSync, readFileSync } = await import('node:fs');
  while (!existsSync(mark) || readFileSync(mark, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 10));
  const stopped = croft.stop();
  expect((await answer).payload).toBe('finished');
  expect(await stopped).toBe(0);
  expect(existsSync(`/proc/${readFileSync(mark, 'utf8')}`)).toBe(false);
});

it('kill -9 leaves no function process behind', { timeout: 60_000 }, async () => {
  croft = await startProcess();
  const folder = mkdtempSync(join(tmpdir(), 'croft-orphan-'));
  writeFileSync(join(folder, 'lambda_function.py'), 'import os\ndef lambda_handler(event, context):\n    return os.getpid()\n');
  const lambda = new LambdaClient({ ...croft.sdk, maxAttempts: 1 });
  await createFunction(lambda, 'pid', await zipOf(folder));
  const { payload: pid } = await invoke(lambda, 'pid', {});
  const { existsSync } = await import('node:fs');
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await croft.kill();
  while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 20));
});
