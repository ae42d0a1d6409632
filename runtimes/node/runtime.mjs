/** Takes events from the Runtime API, calls the handler, posts what it returns. */
import { RuntimeApi, watchLifeline } from './api.mjs';
import { installAwsLambda, loadHandler, providePackages, STREAMING } from './loader.mjs';
import { errorBody, logFailure, patchConsole, RuntimeFault, serialize, setInvocation } from './logs.mjs';

const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;

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
    const requestId = headers['lambda-runtime-aws-request-id'];
    setInvocation(requestId, headers['lambda-runtime-aws-tenant-id']);
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

/** Becomes the runtime of the function that the environment's variables name. */
export function run(lifelineFd, vendor, layers) {
  patchConsole();
  watchLifeline(lifelineFd);
  installAwsLambda();
  providePackages(layers, vendor);
  const runtime = new Runtime(new RuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API));
  // A module that cannot be loaded is reported as an exception that nobody caught, as AWS's runtime does.
  runtime.start().catch((error) => {
    setImmediate(() => {
      throw error;
    });
  });
}
