import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../kit/root.ts';
import { javaFolder, resolveRuntime } from './runtimes.ts';
import { call, packageOf, startCompute, type TestCompute, type TestFunction, testFunction } from './testing.ts';

/**
 * AWS's own clients of the Runtime API, unmodified, in functions: the Python one in every run, those that have to be compiled with CROFT_SOAK=1.
 * Built into `.cache/clients` once; what cannot be built is skipped, and says why.
 */
const run = promisify(execFile);
const SOAK = process.env['CROFT_SOAK'] === '1';
const CACHE = join(projectRoot(), '.cache', 'clients');
const SOURCES = join(projectRoot(), 'test', 'clients');
const BUILD_MS = 900_000;
const PYTHON_CLIENT = join(CACHE, 'python');
/** The Python whose version the client's native part was made for. */
const python = await resolveRuntime(`python${(await readFile(join(PYTHON_CLIENT, '.python'), 'utf8').catch(() => '3.0')).trim()}`);

let plane: TestCompute;
beforeAll(async () => {
  plane = await startCompute({ show: [python.executable, CACHE] });
});
afterAll(() => plane.stop());

/** Why a client cannot be tested here; undefined where it can. */
async function reason(needs: Readonly<Record<string, string>>): Promise<string | undefined> {
  if (!SOAK) return 'CROFT_SOAK=1 runs it';
  for (const [program, title] of Object.entries(needs)) {
    const found = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
    if (!found) return `${title} is not on this machine`;
  }
  return undefined;
}

function describeClient(title: string, why: string | undefined, tests: () => void): void {
  describe.skipIf(why !== undefined)(why === undefined ? title : `${title} (skipped: ${why})`, tests);
}

const CLIENT = { app_title: 'app', installation_id: 'i', app_version_name: 'v', app_version_code: '1', app_package_name: 'p' };
const CLIENT_CONTEXT = JSON.stringify({ client: CLIENT, custom: {}, env: {} });

/** What every client shows of the same invocation. */
async function seesItsInvocation(fn: TestFunction): Promise<void> {
  const { json, requestId } = await call(plane, fn, { echo: 'ü \u2028 🥳' }, { clientContext: CLIENT_CONTEXT });
  expect(json).toMatchObject({ id: requestId, arn: expect.stringMatching(/:function:/), name: fn.spec.functionName, echo: 'ü \u2028 🥳' });
  const seen = json as Record<string, unknown>;
  expect(Number(seen['memory'])).toBe(256);
  expect(seen['title']).toBe('app');
  expect(String(seen['trace'])).toContain('Root=1-67891233-');
  expect(Number(seen['left'])).toBeGreaterThan(0);
  expect(Number(seen['left'])).toBeLessThanOrEqual(fn.spec.timeoutMs);
  const big = 'x'.repeat(5_000_000);
  expect((await call(plane, fn, { echo: big })).json).toMatchObject({ echo: big });
}

