import { AwsError } from '../../../kit/errors.ts';
import { invalidParameter, notFound } from '../errors.ts';

const user = (code: string, message: string, status: number): AwsError => new AwsError(code, message, { status, members: { Type: 'User' } });

export const executionNotFound = (): AwsError => notFound('Durable Execution does not exist');
export const invalidToken = (): AwsError => invalidParameter('Invalid checkpoint token');
export const foreignToken = (): AwsError => invalidParameter('Checkpoint token is not valid for the durable execution ARN');
export const invalidMarker = (): AwsError => invalidParameter('Invalid Marker');
export const invalidCallbackId = (): AwsError => invalidParameter('Invalid callback id');
/** The callback has ended, by an answer, a timeout, or with its execution. */
export const callbackClosed = (): AwsError => user('CallbackTimeoutException', 'The callback is either timed out or already completed', 400);
export const unqualified = (): AwsError => invalidParameter('You cannot invoke a durable function using an unqualified ARN.');
export const tooLongForSync = (): AwsError =>
  invalidParameter('You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.');
export const alreadyStarted = (arn: string): AwsError => {
  const message = `Execution already started: ${arn}`;
  return new AwsError('DurableExecutionAlreadyStartedException', message, { status: 409, members: { Type: 'User', Message: message } });
};
