import { exitFault, faultPayload, type PlatformFault, responseTooLargeFault, timeoutFault } from './failures.ts';
import { RESPONSE_BYTES_MAX } from './limits.ts';
import type { Failure } from './log-lines.ts';
import type { RuntimeAnswer } from './runtime-api.ts';
import type { Exit } from './types.ts';

/** What became of an init phase or an invocation. */
export type Outcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly answer: RuntimeAnswer }
  | { readonly kind: 'init-error'; readonly body: Buffer; readonly errorType: string }
  | { readonly kind: 'exit'; readonly exit: Exit }
  /** An extension ended, or a program could not be started. */
  | { readonly kind: 'fault'; readonly errorType: string; readonly reason: string }
  | { readonly kind: 'timeout' };

export type Failed = Exclude<Outcome, { kind: 'ready' } | { kind: 'answer' }>;

/** What the caller of an invocation gets. */
export interface OutcomeResult {
  readonly payload: Buffer;
  readonly functionError?: 'Unhandled';
  /** What the platform says, where it is not the runtime that answers. */
  readonly fault?: PlatformFault;
}

export function resultOf(requestId: string, outcome: Outcome, timeoutMs: number): OutcomeResult {
  const failed = (fault: PlatformFault): OutcomeResult => ({ payload: faultPayload(fault), functionError: 'Unhandled', fault });
  switch (outcome.kind) {
    case 'answer':
      if (outcome.answer.tooLarge) return failed(responseTooLargeFault(RESPONSE_BYTES_MAX));
      return { payload: outcome.answer.body, ...(outcome.answer.kind === 'error' ? { functionError: 'Unhandled' } : {}) };
    case 'init-error':
      return { payload: outcome.body, functionError: 'Unhandled' };
    case 'timeout':
      return failed(timeoutFault(requestId, timeoutMs));
    case 'exit':
      return failed(exitFault(requestId, outcome.exit));
    case 'fault':
      return failed({ errorType: outcome.errorType, errorMessage: `RequestId: ${requestId} Error: ${outcome.reason}` });
    case 'ready':
      return failed({ errorType: 'Runtime.Unknown', errorMessage: `RequestId: ${requestId} Error: Runtime asked for the next event without answering` });
  }
}

/** As it is reported. */
export function failureOf(outcome: Failed): Failure {
  switch (outcome.kind) {
    case 'timeout':
      return { status: 'timeout' };
    case 'exit':
      return { status: 'error', errorType: 'Runtime.ExitError' };
    default:
      return { status: 'error', errorType: outcome.errorType };
  }
}
