import { AwsError } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';
import { BATCH_ENTRIES_MAX, MESSAGE_BYTES_MAX } from './limits.ts';

/** "Common errors" and the errors of each action in the Amazon SQS API Reference, in the words recorded from AWS. */

export const invalidParameter = (message: string) => new AwsError('InvalidParameterValue', message);
/** `Value 11 for parameter X is invalid. Reason: …` */
export const invalidValue = (parameter: string, value: unknown, reason: string) =>
  invalidParameter(`Value ${String(value)} for parameter ${parameter} is invalid. Reason: ${reason}`);
export const missingParameter = (parameter: string) => new AwsError('MissingParameter', `The request must contain the parameter ${parameter}.`);
export const invalidAttributeValue = (attribute: string, reason = '') =>
  new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${attribute}.${reason === '' ? '' : ` Reason: ${reason}`}`);
export const invalidAttributeName = (message: string) => new AwsError('InvalidAttributeName', message);
export const unknownAttribute = (attribute: string) => invalidAttributeName(`Unknown Attribute ${attribute}.`);
export const unsupportedOperation = (message: string) => new AwsError('UnsupportedOperation', message);
export const overLimit = (message: string) => new AwsError('OverLimit', message);
export const notFound = (message: string) => new AwsError('ResourceNotFoundException', message);

/** The query protocol still speaks of its WSDL. */
export function queueDoesNotExist(ctx: Pick<Ctx, 'http'>): AwsError {
  const json = ctx.http === undefined || (ctx.http.headers['content-type'] ?? '').startsWith('application/x-amz-json');
  return new AwsError('QueueDoesNotExist', `The specified queue does not exist${json ? '' : ' for this wsdl version'}.`);
}
export const invalidAddress = (url: string) => new AwsError('InvalidAddress', `The address ${url} is not valid for this endpoint.`);
export const queueDeletedRecently = () =>
  new AwsError('QueueDeletedRecently', 'You must wait 60 seconds after deleting a queue before you can create another with the same name.');
export const queueNameExists = (attribute: string) =>
  new AwsError('QueueNameExists', `A queue already exists with the same name and a different value for attribute ${attribute}`);
export const purgeInProgress = (name: string) => new AwsError('PurgeQueueInProgress', `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`);

export const messageTooLong = (maxBytes: number, inBatch: boolean) =>
  invalidParameter(`One or more parameters ${inBatch ? 'cannot be validated' : 'are invalid'}. Reason: Message must be shorter than ${maxBytes} bytes.`);
export const invalidMessageContents = () =>
  new AwsError(
    'InvalidMessageContents',
    'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
  );
export const noDeduplicationId = () =>
  invalidParameter('The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly');

export const invalidReceiptHandle = (handle: string) =>
  new AwsError('ReceiptHandleIsInvalid', `The input receipt handle "${handle}" is not a valid receipt handle.`);
export const expiredReceiptHandle = (handle: string) => invalidValue('ReceiptHandle', handle, 'The receipt handle has expired.');
export const notAvailableForVisibility = (handle: string) =>
  invalidValue('ReceiptHandle', handle, 'Message does not exist or is not available for visibility timeout change.');

export const emptyBatch = (entryType: string) => new AwsError('EmptyBatchRequest', `There should be at least one ${entryType} in the request.`);
export const tooManyEntries = (sent: number) =>
  new AwsError('TooManyEntriesInBatchRequest', `Maximum number of entries per request are ${BATCH_ENTRIES_MAX}. You have sent ${sent}.`);
export const invalidEntryId = () =>
  new AwsError('InvalidBatchEntryId', 'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.');
export const entryIdsNotDistinct = (id: string) => new AwsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
export const batchTooLong = (bytes: number) =>
  new AwsError('BatchRequestTooLong', `Batch requests cannot be longer than ${MESSAGE_BYTES_MAX} bytes. You have sent ${bytes} bytes.`);
