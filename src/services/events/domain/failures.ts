import { AwsError } from '../../../kit/errors.ts';

/** Why a delivery failed, as a dead letter states it, and whether trying again may help; "Using dead-letter queues to process undelivered events". */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
  /** What the endpoint asked for. */
  readonly afterMs?: number;
}

/** A failure of an HTTP endpoint, or of a target that is not as it must be. */
export class DeliveryError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

const PASSING = /Throttl|TooManyRequests|RequestLimitExceeded|LimitExceeded|SlowDown|OverLimit|ServiceUnavailable|ResourceConflict/;
const MISSING = /NotFound|DoesNotExist|NonExistent|NoSuch/;
const DENIED = /AccessDenied|Forbidden|Unauthorized|AuthorizationError/;

export function failureOf(error: unknown): Failure {
  if (error instanceof DeliveryError) return error.failure;
  if (!(error instanceof AwsError)) throw error;
  const { code, message, status } = error;
  if (PASSING.test(code) || status === 429) return { code: 'THROTTLING', message, retry: true };
  if (status >= 500 && status !== 501) return { code: 'INTERNAL_ERROR', message, retry: true };
  if (MISSING.test(code)) return { code: 'NO_RESOURCE', message, retry: false };
  if (DENIED.test(code)) return { code: 'NO_PERMISSIONS', message, retry: false };
  return { code: status === 501 ? 'SDK_CLIENT_ERROR' : 'INVALID_PARAMETER', message, retry: false };
}
