import { AwsError } from '../../kit/errors.ts';

/** Every modelled exception of Lambda says whose fault it is. */
function user(code: string, message: string, status: number, members: Record<string, unknown> = {}): AwsError {
  return new AwsError(code, message, { status, members: { Type: 'User', ...members } });
}

/** A parameter that the service refuses (400). */
export const invalidParameter = (message: string): AwsError => user('InvalidParameterValueException', message, 400);

/** The same from those parts of AWS that leave `Type` out. */
export const plainInvalidParameter = (message: string): AwsError => user('InvalidParameterValueException', message, 400, { Type: undefined });

/** Said of things that have a place and are not there, without naming them. */
export const noSuchResource = (): AwsError => notFound('The resource you requested does not exist.');

/** A constraint of the model, in the words of the validating front end (400). */
export const validation = (message: string): AwsError => new AwsError('ValidationException', `1 validation error detected: ${message}`);

export const notFound = (message: string): AwsError =>
  new AwsError('ResourceNotFoundException', message, { status: 404, members: { Type: 'User', Message: message } });

export const codeSigningConfigNotFound = (arn: string): AwsError => {
  const message = `The Lambda code signing configuration ${arn} can not be found.`;
  return new AwsError('ResourceNotFoundException', message, { status: 404, members: { Type: undefined, Message: message } });
};

/** The same, said of a configuration that a function is to have. */
export const codeSigningConfigGone = (arn: string): AwsError =>
  user(
    'CodeSigningConfigNotFoundException',
    `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
    404,
  );

export const functionNotFound = (arn: string): AwsError => notFound(`Function not found: ${arn}`);

export const conflict = (message: string): AwsError => user('ResourceConflictException', message, 409);

/** An update is under way, or the function is not there yet. */
export function busy(arn: string, state: string | undefined): AwsError {
  if (state === 'Pending' || state === 'Failed')
    return conflict(`The operation cannot be performed at this time. The function is currently in the following state: ${state}`);
  return conflict(`The operation cannot be performed at this time. An update is in progress for resource: ${arn}`);
}

export const revisionMismatch = (api: 'GetFunction/GetAlias' | 'GetPolicy' | 'GetLayerPolicy' = 'GetFunction/GetAlias'): AwsError =>
  user(
    'PreconditionFailedException',
    `The Revision Id provided does not match the latest Revision Id. Call the ${api} API to retrieve the latest Revision Id`,
    412,
  );

export const invalidRequestContent = (message: string): AwsError => user('InvalidRequestContentException', message, 400);

export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'FunctionInvocationRateLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionInvocationRateLimitExceeded'
  | 'CallerRateLimitExceeded'
  | 'ConcurrentSnapshotCreateLimitExceeded';

/** `Retry-After` comes where it is known when to: not where a function's own reserved concurrency is used up, as recorded. */
export const throttled = (reason: ThrottleReason, retryAfterSeconds?: number): AwsError =>
  new AwsError('TooManyRequestsException', 'Rate Exceeded.', {
    status: 429,
    members: { Type: 'User', Reason: reason },
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'Retry-After': String(retryAfterSeconds) } }),
  });

export const noProvisionedConcurrency = (): AwsError =>
  user('ProvisionedConcurrencyConfigNotFoundException', 'No Provisioned Concurrency Config found for this function', 404);

export const entityTooLarge = (message: string): AwsError => new AwsError('RequestEntityTooLargeException', message, { status: 413 });

export const codeStorageExceeded = (): AwsError => user('CodeStorageExceededException', 'Code storage limit exceeded.', 400);

export const accessDenied = (message: string): AwsError => new AwsError('AccessDeniedException', message, { status: 403 });
