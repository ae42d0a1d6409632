/**
 * Console output and error bodies as AWS's runtime writes them. One line of stdout is one log event; a message of several lines is
 * written with MESSAGE_NEWLINE inside (bytes that no UTF-8 text contains).
 */
import { writeSync } from 'node:fs';
import { format, types } from 'node:util';

const MESSAGE_NEWLINE = Buffer.from([0xff, 0x8a]);
/** Read when the function is known: this file may be loaded before. */
let jsonLogs = false;

/** Where AWS's runtime keeps them: logging libraries look there. */
const REQUEST_ID = Symbol.for('aws.lambda.runtime.requestId');
const TENANT_ID = Symbol.for('aws.lambda.runtime.tenantId');

/** Console lines carry the id of the invocation they are written in. */
export function setInvocation(requestId, tenantId) {
  globalThis[REQUEST_ID] = requestId;
  globalThis[TENANT_ID] = tenantId;
}

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
  const tenantId = globalThis[TENANT_ID] ?? undefined;
  const line = { timestamp: new Date().toISOString(), level, requestId: globalThis[REQUEST_ID], ...(tenantId === undefined ? {} : { tenantId }) };
  const replace = (_key, value) => (value instanceof Error ? errorFields(value) : value);
  if (params.length <= 1) {
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

export function patchConsole() {
  jsonLogs = (process.env.AWS_LAMBDA_LOG_FORMAT ?? '').toUpperCase() === 'JSON';
  const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const least = Math.max(0, levels.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL ?? '').toUpperCase()));
  const logger = (level) => {
    if (levels.indexOf(level) < least) return () => {};
    if (jsonLogs) return (...params) => writeEvent(jsonLine(level, params));
    return (...params) => writeEvent(`${new Date().toISOString()}\t${globalThis[REQUEST_ID]}\t${level}\t${format(...params)}`);
  };
  console.trace = logger('TRACE');
  console.debug = logger('DEBUG');
  console.log = console.info = logger('INFO');
  console.warn = logger('WARN');
  console.error = logger('ERROR');
  console.fatal = logger('FATAL');
}

/** A failure that the runtime itself finds. */
export class RuntimeFault extends Error {
  constructor(kind, message) {
    super(message);
    Object.defineProperty(this, 'name', { value: `Runtime.${kind}`, enumerable: false, configurable: true });
    const frames = this.stack.split('\n').filter((line) => line.startsWith('    at '));
    this.stack = [`${this.name}: ${this.message}`, ...frames].join('\n');
  }
}

const escapeDelete = (text) => (typeof text === 'string' ? text.replaceAll('\x7f', '%7F') : text);

/** The error body as AWS's runtime posts it. */
export function errorBody(error) {
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

export function logFailure(title, failure) {
  const error = failure instanceof Error ? failure : new Error(failure);
  if (jsonLogs) {
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

export function serialize(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? '';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}
