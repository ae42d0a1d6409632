import type { Exit } from './types.ts';

/** Every environment is taken and the queue is full, or the wait was too long. The room answers 429. */
export class CapacityError extends Error {
  /** The queue itself was full: callers come faster than anything could take them. */
  readonly queueFull: boolean;

  constructor(message: string, queueFull = false) {
    super(message);
    this.queueFull = queueFull;
  }
}

/** A function whose runtime no interpreter on this machine can run, in a sentence that says what to do. */
export class RuntimeMissingError extends Error {}

/** A program of an environment that cannot be started, with AWS's type and wording. */
export class LaunchError extends Error {
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** A code package that cannot be used; the message is AWS's. */
export class CodePackageError extends Error {}

/** What the platform says about an invocation that the runtime did not finish. */
export interface PlatformFault {
  readonly errorType: string;
  readonly errorMessage: string;
}

export function timeoutFault(requestId: string, timeoutMs: number): PlatformFault {
  return { errorType: 'Sandbox.Timedout', errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds(timeoutMs)} seconds` };
}

export function exitFault(requestId: string, exit: Exit): PlatformFault {
  return { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: ${exitReason(exit)}` };
}

export function responseTooLargeFault(bytesMax: number): PlatformFault {
  return {
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${bytesMax} bytes).`,
  };
}

/** The payload of a platform fault: `errorType` first, as AWS writes it. */
export function faultPayload(fault: PlatformFault): Buffer {
  return Buffer.from(JSON.stringify({ errorType: fault.errorType, errorMessage: fault.errorMessage }));
}

/** `3.00` of 3000. */
export function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGSEGV: 'segmentation fault',
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGILL: 'illegal instruction',
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGPIPE: 'broken pipe',
};

function exitReason(exit: Exit): string {
  return exit.signal === null && (exit.code === 0 || exit.code === null)
    ? 'Runtime exited without providing a reason'
    : `Runtime exited with error: ${exitStatus(exit)}`;
}

/** `exit status 3`, `signal: killed`. */
export function exitStatus(exit: Exit): string {
  return exit.signal ? `signal: ${SIGNAL_WORDS[exit.signal] ?? exit.signal}` : `exit status ${exit.code ?? 0}`;
}
