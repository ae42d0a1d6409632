import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CapacityError } from './failures.ts';
import { call, processesOf, startCompute, type TestCompute, type TestFunction, testFunction } from './testing.ts';

let plane: TestCompute;
beforeAll(async () => {
  process.env['CROFT_TEST_HOST_SECRET'] = 'must not leak';
  plane = await startCompute();
});
afterAll(async () => {
  delete process.env['CROFT_TEST_HOST_SECRET'];
  await plane.stop();
});

const PYTHON = `
import decimal, logging, os, subprocess, sys, tempfile, time
loads = 0
logging.getLogger().setLevel('INFO')
def handler(event, context):
    global loads
    loads += 1
    do = event.get('do')
    if do == 'print':
        print('one line')
        logging.info('first\\nsecond')
        print('two\\nlines')
        subprocess.run(['echo', 'from a child'])
        sys.stderr.write('to stderr\\n')
    if do == 'raise': raise ValueError('bad value')
    if do == 'exit': sys.exit(3)
    if do == 'exit0': sys.exit(0)
    if do == 'kill': os.kill(os.getpid(), 9)
    if do == 'big': return 'a' * 6291557
    if do == 'unserializable': return object()
    if do == 'decimal': return {'n': decimal.Decimal('1.10'), 'nan': decimal.Decimal('NaN'), 'text': 'é'}
    if do == 'env': return dict(os.environ)
    if do == 'context':
        return {'id': context.aws_request_id, 'arn': context.invoked_function_arn, 'name': context.function_name,
                'version': context.function_version, 'mb': context.memory_limit_in_mb, 'group': context.log_group_name,
                'left': context.get_remaining_time_in_millis(), 'custom': context.client_context.custom, 'client': context.client_context.client.app_title,
                'trace': os.environ['_X_AMZN_TRACE_ID']}
    if do == 'attack':
        import socket
        host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
        answers = []
        for line in ['POST /2018-06-01/runtime/invocation/%E0%A4%A/response', 'POST /2018-06-01/runtime/invocation/other/error', 'GET /2018-06-01/runtime/restore/next', 'GET /', 'nonsense']:
            s = socket.create_connection((host, int(port)))
            s.sendall((line + ' HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n').encode())
            answers.append(s.recv(65536).decode()[9:12])
        return answers
    if do == 'write': open(os.path.join(tempfile.gettempdir(), 'kept'), 'w').write('kept')
    if do == 'read': return open(os.path.join(tempfile.gettempdir(), 'kept')).read()
    if do == 'child': subprocess.Popen(['sleep', '300']); print('child of', os.getpid())
    if do in ('sleep', 'child'): time.sleep(event.get('seconds', 60))
    return {'pid': os.getpid(), 'loads': loads, 'stream': os.environ['AWS_LAMBDA_LOG_STREAM_NAME']}
`;