async function endsAndStartsAnew(fn: TestFunction): Promise<void> {
  const ended = await call(plane, fn, { do: 'exit' });
  expect(ended.json).toEqual({ errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${ended.requestId} Error: Runtime exited with error: exit status 3` });
  expect((await call(plane, fn, { echo: 1 })).json).toMatchObject({ echo: 1 });
  const late = await call(plane, fn, { do: 'sleep' });
  expect(late.json).toMatchObject({ errorType: 'Sandbox.Timedout' });
  expect((await call(plane, fn, { echo: 2 })).json).toMatchObject({ echo: 2 });
}

const options = (functionName: string) => ({ functionName, memoryMb: 256, timeoutMs: 4000 });

const clientOfPython = !existsSync(join(PYTHON_CLIENT, '.python'))
  ? 'scripts/test-tools.sh installs it'
  : python.exact
    ? undefined
    : `${python.name} is not on this machine`;
describeClient('awslambdaric (Python)', clientOfPython, () => {
  const HANDLER = `
import decimal, logging, os, sys
def handler(event, context):
    print('python handles')
    logging.getLogger().warning('first\\nsecond')
    if event.get('do') == 'error': raise ValueError('plain')
    if event.get('do') == 'exit': os._exit(3)
    if event.get('do') == 'sleep': import time; time.sleep(60)
    return {'id': context.aws_request_id, 'arn': context.invoked_function_arn, 'name': context.function_name, 'memory': context.memory_limit_in_mb,
            'left': context.get_remaining_time_in_millis(), 'title': context.client_context and context.client_context.client.app_title,
            'trace': os.environ['_X_AMZN_TRACE_ID'], 'echo': event.get('echo'), 'decimal': decimal.Decimal('1.10')}
`;
  let fn: TestFunction;
  beforeAll(async () => {
    const bootstrap = `#!/bin/sh\nexport PYTHONPATH="$LAMBDA_TASK_ROOT:${PYTHON_CLIENT}"\nexec ${python.executable} -m awslambdaric "$_HANDLER"\n`;
    fn = await testFunction({ bootstrap, 'index.py': HANDLER }, { runtime: 'provided.al2023', ...options('ric-python') });
  });

  it('runs', async () => {
    await seesItsInvocation(fn);
    const failed = await call(plane, fn, { do: 'error' }, { tail: true });
    expect(failed.json).toMatchObject({ errorType: 'ValueError', errorMessage: 'plain', requestId: failed.requestId });
    expect(fn.log.some((line) => line.includes('python handles'))).toBe(true);
    await endsAndStartsAnew(fn);
  });

  it('writes answers as Croft’s own runtime does, byte for byte', async () => {
    const own = await testFunction({ 'index.py': ANSWERS }, { runtime: 'python3.11', functionName: 'answers' });
    const { code: _code, ...rest } = own.spec;
    const theirs: TestFunction = {
      ...fn,
      spec: { ...rest, ...fn.spec, functionName: 'answers-ric', key: `${fn.spec.key}-answers`, code: await withAnswers(fn) },
    };
    for (let index = 0; index < 9; index++) {
      const [a, b] = await Promise.all([call2(own, index), call2(theirs, index)]);
      expect([index, a]).toEqual([index, b]);
    }
  });
});

const ANSWERS = `
import decimal
from decimal import Decimal
def handler(i, context):
    return [
        {'n': Decimal('1.10'), 'big': Decimal('1E+400'), 'nan': Decimal('NaN'), 'inf': float('inf')},
        {1: 'a', None: 'b', True: 'c', 1.5: 'd'},
        {'bytes': b'text'},
        b'raw',
        'ü\\u2028\\u2029',
        None,
        [1, (2, 3), {'x': ()}],
        object(),
        {'set': {1}},
    ][i]
`;

async function withAnswers(fn: TestFunction) {
  const bootstrap = `#!/bin/sh\nexport AWS_EXECUTION_ENV=AWS_Lambda_python3.11 PYTHONPATH="$LAMBDA_TASK_ROOT:${PYTHON_CLIENT}"\nexec ${python.executable} -m awslambdaric "$_HANDLER"\n`;
  expect(fn.spec.handler).toBe('index.handler');
  return packageOf({ bootstrap, 'index.py': ANSWERS });
}

async function call2(fn: TestFunction, index: number): Promise<string> {
  const request = { requestId: `answer-${index}`, payload: Buffer.from(String(index)), invokedFunctionArn: 'arn', trace: 't' };
  return (await plane.compute.invoke(fn.spec, request)).payload.toString('utf8');
}

