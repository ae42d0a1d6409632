import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, startCompute, type TestCompute, testFunction } from './testing.ts';

let plane: TestCompute;
beforeAll(async () => {
  plane = await startCompute();
});
afterAll(() => plane.stop());

const SLOW_ONCE = `
import os, tempfile, time
seen = os.path.join(tempfile.gettempdir(), 'seen')
if not os.path.exists(seen):
    open(seen, 'w').write('')
    time.sleep(60)
def handler(event, context):
    return context.get_remaining_time_in_millis()
`;

describe.skipIf(process.env['CROFT_SOAK'] !== '1')('an init phase that takes too long (CROFT_SOAK=1: 10 s)', () => {
  it('ends after ten seconds and is part of the invocation from then on, with the files that it left', async () => {
    const fn = await testFunction({ 'index.py': SLOW_ONCE }, { runtime: 'python3.11', functionName: 'slow-once', timeoutMs: 8000 });
    const { json, functionError, report } = await call(plane, fn, {}, { tail: true });
    expect(functionError).toBeUndefined();
    // The second init is under the function's own timeout.
    expect(json).toBeLessThan(8000);
    expect(report.initMs).toBeUndefined();
    const line = fn.log.find((one) => one.startsWith('INIT_REPORT'));
    expect(line).toMatch(/^INIT_REPORT Init Duration: 1\d{4}\.\d\d ms\tPhase: init\tStatus: timeout\n$/);
    expect(fn.log.filter((one) => one.startsWith('INIT_'))).toHaveLength(2);
  }, 60_000);
});

it('is part of an invocation again where it fails, and its time out is the invocation’s', async () => {
  const source = SLOW_ONCE.replace(
    "if not os.path.exists(seen):\n    open(seen, 'w').write('')\n    time",
    "if not os.path.exists(seen):\n    open(seen, 'w').write('')\n    raise ValueError('first')\nelse:\n    time",
  );
  const fn = await testFunction({ 'index.py': source }, { runtime: 'python3.11', functionName: 'fails-then-hangs', timeoutMs: 1500 });
  const { json, requestId } = await call(plane, fn, {}, { tail: true });
  expect(json).toEqual({ errorType: 'Sandbox.Timedout', errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.50 seconds` });
  expect(fn.log.filter((one) => one.startsWith('INIT_REPORT'))).toEqual([
    expect.stringMatching(/\tPhase: init\tStatus: error\tError Type: Runtime\.Unknown\n$/),
  ]);
  expect(fn.log.at(-1)).toMatch(/\tStatus: timeout\n$/);
});
