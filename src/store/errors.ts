import { AwsError } from '../kit/errors.ts';

/** The commit could not be made durable: nothing of it was written. Callers see AWS's `InternalFailure` with a sentence that says what to do. */
export class StoreError extends AwsError {
  constructor(message: string, cause?: unknown) {
    super('InternalFailure', message, { status: 500, cause });
  }
}

/** The disk is full. Later commits succeed as soon as there is space again. */
export class StoreFullError extends StoreError {}

/** Too many transactions are waiting for the disk: AWS's throttle error. Nothing was run. */
export function storeBusy(): AwsError {
  return new AwsError('ThrottlingException', 'Rate exceeded', { status: 400, headers: { 'Retry-After': '1' } });
}

export function storeClosed(): StoreError {
  return new StoreError('The store is closed.');
}

/** Croft cannot start on this data: the message is for the person who started it. */
export class StoreOpenError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreOpenError';
  }
}