describeClient('aws-lambda-go', await reason({ go: 'Go' }), () => {
  let fn: TestFunction;
  beforeAll(async () => {
    const program = join(CACHE, 'go', 'bootstrap');
    await run('go', ['build', '-tags', 'lambda.norpc', '-o', program, '.'], { cwd: join(SOURCES, 'go'), env: { ...process.env, CGO_ENABLED: '0' } });
    fn = await testFunction({ bootstrap: await readFile(program) }, { runtime: 'provided.al2023', ...options('go') });
  }, BUILD_MS);

  it('runs', async () => {
    await seesItsInvocation(fn);
    expect((await call(plane, fn, { do: 'error' })).json).toEqual({ errorMessage: 'plain', errorType: 'errorString' });
    expect((await call(plane, fn, { do: 'typed' })).json).toEqual({ errorMessage: 'typed', errorType: 'mine' });
    expect((await call(plane, fn, { do: 'panic' })).json).toMatchObject({ errorMessage: 'gone', errorType: 'string', stackTrace: expect.any(Array) });
    await endsAndStartsAnew(fn);
  });

  it('registers as an internal extension for its SIGTERM, which comes', async () => {
    await call(plane, fn, { echo: 1 }, { tail: true });
    expect(fn.log).toContain('EXTENSION\tName: GoLangEnableSIGTERM\tState: Ready\tEvents: []\n');
    await expect.poll(() => plane.compute.stats()['idle']).toBeGreaterThan(0);
    plane.compute.retire(fn.spec.key);
    await expect.poll(() => fn.log).toContain('go ends\n');
  });
});

describeClient('lambda_runtime (Rust)', await reason({ cargo: 'Rust' }), () => {
  let fn: TestFunction;
  beforeAll(async () => {
    const target = join(CACHE, 'rust');
    await run('cargo', ['build', '--release', '--quiet', '--locked'], { cwd: join(SOURCES, 'rust'), env: { ...process.env, CARGO_TARGET_DIR: target } });
    fn = await testFunction({ bootstrap: await readFile(join(target, 'release', 'bootstrap')) }, { runtime: 'provided.al2023', ...options('rust') });
  }, BUILD_MS);

  it('runs', async () => {
    await seesItsInvocation(fn);
    expect((await call(plane, fn, { do: 'error' })).json).toMatchObject({ errorMessage: 'plain', errorType: expect.stringContaining('Box<dyn') });
    expect((await call(plane, fn, { do: 'panic' })).json).toMatchObject({ errorMessage: expect.stringContaining('gone') });
    await endsAndStartsAnew(fn);
  });
});

const javaClient = (await readdir(javaFolder()).catch(() => [])).length > 0 ? undefined : 'run `croft runtimes install java17`';
describeClient('aws-lambda-java-runtime-interface-client', (await reason({ javac: 'a JDK' })) ?? javaClient, () => {
  let fn: TestFunction;
  beforeAll(async () => {
    const folder = join(CACHE, 'java');
    await mkdir(folder, { recursive: true });
    await run('javac', ['--release', '17', '-cp', join(javaFolder(), '*'), '-d', folder, join(SOURCES, 'java', 'Handler.java')]);
    const classes = { 'clients/Handler.class': await readFile(join(folder, 'clients', 'Handler.class')) };
    fn = await testFunction(classes, { runtime: 'java17', handler: 'clients.Handler::handleRequest', ...options('java'), memoryMb: 256 });
  }, BUILD_MS);

  it('runs, with its log in frames', async () => {
    await seesItsInvocation(fn);
    expect((await call(plane, fn, { do: 'error' })).json).toMatchObject({
      errorMessage: 'plain',
      errorType: 'java.lang.IllegalStateException',
      stackTrace: expect.any(Array),
    });
    await endsAndStartsAnew(fn);
    expect(fn.log).toContain('first\nsecond');
  });
});

