/** A platform to be killed: `victim.ts DIRECTORY` prints the log stream of an environment in the middle of an invocation, and waits for its end. */

import { helperBinary } from '../../src/compute/sandbox/choose.ts';
import { createSandboxDriver } from '../../src/compute/sandbox/driver.ts';
import { startCompute, testFunction } from '../../src/compute/testing.ts';
import { createIds } from '../../src/kit/ids.ts';

const [, , directory = ''] = process.argv;
const ids = createIds();
const driver = createSandboxDriver({ directory, newId: () => ids.bytes(16).toString('hex'), binary: helperBinary() });
const plane = await startCompute({ driver });
const fn = await testFunction(
  { 'index.py': 'import os, time\ndef handler(event, context):\n    print(os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])\n    time.sleep(300)\n' },
  {
    runtime: 'python3.11',
    timeoutMs: 600_000,
    openLog: () => ({
      write: ({ message }) => void (/^\d{4}\/.*\n$/.test(message) && process.stdout.write(message)),
      backlogBytes: 0,
      onDrained: () => {},
      close: () => {},
    }),
  },
);
await plane.compute.invoke(fn.spec, { requestId: 'r', payload: Buffer.from('{}'), invokedFunctionArn: 'arn', trace: 't' });
