/**
 * The Node.js runtime of Croft: takes events from the Runtime API, calls the handler, posts what it returns.
 * Started as `node bootstrap.mjs LIFELINE_FD VENDOR_DIR`. Works on Node.js 18 and later.
 *
 * Log framing: one line of stdout is one log event. A message of several lines is written with MESSAGE_NEWLINE inside (bytes
 * that no UTF-8 text contains). Follows "Define Lambda function handler in Node.js" and "Using the Lambda runtime API".
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, types } from 'node:util';

const require = createRequire(import.meta.url);

const MESSAGE_NEWLINE = Buffer.from([0xff, 0x8a]);
const API = '/2018-06-01/runtime';
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;
const JSON_LOGS = (process.env.AWS_LAMBDA_LOG_FORMAT ?? '').toUpperCase() === 'JSON';

const lifelineFd = Number(process.argv[2] ?? -1);
const vendor = process.argv[3] ?? '';
process.argv.splice(2);

// ------------------------------------------------------------------------------------------------------------ the platform

/** One kept-alive connection to the Runtime API. The platform gone means that this process has no purpose: it exits. */
class RuntimeApi {
  #socket;
  #host;
  #received = Buffer.alloc(0);
  /** What waits for the answers still to come, in order. */
  #waiting = [];

  constructor(address) {
    this.#host = address;
    const colon = address.lastIndexOf(':');
    this.#socket = net.connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', () => process.exit(0));
    this.#socket.on('close', () => process.exit(0));
  }

  /** While a handler runs, the connection must not keep the event loop from being empty. */
  hold(held) {
    if (held) this.#socket.ref();
    else this.#socket.unref();
  }

