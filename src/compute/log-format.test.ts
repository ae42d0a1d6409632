import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG_EVENT_BYTES_MAX } from './limits.ts';
import { FrameSplitter, type LogLevel } from './log-frames.ts';
import { call, startCompute, type TestCompute, testFunction } from './testing.ts';
import type { FunctionLogging } from './types.ts';

let plane: TestCompute;
beforeAll(async () => {
  plane = await startCompute();
});
afterAll(() => plane.stop());

/** Without what is said of another version that stands in. */
const parsed = (log: readonly string[]) =>
  log
    .map((line) => JSON.parse(line) as Record<string, unknown> & { type: string; record: Record<string, unknown> })
    .filter(({ message }) => !String(message).startsWith('LAMBDA_WARNING'));

const json = (logging: Omit<FunctionLogging, 'format'> = {}) => ({
  logging: { format: 'JSON', ...logging } as const,
  platformVariables: () => ({ AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: logging.applicationLevel ?? 'INFO' }),
});

const PYTHON = `
import logging
log = logging.getLogger('mine')
def handler(event, context):
    log.debug('not seen')
    log.info('hello %s', 'there', extra={'order': 7})
    log.warning({'a': 1})
    try: raise ValueError('bad')
    except ValueError: log.exception('caught')
    print('plain text')
    print('{"level": "debug", "message": "mine"}')
    print('{"level": "error", "message": "mine"}')
    if event.get('fail'): raise KeyError('gone')
`;

describe('the JSON log format', () => {
  it('has what Python logs, and the platform’s events', async () => {
    const fn = await testFunction({ 'index.py': PYTHON }, { runtime: 'python3.11', functionName: 'json-python', ...json() });
    const { requestId } = await call(plane, fn, { fail: 1 }, { tail: true });
    const lines = fn.log.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map((line) => line['type'] ?? line['level'])).toEqual([
      'platform.initStart',
      'platform.start',
      'INFO',
      'WARNING',
      'ERROR',
      'error',
      'ERROR',
      'platform.report',
    ]);
    expect(fn.log).toContain('plain text\n');
    expect(lines[0]).toMatchObject({ time: expect.any(String), record: { initializationType: 'on-demand', phase: 'init', runtimeVersion: 'python:3.11.v1' } });
    expect(lines[1]).toEqual({ time: expect.any(String), type: 'platform.start', record: { requestId, version: '$LATEST' } });
    expect(fn.log.find((line) => line.includes('hello there'))).toMatch(
      new RegExp(
        `^\\{"timestamp": "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ", "level": "INFO", "message": "hello there", "logger": "mine", "requestId": "${requestId}", "order": 7\\}\\n$`,
      ),
    );
    expect(lines[3]).toMatchObject({ message: { a: 1 } });
    expect(lines[4]).toMatchObject({
      errorType: 'ValueError',
      errorMessage: 'bad',
      stackTrace: [expect.stringContaining('index.py')],
      location: expect.stringMatching(/index\.py:handler:\d+$/),
    });
    expect(lines[6]).toMatchObject({ errorType: 'KeyError', errorMessage: "'gone'", requestId });
    expect(lines[7]).toMatchObject({
      record: { requestId, status: 'success', metrics: { memorySizeMB: 128, billedDurationMs: expect.any(Number), initDurationMs: expect.any(Number) } },
    });
  });

  it('has what Node.js logs', async () => {
    const source =
      'exports.handler = async () => { console.log("a", { b: 1 }); console.debug("not seen"); console.error(new TypeError("bad")); console.warn({ c: 2 }); };';
    const fn = await testFunction({ 'index.js': source }, { runtime: 'nodejs22.x', functionName: 'json-node', ...json() });
    const { requestId } = await call(plane, fn, {}, { tail: true });
    const lines = parsed(fn.log).filter((line) => line['level']);
    expect(lines[0]).toEqual({ timestamp: expect.any(String), level: 'INFO', requestId, message: 'a { b: 1 }' });
    expect(lines[1]).toMatchObject({ level: 'ERROR', message: { errorType: 'TypeError', errorMessage: 'bad', stackTrace: expect.any(Array) } });
    expect(lines[2]).toMatchObject({ level: 'WARN', message: { c: 2 } });
    expect(lines).toHaveLength(3);
  });

  it.each([
    ['DEBUG', ['platform.initStart', 'platform.initRuntimeDone', 'platform.initReport', 'platform.start', 'platform.runtimeDone', 'platform.report']],
    ['INFO', ['platform.initStart', 'platform.start', 'platform.report']],
    ['WARN', []],
  ])('keeps platform events from %s on', async (systemLevel, types) => {
    const fn = await testFunction(
      { 'index.js': 'exports.handler = async () => 1' },
      { runtime: 'nodejs22.x', functionName: `json-${systemLevel}`, ...json({ systemLevel }) },
    );
    await call(plane, fn, {}, { tail: true });
    expect(parsed(fn.log).map(({ type }) => type)).toEqual(types);
  });

  it('says how an invocation ended', async () => {
    const source = 'exports.handler = async (e) => { if (e.exit) process.exit(1); await new Promise((r) => setTimeout(r, 60_000)); };';
    const fn = await testFunction(
      { 'index.js': source },
      { runtime: 'nodejs22.x', functionName: 'json-ends', timeoutMs: 1000, ...json({ systemLevel: 'WARN' }) },
    );
    await call(plane, fn, {}, { tail: true });
    await call(plane, fn, { exit: 1 }, { tail: true });
    const records = parsed(fn.log);
    expect(records.map(({ type, record }) => [type, record['status'], record['errorType']])).toEqual([
      ['platform.runtimeDone', 'timeout', undefined],
      ['platform.report', 'timeout', undefined],
      ['platform.runtimeDone', 'error', 'Runtime.ExitError'],
      ['platform.report', 'error', 'Runtime.ExitError'],
    ]);
  });
});

