/** A platform to be killed: prints the log stream of an environment in the middle of an invocation, then waits for its end. */
import { startCompute, testFunction } from './testing.ts';

const [, , runtime = 'python3.11'] = process.argv;
const plane = await startCompute();
const fn = await testFunction(
  {
    'index.py': 'import os, time\ndef handler(event, context):\n    print(os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])\n    time.sleep(300)\n',
    'index.js':
      'exports.handler = async () => { process.stdout.write(process.env.AWS_LAMBDA_LOG_STREAM_NAME + "\\n"); await new Promise((resolve) => setTimeout(resolve, 300_000)); };',
  },
  {
    runtime,
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