  #answer() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #head(method, route, headers) {
    const lines = [`${method} ${API}${route} HTTP/1.1`, `Host: ${this.#host}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  next() {
    this.#socket.write(this.#head('GET', '/invocation/next', {}));
    return this.#answer();
  }

  post(route, body, headers) {
    const bytes = Buffer.from(body);
    this.#socket.cork();
    this.#socket.write(this.#head('POST', route, { ...headers, 'Content-Length': bytes.length }));
    this.#socket.write(bytes);
    process.nextTick(() => this.#socket.uncork());
    return this.#answer();
  }

  /** A chunked request, for streamed answers. */
  stream(route, headers) {
    const socket = this.#socket;
    let started = false;
    const start = () => {
      if (!started) socket.write(this.#head('POST', route, { ...headers, 'Transfer-Encoding': 'chunked' }));
      started = true;
    };
    return {
      setHeader: (name, value) => {
        headers[name] = value;
      },
      write: (bytes, done) => {
        start();
        if (bytes.length === 0) return done();
        socket.write(`${bytes.length.toString(16)}\r\n`);
        socket.write(bytes);
        return socket.write('\r\n', done);
      },
      end: (trailers) => {
        start();
        const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`0\r\n${lines.join('')}\r\n`);
        return this.#answer();
      },
    };
  }

  #receive(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const headers = {};
      for (const line of this.#received.toString('latin1', 0, end).split('\r\n').slice(1)) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
      }
      const length = Number(headers['content-length'] ?? 0);
      const total = end + 4 + length;
      if (this.#received.length < total) {
        this.#reserve(total);
        return;
      }
      const body = this.#received.subarray(end + 4, total);
      this.#received = this.#received.subarray(total);
      this.#waiting.shift()?.({ headers, body });
    }
  }

  /** A large event: its chunks are gathered in place instead of being joined again and again. */
  #reserve(total) {
    const whole = Buffer.allocUnsafe(total);
    let filled = this.#received.copy(whole);
    const listeners = this.#socket.listeners('data');
    this.#socket.removeAllListeners('data');
    const gather = (chunk) => {
      const taken = chunk.copy(whole, filled);
      filled += taken;
      if (filled < total) return;
      this.#socket.off('data', gather);
      for (const listener of listeners) this.#socket.on('data', listener);
      this.#received = Buffer.alloc(0);
      this.#receive(taken < chunk.length ? Buffer.concat([whole, chunk.subarray(taken)]) : whole);
    };
    this.#socket.on('data', gather);
  }
}

/** Ends this process when the platform dies, even by SIGKILL: it holds the other end of the descriptor. */
function watchLifeline(fd) {
  if (!(fd >= 0)) return;
  const line = new net.Socket({ fd, readable: true, writable: false });
  line.on('error', () => process.exit(0));
  line.on('close', () => process.exit(0));
  line.resume();
  line.unref();
}

// ------------------------------------------------------------------------------------------------------------------- logs

let requestId;

function writeAll(bytes) {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      // The platform reads slower than this function writes: wait, as a blocking pipe would.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function writeEvent(text) {
  if (!text.includes('\n')) {
    writeAll(Buffer.from(`${text}\n`));
    return;
  }
  const parts = text.split('\n').flatMap((line, index) => (index === 0 ? [Buffer.from(line)] : [MESSAGE_NEWLINE, Buffer.from(line)]));
  writeAll(Buffer.concat([...parts, Buffer.from('\n')]));
}

function errorFields(error) {
  return {
    errorType: error?.constructor?.name ?? 'UnknownError',
    errorMessage: error.message,
    stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : error.stack,
    ...error,
  };
}

function jsonLine(level, params) {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  const replace = (_key, value) => (value instanceof Error ? errorFields(value) : value);
  if (params.length === 1) {
    try {
      return JSON.stringify({ ...line, message: params[0] }, replace);
    } catch {
      return JSON.stringify({ ...line, message: format(params[0]) });
    }
  }
  const error = params.find((param) => param instanceof Error);
  const extra = error ? { errorType: error.constructor?.name ?? 'UnknownError', errorMessage: error.message, stackTrace: (error.stack ?? '').split('\n') } : {};
  return JSON.stringify({ ...line, message: format(...params), ...extra });
}

function patchConsole() {
  const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const least = Math.max(0, levels.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL ?? '').toUpperCase()));
  const logger = (level) => {
    if (levels.indexOf(level) < least) return () => {};
    if (JSON_LOGS) return (...params) => writeEvent(jsonLine(level, params));
    return (...params) => writeEvent(`${new Date().toISOString()}\t${requestId}\t${level}\t${format(...params)}`);
  };
  console.trace = logger('TRACE');
  console.debug = logger('DEBUG');
  console.log = console.info = logger('INFO');
  console.warn = logger('WARN');
  console.error = logger('ERROR');
  console.fatal = logger('FATAL');
}

// --------------------------------------------------------------------------------------------------------------- failures

class RuntimeFault extends Error {
  constructor(kind, message) {
    super(message);
    Object.defineProperty(this, 'name', { value: `Runtime.${kind}`, enumerable: false, configurable: true });
    const frames = this.stack.split('\n').filter((line) => line.startsWith('    at '));
    this.stack = [`${this.name}: ${this.message}`, ...frames].join('\n');
  }
}

const escapeDelete = (text) => (typeof text === 'string' ? text.replaceAll('\x7f', '%7F') : text);

/** The error body as AWS's runtime posts it. */
function errorBody(error) {
  try {
    if (types.isNativeError(error) || (error?.name && error.message && typeof error.stack === 'string')) {
      return { errorType: escapeDelete(error.name), errorMessage: escapeDelete(error.message), trace: escapeDelete(error.stack).split('\n') };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

function logFailure(title, failure) {
  const error = failure instanceof Error ? failure : new Error(failure);
  if (JSON_LOGS) {
    console.error(error);
    return;
  }
  const replace = (_key, value) => {
    if (!(value instanceof Error)) return value;
    const fields = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
    if (typeof value.stack === 'string') fields.stack = value.stack.split('\n');
    return fields;
  };
  let text;
  try {
    text = JSON.stringify(error, replace);
  } catch {
    text = JSON.stringify(errorBody(error));
  }
  console.error(title, `\t${text}`);
}

function serialize(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? '';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

// ----------------------------------------------------------------------------------------------------- loading the handler

/** What the function's own node_modules lack is looked up in the SDK that the runtime provides. */
function provideSdk() {
  if (!vendor || !existsSync(path.join(vendor, 'node_modules'))) return;
  const parentURL = pathToFileURL(path.join(vendor, 'index.mjs')).href;
  if (typeof module.registerHooks === 'function') {
    module.registerHooks({
      resolve(specifier, context, nextResolve) {
        try {
          return nextResolve(specifier, context);
        } catch (error) {
          const bare = !/^(\.|\/|node:|file:|data:|#)/.test(specifier);
          if (!bare || (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND')) throw error;
          try {
            return nextResolve(specifier, { ...context, parentURL });
          } catch {
            throw error;
          }
        }
      },
    });
    return;
  }
  // Before module.registerHooks, a loader thread: it costs start-up time, so only where ES modules can meet it.
  if (usesEsModules()) module.register('./vendor-hooks.mjs', import.meta.url, { data: { parentURL } });
}

function packageType(folder) {
  for (let at = folder; !at.endsWith('/node_modules'); at = path.dirname(at)) {
    const file = path.join(at, 'package.json');
    if (existsSync(file)) {
      try {
        return JSON.parse(readFileSync(file, 'utf8')).type;
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return undefined;
      }
    }
    if (at === path.dirname(at)) return undefined;
  }
  return undefined;
}

function handlerFile() {
  const name = process.env._HANDLER ?? '';
  const base = path.basename(name);
  const root = name.slice(0, name.indexOf(base));
  const [, moduleName = '', exported = ''] = /^([^.]*)\.(.*)$/.exec(base) ?? [];
  return { name, root, base, moduleName, exported, file: path.resolve(process.env.LAMBDA_TASK_ROOT ?? '.', root, moduleName) };
}

function usesEsModules() {
  const { file } = handlerFile();
  return existsSync(`${file}.mjs`) || (existsSync(`${file}.js`) && packageType(path.dirname(file)) === 'module');
}

async function loadModule({ root, moduleName, file }) {
  if (existsSync(file)) return require(file);
  const esm = existsSync(`${file}.js`) && packageType(path.dirname(file)) === 'module';
  if (!esm && existsSync(`${file}.js`)) return require(`${file}.js`);
  if (esm) return import(pathToFileURL(`${file}.js`).href);
  if (existsSync(`${file}.mjs`)) return import(pathToFileURL(`${file}.mjs`).href);
  if (existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  const taskRoot = process.env.LAMBDA_TASK_ROOT ?? '.';
  return require(require.resolve(moduleName, { paths: [taskRoot, path.join(taskRoot, root)] }));
}

async function loadHandler() {
  const handler = handlerFile();
  const { name, base, exported } = handler;
  if (name.includes('..')) {
    throw new RuntimeFault(
      'MalformedHandlerName',
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  if (!base.includes('.')) throw new RuntimeFault('MalformedHandlerName', 'Bad handler');
  let loaded;
  try {
    loaded = await loadModule(handler);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeFault('UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND')
      throw new RuntimeFault('ImportModuleError', String(error).replaceAll(import.meta.filename ?? '', '/var/runtime/index.mjs'));
    throw error;
  }
  const found = exported.split('.').reduce((at, key) => at?.[key], loaded);
  if (!found) throw new RuntimeFault('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof found !== 'function') throw new RuntimeFault('HandlerNotFound', `${name} is not a function`);
  refuseCallbacks(found);
  return found;
}

/** From Node.js 24 on, AWS's runtime takes no handlers with a callback. */
function refuseCallbacks(handler) {
  const version = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 0);
  if (version < 24 || handler[STREAMING] || handler.length < 3) return;
  throw new RuntimeFault(
    'CallbackHandlerDeprecated',
    'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
  );
}

/** The global that streaming handlers are made with. */
function installAwsLambda() {
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (typeof options?.highWaterMark === 'number') handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark;
      return handler;
    },
    HttpResponseStream: {
      from(stream, metadata) {
        stream.setContentType('application/vnd.awslambda.http-integration-response');
        stream._onBeforeFirstWrite = (write) => {
          write(JSON.stringify(metadata));
          write(new Uint8Array(8));
        };
        return stream;
      },
    },
  };
}

// ---------------------------------------------------------------------------------------------------------- the invocation

function parseHeader(text, name) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function contextOf(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parseHeader(headers['lambda-runtime-client-context'], 'ClientContext'),
    identity: parseHeader(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

class Runtime {
  #api;
  #handler;
  /** Runs when the event loop is empty. */
  #whenIdle = () => {};
  /** What to do with an exception that nobody caught. */
  #onCrash;

  constructor(api) {
    this.#api = api;
    this.#onCrash = (error, code) => this.#fatal('/init/error', error, code);
    process.on('beforeExit', () => this.#whenIdle());
    process.on('uncaughtException', (error) => {
      logFailure('Uncaught Exception', error);
      this.#onCrash(error, EXIT_UNCAUGHT_EXCEPTION);
    });
    process.on('unhandledRejection', (reason, promise) => {
      const error = new RuntimeFault('UnhandledPromiseRejection', String(reason));
      error.reason = reason;
      error.promise = promise;
      logFailure('Unhandled Promise Rejection', error);
      this.#onCrash(error, EXIT_UNHANDLED_REJECTION);
    });
  }

  async start() {
    this.#handler = await loadHandler();
    this.#next(this.#api.next());
  }

  async #fatal(route, error, code) {
    const body = errorBody(error);
    this.#api.hold(true);
    await this.#api.post(route, serialize(body), { 'Content-Type': 'application/json', 'Lambda-Runtime-Function-Error-Type': body.errorType });
    process.exit(code);
  }

  /** Waits for the next event and runs the handler on it. */
  #next(arrival) {
    this.#whenIdle = () => {};
    this.#api.hold(true);
    arrival.then((event) => {
      this.#api.hold(false);
      // Outside the promise, so that what the handler throws is an exception and not a rejection of ours.
      setImmediate(() => this.#run(event));
    });
  }

  #run({ headers, body }) {
    requestId = headers['lambda-runtime-aws-request-id'];
    const trace = headers['lambda-runtime-trace-id'];
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    const route = `/invocation/${requestId}`;
    this.#onCrash = (error, code) => this.#fatal(`${route}/error`, error, code);
    if (this.#handler[STREAMING]) this.#stream(route, headers, body);
    else this.#call(route, headers, body);
  }

  #call(route, headers, body) {
    let posted = false;
    let waitForEmptyEventLoop = true;
    const post = (path, text, extra) => {
      if (posted) return;
      posted = true;
      this.#api.hold(true);
      this.#api.post(route + path, text, { 'Content-Type': 'application/json', ...extra });
      this.#next(this.#api.next());
    };
    const fail = (error) => {
      logFailure('Invoke Error', error);
      const text = serialize(errorBody(error));
      post('/error', text, { 'Lambda-Runtime-Function-Error-Type': 'Unhandled' });
    };
    const succeed = (result) => {
      let text;
      try {
        text = serialize(result);
      } catch (error) {
        fail(error);
        return;
      }
      post('/response', text, {});
    };
    let finished = false;
    const once =
      (done) =>
      (...args) => {
        if (finished) return;
        finished = true;
        this.#whenIdle = () => {};
        done(...args);
      };
    const isSet = (error) => error !== undefined && error !== null;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waitForEmptyEventLoop;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waitForEmptyEventLoop = value;
      },
      succeed: once(succeed),
      fail: once((error) => fail(isSet(error) ? error : 'handled')),
      done: once((error, result) => (isSet(error) ? fail(error) : succeed(result))),
    };
    const callback = once((error, result) => {
      if (isSet(error)) fail(error);
      else if (!waitForEmptyEventLoop) succeed(result);
      else this.#whenIdle = () => setImmediate(() => succeed(result));
    });
    this.#whenIdle = () => {
      finished = true;
      succeed(null);
    };
    try {
      const result = this.#handler(JSON.parse(body.toString('utf8')), Object.assign(context, contextOf(headers)), callback);
      if (typeof result?.then === 'function') result.then(context.succeed, context.fail);
    } catch (error) {
      context.fail(error);
    }
  }

  async #stream(route, headers, body) {
    const { Writable } = await import('node:stream');
    const request = this.#api.stream(`${route}/response`, {
      'Content-Type': 'application/octet-stream',
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    });
    let first = true;
    const out = new Writable({
      decodeStrings: false,
      objectMode: true,
      write(chunk, encoding, done) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk instanceof Uint8Array ? chunk : Buffer.from(JSON.stringify(chunk));
        if (first) {
          first = false;
          out._onBeforeFirstWrite?.((prelude) => request.write(Buffer.from(prelude), () => {}));
        }
        request.write(bytes, done);
      },
    });
    out.setContentType = (type) => {
      if (!first) throw new RuntimeFault('InvalidStreamingOperation', 'Cannot set content-type, too late.');
      request.setHeader('Content-Type', type);
    };
    let ended = false;
    const finish = (trailers) => {
      if (ended) return;
      ended = true;
      this.#api.hold(true);
      if (first && out._onBeforeFirstWrite) out._onBeforeFirstWrite((prelude) => request.write(Buffer.from(prelude), () => {}));
      request.end(trailers);
      this.#next(this.#api.next());
    };
    const fail = (error) => {
      logFailure('Invoke Error', error);
      const text = errorBody(error);
      finish({
        'Lambda-Runtime-Function-Error-Type': text.errorType,
        'Lambda-Runtime-Function-Error-Body': Buffer.from(serialize(text)).toString('base64'),
      });
    };
    try {
      const result = this.#handler(JSON.parse(body.toString('utf8')), out, Object.assign({ callbackWaitsForEmptyEventLoop: true }, contextOf(headers)));
      if (typeof result?.then !== 'function') {
        fail('Streaming does not support non-async handlers.');
        return;
      }
      if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
      if (!out.writableEnded) {
        fail('Response stream is not finished.');
        return;
      }
      if (!out.writableFinished) await new Promise((resolve) => out.once('finish', resolve));
      finish({});
    } catch (error) {
      fail(error);
    }
  }
}

patchConsole();
watchLifeline(lifelineFd);
installAwsLambda();
provideSdk();
const runtime = new Runtime(new RuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API));
// A module that cannot be loaded is reported as an exception that nobody caught, as AWS's runtime does.
runtime.start().catch((error) => {
  setImmediate(() => {
    throw error;
  });
});