it('adds the X-Ray segment to the report of a traced invocation', async () => {
  const fn = await testFunction({ 'index.js': 'exports.handler = async () => 1' }, { runtime: 'nodejs22.x', functionName: 'traced', tracing: 'Active' });
  await call(plane, fn, {}, { tail: true });
  expect(fn.log.at(-1)).toMatch(/\t\nXRAY TraceId: 1-67891233-abcdef012345678912345678\tSegmentId: 0123456789abcdef\tSampled: true\t\n$/);
});

describe('log frames', () => {
  const frame = (message: string, type = 0x03): Buffer => {
    const body = Buffer.from(message);
    const head = Buffer.alloc(type === 0x01 ? 8 : 16);
    head.writeUInt32BE(0xa55a0000 + type, 0);
    head.writeUInt32BE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  const split = (chunks: readonly Buffer[]): [string, LogLevel | undefined][] => {
    const out: [string, LogLevel | undefined][] = [];
    const splitter = new FrameSplitter((message, level) => out.push([message, level]));
    for (const chunk of chunks) splitter.push(chunk);
    splitter.flush();
    return out;
  };

  it('are messages with levels, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.constantFrom(0x01, 0x02, 0x03, 0x0f, 0x16))),
        fc.array(fc.nat(30), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(([message, type]) => frame(message, type)));
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = (cuts[i % cuts.length] ?? 0) + 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const levels: Record<number, LogLevel> = { 15: 'INFO', 22: 'ERROR' };
          expect(split(chunks)).toEqual(frames.map(([message, type]) => [Buffer.from(message).toString(), levels[type]]));
        },
      ),
    );
  });

  it('are cut at the event limit, and end where they are none', () => {
    expect(split([frame('x'.repeat(LOG_EVENT_BYTES_MAX + 5))]).map(([message]) => message.length)).toEqual([LOG_EVENT_BYTES_MAX, 5]);
    expect(split([frame('kept'), Buffer.from('this is no frame at all'), frame('lost')])).toEqual([['kept', undefined]]);
  });
});