describe('a Python function', () => {
  let fn: TestFunction;
  beforeAll(async () => {
    fn = await testFunction({ 'index.py': PYTHON }, { runtime: 'python3.11', functionName: 'python', timeoutMs: 1000 });
  });

  it('runs in one environment again and again', async () => {
    const first = await call(plane, fn);
    const second = await call(plane, fn);
    expect(first.json).toMatchObject({ loads: 1 });
    expect(second.json).toEqual({ ...(first.json as object), loads: 2 });
    expect(first.report.initMs).toBeGreaterThan(0);
    expect(first.report.billedMs).toBe(Math.ceil(first.report.durationMs + (first.report.initMs ?? 0)));
    expect(second.report.initMs).toBeUndefined();
  });

  it('has its output in the log, a message an event, between START and REPORT', async () => {
    const { requestId, logTail } = await call(plane, fn, { do: 'print' }, { tail: true });
    const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    const log = fn.log.slice(fn.log.findIndex((line) => line.includes(requestId)));
    expect(log[0]).toBe(`START RequestId: ${requestId} Version: $LATEST\n`);
    expect(log[1]).toBe('one line\n');
    const [level, time, id, message] = (log[2] ?? '').split('\t');
    expect([level, stamp.test(time ?? ''), id, message]).toEqual(['[INFO]', true, requestId, 'first\nsecond\n']);
    expect(log.slice(3, 8)).toEqual(['two\n', 'lines\n', 'from a child\n', 'to stderr\n', `END RequestId: ${requestId}\n`]);
    expect(log[8]).toMatch(
      new RegExp(
        `^REPORT RequestId: ${requestId}\\tDuration: \\d+\\.\\d\\d ms\\tBilled Duration: \\d+ ms\\tMemory Size: 128 MB\\tMax Memory Used: \\d+ MB\\t\\n$`,
      ),
    );
    expect(log).toHaveLength(9);
    expect(Buffer.from(logTail ?? '', 'base64').toString()).toBe(log.join(''));
  });

  it('answers an exception in the shape of its runtime', async () => {
    const { json, functionError, requestId } = await call(plane, fn, { do: 'raise' }, { tail: true });
    expect(functionError).toBe('Unhandled');
    expect(json).toEqual({
      errorMessage: 'bad value',
      errorType: 'ValueError',
      requestId,
      stackTrace: [expect.stringMatching(/^ {2}File ".*\/index\.py", line \d+, in handler\n {4}if do == 'raise'/)],
    });
    expect(
      fn.log.some((line) => /^\[ERROR\] ValueError: bad value\nTraceback \(most recent call last\):\n\u00a0\u00a0File /.test(line) && !line.endsWith('\n')),
    ).toBe(true);
  });

  it('names what it cannot serialize, and writes Decimal as the number it is', async () => {
    expect((await call(plane, fn, { do: 'unserializable' })).json).toMatchObject({
      errorType: 'Runtime.MarshalError',
      errorMessage: 'Unable to marshal response: Object of type object is not JSON serializable',
    });
    const { payload } = await plane.compute.invoke(fn.spec, {
      requestId: 'r',
      payload: Buffer.from('{"do":"decimal"}'),
      invokedFunctionArn: 'arn',
      trace: 't',
    });
    expect(payload.toString()).toBe('{"n": 1.10, "nan": NaN, "text": "\\u00e9"}');
  });

  it('sees the variables of its configuration and nothing of the machine', async () => {
    const env = (await call(plane, fn, { do: 'env' })).json as Record<string, string>;
    expect(env).toMatchObject({
      AWS_EXECUTION_ENV: 'AWS_Lambda_python3.11',
      AWS_ACCESS_KEY_ID: 'ASIA',
      AWS_SESSION_TOKEN: 'token',
      TZ: ':UTC',
      _HANDLER: 'index.handler',
      AWS_LAMBDA_FUNCTION_NAME: 'python',
    });
    expect(env['CROFT_TEST_HOST_SECRET']).toBeUndefined();
    expect(env['HOME']).toBe(env['TMPDIR']);
    if (plane.compute.driver.isolation === 'none') expect(env['TMPDIR']?.startsWith(plane.directory)).toBe(true);
    else expect([env['TMPDIR'], env['LAMBDA_TASK_ROOT']]).toEqual([undefined, '/var/task']);
  });

  it('knows its invocation from the context', async () => {
    const clientContext = JSON.stringify({ custom: { a: 'b' }, client: { app_title: 'app' } });
    const { json, requestId } = await call(plane, fn, { do: 'context' }, { clientContext });
    expect(json).toMatchObject({
      id: requestId,
      name: 'python',
      version: '$LATEST',
      mb: '128',
      group: '/aws/lambda/python',
      custom: { a: 'b' },
      client: 'app',
    });
    expect((json as { left: number }).left).toBeGreaterThan(0);
    expect((json as { left: number }).left).toBeLessThan(1000);
    expect((json as { trace: string }).trace).toContain('Root=1-67891233-');
  });

  it.each([
    ['exit', 'Runtime exited with error: exit status 3'],
    ['exit0', 'Runtime exited without providing a reason'],
    ['kill', 'Runtime exited with error: signal: killed'],
  ])('%s ends the runtime, and the next call gets a fresh one', async (what, reason) => {
    const before = (await call(plane, fn)).json as { pid: number };
    const ended = await call(plane, fn, { do: what });
    expect(ended.functionError).toBe('Unhandled');
    expect(ended.payload.toString()).toBe(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ${ended.requestId} Error: ${reason}"}`);
    const after = await call(plane, fn);
    expect((after.json as { pid: number }).pid).not.toBe(before.pid);
    expect(after.report.initMs).toBeUndefined();
    const report = fn.log.find((line) => line.startsWith(`REPORT RequestId: ${ended.requestId}\t`));
    expect(report).toMatch(/\tStatus: error\tError Type: Runtime\.ExitError\n$/);
  });

  it('is killed with its children at its timeout; the next call has a new process and the same temporary files', async () => {
    await call(plane, fn, { do: 'write' });
    const before = (await call(plane, fn)).json as { pid: number; stream: string };
    const old = processesOf(before.stream);
    expect(old).toHaveLength(1);
    const ended = await call(plane, fn, { do: 'child' });
    expect(ended.payload.toString()).toBe(
      `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ${ended.requestId} Error: Task timed out after 1.00 seconds"}`,
    );
    expect((await call(plane, fn, { do: 'read' })).json).toBe('kept');
    expect((await call(plane, fn)).json).not.toMatchObject({ pid: before.pid });
    const left = processesOf(before.stream);
    expect([left.length, old.some((pid) => left.includes(pid))]).toEqual([1, false]);
    expect(fn.log.some((line) => line.endsWith(` ${ended.requestId} Task timed out after 1.00 seconds\n\n`))).toBe(true);
    expect(
      fn.log.some(
        (line) =>
          line.startsWith(`REPORT RequestId: ${ended.requestId}\tDuration: 1000.00 ms\tBilled Duration: 1000 ms`) && line.endsWith('\tStatus: timeout\n'),
      ),
    ).toBe(true);
  });

  it('gets nowhere with what the Runtime API does not know', async () => {
    expect((await call(plane, fn, { do: 'attack' })).json).toEqual(['400', '400', '403', '404', '']);
    expect((await call(plane, fn)).functionError).toBeUndefined();
  });

  it('may not answer more than 6 MB', async () => {
    expect((await call(plane, fn, { do: 'big' })).json).toEqual({
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
    });
    expect((await call(plane, fn)).functionError).toBeUndefined();
  });
});

describe('a Node.js function', () => {
  const SOURCE = `
    let loads = 0;
    exports.handler = async (event, context) => {
      loads++;
      console.log('Event:', event.text ?? '');
      if (event.do === 'throw') throw new TypeError('bad');
      if (event.do === 'reject') { Promise.reject(new Error('nobody waits')); await new Promise((resolve) => setTimeout(resolve, 1000)); }
      if (event.do === 'exit') process.exit(2);
      return { loads, left: context.getRemainingTimeInMillis(), id: context.awsRequestId };
    };
    exports.callback = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = event.wait; setTimeout(() => console.log('late'), 50); callback(event.fail ? new Error('called back') : null, { ok: true }); };
    exports.done = (event, context) => { setTimeout(() => context.succeed('done'), 1); };
    exports.nothing = () => {};
    exports.stream = awslambda.streamifyResponse(async (event, out) => { out.write('one '); if (event.fail) throw new Error('midway'); out.end('two'); });
  `;
  const make = (handler: string, runtime = 'nodejs22.x') =>
    testFunction({ 'index.js': SOURCE }, { runtime, handler: `index.${handler}`, functionName: `${runtime}-${handler}` });

  it('answers, logs and fails as AWS’s runtime does', async () => {
    const fn = await make('handler');
    const first = await call(plane, fn, { text: 'two\nlines' });
    expect(first.json).toMatchObject({ loads: 1, id: first.requestId });
    await call(plane, fn);
    const line = fn.log.find((one) => one.includes('\tINFO\t'));
    expect(line).toMatch(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${first.requestId}\\tINFO\\tEvent: two\\nlines\\n$`));
    expect((await call(plane, fn, { do: 'throw' })).json).toEqual({
      errorType: 'TypeError',
      errorMessage: 'bad',
      trace: expect.arrayContaining(['TypeError: bad']),
    });
    expect((await call(plane, fn, { do: 'reject' })).json).toMatchObject({
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: 'Error: nobody waits',
    });
    const ended = await call(plane, fn, { do: 'exit' });
    expect(ended.json).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${ended.requestId} Error: Runtime exited with error: exit status 2`,
    });
  });

  it('takes callbacks, context.succeed, and handlers that return nothing', async () => {
    const callback = await make('callback');
    expect((await call(plane, callback, { wait: false })).json).toEqual({ ok: true });
    const waited = await call(plane, callback, { wait: true }, { tail: true });
    expect(Buffer.from(waited.logTail ?? '', 'base64').toString()).toContain('\tINFO\tlate\n');
    expect((await call(plane, callback, { fail: true })).json).toMatchObject({ errorType: 'Error', errorMessage: 'called back' });
    expect((await call(plane, await make('done'))).json).toBe('done');
    expect((await call(plane, await make('nothing'))).json).toBeNull();
  });

  it('refuses callbacks from Node.js 24 on', async () => {
    expect((await call(plane, await make('callback', 'nodejs24.x'))).json).toMatchObject({ errorType: 'Runtime.CallbackHandlerDeprecated' });
  });

  it('streams, and may fail midway', async () => {
    const fn = await make('stream');
    const invoke = (event: string) => plane.compute.invoke(fn.spec, { requestId: event, payload: Buffer.from(event), invokedFunctionArn: 'arn', trace: 't' });
    expect((await invoke('{}')).payload.toString()).toBe('one two');
    const failed = await invoke('{"fail":1}');
    expect(failed.functionError).toBe('Unhandled');
    expect(JSON.parse(failed.payload.toString())).toMatchObject({ errorType: 'Error', errorMessage: 'midway' });
  });

  it('may be an ES module', async () => {
    const source = 'export const handler = async (event) => ({ url: import.meta.url.slice(-9), event });';
    const mjs = await testFunction({ 'index.mjs': source }, { runtime: 'nodejs22.x', functionName: 'mjs' });
    expect((await call(plane, mjs, 1)).json).toEqual({ url: 'index.mjs', event: 1 });
    const typed = await testFunction(
      { 'src/index.js': source, 'package.json': '{"type":"module"}' },
      { runtime: 'nodejs22.x', functionName: 'typed', handler: 'src/index.handler' },
    );
    expect((await call(plane, typed, 2)).json).toEqual({ url: '/index.js', event: 2 });
  });
});

