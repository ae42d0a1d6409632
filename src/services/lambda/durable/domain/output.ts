import type { ErrorObject } from '../store.ts';

/** What the function of a durable execution answers. */
export interface InvocationOutput {
  readonly Status: 'SUCCEEDED' | 'FAILED' | 'PENDING';
  readonly Result?: string;
  readonly Error?: ErrorObject;
}

const STATUSES: ReadonlySet<unknown> = new Set(['SUCCEEDED', 'FAILED', 'PENDING']);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined for what is no output of a durable function. */
export function readOutput(payload: Buffer): InvocationOutput | undefined {
  const value = parsed(payload);
  if (!isRecord(value) || !STATUSES.has(value['Status'])) return undefined;
  const { Result: result, Error: error } = value;
  if (result !== undefined && result !== null && typeof result !== 'string') return undefined;
  if (error !== undefined && error !== null && !isRecord(error)) return undefined;
  return {
    Status: value['Status'] as InvocationOutput['Status'],
    ...(typeof result === 'string' ? { Result: result } : {}),
    ...(isRecord(error) ? { Error: errorObject(error, 'ErrorMessage', 'ErrorType', 'ErrorData', 'StackTrace') } : {}),
  };
}

/** The error in the payload of a failed invocation: `errorMessage`, `errorType`, `stackTrace` (Node.js: `trace`). */
export function failureOf(payload: Buffer): ErrorObject {
  const value = parsed(payload);
  if (!isRecord(value)) return { ErrorMessage: payload.toString('utf8') };
  return errorObject({ ...value, stackTrace: value['stackTrace'] ?? value['trace'] }, 'errorMessage', 'errorType', 'errorData', 'stackTrace');
}

function errorObject(from: Record<string, unknown>, message: string, type: string, data: string, trace: string): ErrorObject {
  const lines = from[trace];
  return {
    ...(typeof from[message] === 'string' ? { ErrorMessage: from[message] } : {}),
    ...(typeof from[type] === 'string' ? { ErrorType: from[type] } : {}),
    ...(typeof from[data] === 'string' ? { ErrorData: from[data] } : {}),
    ...(Array.isArray(lines) ? { StackTrace: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))) } : {}),
  };
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
