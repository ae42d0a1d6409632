import type { Clock } from '../kit/clock.ts';
import { faultPayload, type RuntimeMissingError } from './failures.ts';
import { EnvironmentLog } from './log-output.ts';
import { PlatformLog } from './platform-log.ts';
import { Telemetry } from './telemetry.ts';
import type { FunctionSpec, InvokeRequest, InvokeResult } from './types.ts';

const ERROR_TYPE = 'Runtime.NotFound';

/**
 * What an invocation comes to whose runtime this machine does not have: an error of the function's, in its answer and in its
 * log (`logStream`), that says what to install.
 */
export function missingRuntimeResult(
  spec: FunctionSpec,
  request: Pick<InvokeRequest, 'requestId' | 'tail'>,
  error: RuntimeMissingError,
  clock: Clock,
  logStream: string,
): InvokeResult {
  const now = () => new Date(clock.virtual()).toISOString();
  const log = new EnvironmentLog(spec.openLog(logStream), () => clock.virtual(), { logging: spec.logging });
  const telemetry = new Telemetry({ connect: () => Promise.reject(new Error('there is no environment')), now });
  const platform = new PlatformLog({ spec, logStream, log, telemetry, now });
  const report = { durationMs: 0, billedMs: 0, memoryUsedMb: 0 };
  const invocation = { ...request, payload: new Uint8Array(), invokedFunctionArn: '', trace: '' };
  const message = `RequestId: ${request.requestId} Error: ${error.message}`;
  if (request.tail) log.startTail();
  platform.start(invocation);
  platform.fault(message, ERROR_TYPE);
  platform.end(invocation);
  platform.report(invocation, { report, failure: { status: 'error', errorType: ERROR_TYPE }, producedBytes: 0 });
  const logTail = log.takeTail();
  log.close();
  return {
    payload: faultPayload({ errorType: ERROR_TYPE, errorMessage: message }),
    functionError: 'Unhandled',
    report,
    ...(logTail === undefined ? {} : { logTail }),
  };
}

/** `2026/11/21/[$LATEST]4459c970fa6d4c77aca62c95850fce54`. */
export function logStreamName(nowMs: number, version: string, id: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/')}/[${version}]${id}`;
}
