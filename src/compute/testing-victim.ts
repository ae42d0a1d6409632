/** A platform to be killed: prints the process id of a runtime in the middle of an invocation, then waits for its end. */
import { startCompute, testFunction } from './testing.ts';

const [, , runtime = 'python3.11'] = process.argv;
const plane = await startCompute();
const fn = await testFunction(
  {
    'index.py': 'import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(300)\n',
    'index.js': 'exports.handler = async () => { process.stdout.write(process.pid + "\\n"); await new Promise((resolve) => setTimeout(resolve, 300_000)); };',
  },
  {
    runtime,
    timeoutMs: 600_000,
    openLog: () => ({
      write: ({ message }) => void (/^\d+\n$/.test(message) && process.stdout.write(message)),
      backlogBytes: 0,
      onDrained: () => {},
      close: () => {},
    }),
  },
);
await plane.compute.invoke(fn.spec, { requestId: 'r', payload: Buffer.from('{}'), invokedFunctionArn: 'arn', trace: 't' });
