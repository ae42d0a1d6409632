import { AwsError } from '../../kit/errors.ts';

/** The errors of each action in the Amazon SNS API Reference, in the words recorded from AWS. */

export const invalidParameter = (what: string, reason?: string) =>
  new AwsError('InvalidParameter', `Invalid parameter: ${what}${reason === undefined ? '' : ` Reason: ${reason}`}`);
/** Some messages stand without the usual beginning. */
export const invalid = (message: string) => new AwsError('InvalidParameter', message);
export const invalidValue = (message: string) => new AwsError('ParameterValueInvalid', message);
export const notFound = (what: string) => new AwsError('NotFound', `${what} does not exist`, { status: 404 });
export const invalidState = (message: string) => new AwsError('InvalidState', message);
export const resourceNotFound = (message = 'Resource does not exist') => new AwsError('ResourceNotFound', message, { status: 404 });
export const missing = (path: string) =>
  new AwsError('ValidationError', `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`);
export const tagLimitExceeded = () => new AwsError('TagLimitExceeded', 'Could not complete request: tag quota of per resource exceeded');
export const subscriptionLimitExceeded = () => new AwsError('SubscriptionLimitExceeded', 'Subscription limit for the topic is reached', { status: 403 });
export const endpointDisabled = () => new AwsError('EndpointDisabled', 'Endpoint is disabled');
export const platformApplicationDisabled = () => new AwsError('PlatformApplicationDisabled', 'Platform application is disabled');
export const optedOut = () => new AwsError('OptedOut', 'Phone number is opted out');

export const emptyBatch = () => new AwsError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
export const tooManyEntries = () => new AwsError('TooManyEntriesInBatchRequest', 'The batch request contains more entries than permissible.');
export const entryIdsNotDistinct = () => new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
export const entryIdTooLong = (id: string) => new AwsError('InvalidBatchEntryId', `The Id of a batch entry in the batch request is too long: ${id}`);
export const entryIdCharacter = (id: string) =>
  new AwsError('InvalidBatchEntryId', `The Id of a batch entry in the batch request contains an impermissible character: ${id}`);
export const batchTooLong = () => new AwsError('BatchRequestTooLong', 'The length of all the messages put together is more than the limit.');