describeClient('Ruby functions', await reason({ ruby: 'Ruby' }), () => {
  const SOURCE = `
require 'logger'
puts "loading"
def handler(event:, context:)
  puts "ruby\\nhandles"
  Logger.new($stdout).info("first\\nsecond")
  raise "plain" if event['do'] == 'error'
  exit!(3) if event['do'] == 'exit'
  sleep 60 if event['do'] == 'sleep'
  nothing_of_that_name if event['do'] == 'critical'
  { id: context.aws_request_id, arn: context.invoked_function_arn, name: context.function_name, memory: context.memory_limit_in_mb,
    left: context.get_remaining_time_in_millis, title: context.client_context && context.client_context['client']['app_title'],
    trace: ENV['_X_AMZN_TRACE_ID'], echo: event['echo'] }
end
class Nested
  def self.inner(event:, context:) = event
end
`;
  it('run as AWS’s runtime runs them', async () => {
    const fn = await testFunction({ 'index.rb': SOURCE }, { runtime: 'ruby3.3', ...options('ruby') });
    await seesItsInvocation(fn);
    const failed = await call(plane, fn, { do: 'error' }, { tail: true });
    expect(failed.json).toEqual({
      errorMessage: 'plain',
      errorType: 'Function<RuntimeError>',
      stackTrace: [expect.stringMatching(/index\.rb:\d+:in .*handler/)],
    });
    expect(fn.log).toContain('ruby\nhandles\n');
    expect(fn.log.some((line) => /^I, \[.* #\d+\] +INFO [\w-]+ -- : first\nsecond\n$/.test(line))).toBe(true);
    expect((await call(plane, fn, { do: 'critical' })).json).toMatchObject({ errorType: 'Function<NameError>' });
    await endsAndStartsAnew(fn);
    const nested = await testFunction({ 'index.rb': SOURCE }, { runtime: 'ruby3.3', ...options('ruby-nested'), handler: 'index.Nested.inner' });
    expect((await call(plane, nested, [1, null])).json).toEqual([1, null]);
  });

  it.each([
    ['index', 'Init<ArgumentError>'],
    ['nowhere.handler', 'Init<LoadError>'],
  ])('cannot be loaded: %s', async (handler, errorType) => {
    const fn = await testFunction({ 'index.rb': SOURCE }, { runtime: 'ruby3.3', ...options(`ruby-${errorType}`), handler });
    expect((await call(plane, fn)).json).toMatchObject({ errorType });
  });
});

const adapter = join(CACHE, 'web-adapter', 'bin', 'lambda-adapter');
describeClient('lambda_web_adapter', await reason({ cargo: 'Rust' }), () => {
  beforeAll(async () => {
    if (!existsSync(adapter))
      await run('cargo', ['install', '--quiet', '--locked', 'lambda_web_adapter', '--root', join(CACHE, 'web-adapter')], { maxBuffer: 1e8 });
  }, BUILD_MS);

  it('serves a web application, as an extension', async () => {
    const layer = await packageOf({ 'extensions/lambda-adapter': await readFile(adapter), bootstrap: '#!/bin/sh\nexec "$LAMBDA_TASK_ROOT/$_HANDLER"\n' });
    const server = `#!${process.execPath}
require('node:http').createServer((request, response) => {
  response.setHeader('X-Mine', request.headers['x-amzn-trace-id'] ? 'traced' : 'not');
  response.end('hello ' + request.url);
}).listen(Number(process.env.PORT), '127.0.0.1');`;
    const port = 20_000 + (process.pid % 10_000);
    const variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bootstrap', PORT: String(port), AWS_LWA_PORT: String(port) };
    const fn = await testFunction({ 'run.sh': server }, { runtime: 'nodejs22.x', ...options('web'), handler: 'run.sh', layers: [layer], variables });
    const event = {
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a/b',
      rawQueryString: 'c=d',
      headers: { host: 'x' },
      isBase64Encoded: false,
      requestContext: {
        accountId: '0',
        apiId: 'a',
        domainName: 'x',
        domainPrefix: 'x',
        requestId: 'r',
        routeKey: '$default',
        stage: '$default',
        time: '',
        timeEpoch: 0,
        http: { method: 'GET', path: '/a/b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: '' },
      },
    };
    expect((await call(plane, fn, event)).json).toMatchObject({ statusCode: 200, body: 'hello /a/b?c=d' });
    expect((await call(plane, fn, event)).json).toMatchObject({ statusCode: 200 });
    expect(fn.log).toContain('EXTENSION\tName: lambda-adapter\tState: Ready\tEvents: []\n');
  });
});