describe('a function that cannot be loaded', () => {
  it.each([
    [
      'python3.11',
      'nowhere.handler',
      { errorMessage: "Unable to import module 'nowhere': No module named 'nowhere'", errorType: 'Runtime.ImportModuleError', requestId: '', stackTrace: [] },
    ],
    [
      'python3.11',
      'index.nothing',
      { errorMessage: "Handler 'nothing' missing on module 'index'", errorType: 'Runtime.HandlerNotFound', requestId: '', stackTrace: [] },
    ],
    [
      'python3.11',
      'index',
      {
        errorMessage: "Bad handler 'index': not enough values to unpack (expected 2, got 1)",
        errorType: 'Runtime.MalformedHandlerName',
        requestId: '',
        stackTrace: [],
      },
    ],
    ['python3.11', 'broken.handler', { errorType: 'Runtime.UserCodeSyntaxError', stackTrace: [expect.stringContaining('Line 1')] }],
    [
      'nodejs22.x',
      'nowhere.handler',
      { errorType: 'Runtime.ImportModuleError', errorMessage: "Error: Cannot find module 'nowhere'\nRequire stack:\n- /var/runtime/index.mjs" },
    ],
    ['nodejs22.x', 'index.nothing', { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.nothing is undefined or not exported' }],
    ['nodejs22.x', 'index', { errorType: 'Runtime.MalformedHandlerName', errorMessage: 'Bad handler' }],
    ['nodejs22.x', 'broken.handler', { errorType: 'Runtime.UserCodeSyntaxError', errorMessage: expect.stringContaining('SyntaxError: ') }],
  ])('%s %s', async (runtime, handler, error) => {
    const fn = await testFunction(
      { 'index.py': 'x = 1', 'broken.py': 'x = (', 'index.js': '', 'broken.js': 'x(' },
      { runtime, handler, functionName: 'broken', configuration: `${runtime} ${handler}` },
    );
    const result = await call(plane, fn);
    expect(result.functionError).toBe('Unhandled');
    expect(result.json).toMatchObject(error);
    const phases = fn.log
      .map((line) => /^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: (\w+)\tStatus: error\tError Type: Runtime\.\w+\n$/.exec(line)?.[1])
      .filter((phase) => phase);
    expect(phases).toEqual(['init', 'invoke']);
  });
});

describe('the pool', () => {
  const sleeper = (functionName: string) =>
    testFunction(
      { 'index.js': 'exports.handler = async (e) => { await new Promise((r) => setTimeout(r, e)); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };' },
      { runtime: 'nodejs22.x', functionName },
    );

  it('gives simultaneous calls an environment each, and none a second event', async () => {
    const fn = await sleeper('parallel');
    const streams = (await Promise.all([300, 300, 300].map((ms) => call(plane, fn, ms)))).map(({ json }) => json);
    expect(new Set(streams).size).toBe(3);
    expect(streams).toContain((await call(plane, fn, 0)).json);
  });

  it('lets calls wait where memory is used up, and ends idle environments of other functions for them', async () => {
    const small = await startCompute({ memoryBudgetMb: 128 });
    try {
      const [one, two] = [await sleeper('one'), await sleeper('two')];
      const streams = await Promise.all([call(small, one, 50), call(small, one, 50)]);
      expect(streams[0]?.json).toBe(streams[1]?.json);
      await call(small, two, 0);
      expect(small.compute.stats()).toMatchObject({ environments: 1, reservedMb: 128 });
    } finally {
      await small.stop();
    }
  });

  it('ends the environments of an old configuration', async () => {
    const fn = await sleeper('retired');
    const { json: stream } = await call(plane, fn, 0);
    expect(processesOf(stream)).toHaveLength(1);
    plane.compute.retire(fn.spec.key, '2');
    await expect.poll(() => processesOf(stream)).toEqual([]);
  });

  it('leaves nothing behind when it stops, and refuses calls from then on', async () => {
    const other = await startCompute();
    const fn = await sleeper('stopped');
    const { json: stream } = await call(other, fn, 0);
    await expect.poll(() => other.compute.stats()).toMatchObject({ environments: 1, idle: 1 });
    const running = call(other, fn, 60_000);
    await other.compute.stop();
    expect((await running).json).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(processesOf(stream)).toEqual([]);
    expect(await readdir(join(other.directory, 'environments')).catch(() => [])).toEqual([]);
    await expect(call(other, fn, 0)).rejects.toBeInstanceOf(CapacityError);
    await other.stop();
  });
});

it.each(['python3.11', 'nodejs22.x'])('a %s runtime dies with a platform that is killed', async (runtime) => {
  const platform = spawn(process.execPath, [join(import.meta.dirname, 'testing-victim.ts'), runtime], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = (await once(platform.stdout, 'data')) as [Buffer];
  const stream = first.toString().trim();
  expect(processesOf(stream)).toHaveLength(1);
  platform.kill('SIGKILL');
  await expect.poll(() => processesOf(stream), { timeout: 5000 }).toEqual([]);
});
