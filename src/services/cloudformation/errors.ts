import { AwsError } from '../../kit/errors.ts';

/** 400 `ValidationError`: what is wrong with a template, a parameter or a stack's state. */
export const validationError = (message: string) => new AwsError('ValidationError', message, { status: 400 });
/** 400 `AlreadyExistsException`. */
export const alreadyExists = (message: string) => new AwsError('AlreadyExistsException', message, { status: 400 });
/** 400 `InsufficientCapabilitiesException`. */
export const insufficientCapabilities = (needed: readonly string[]) =>
  new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${needed.join(', ')}]`, { status: 400 });
/** 404 `ChangeSetNotFound`. */
export const changeSetNotFound = (name: string) => new AwsError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, { status: 404 });
/** 400 `InvalidChangeSetStatus`. */
export const invalidChangeSetStatus = (message: string) => new AwsError('InvalidChangeSetStatus', message, { status: 400 });
/** 400 `TokenAlreadyExistsException`. */
export const tokenAlreadyExists = (message: string) => new AwsError('TokenAlreadyExistsException', message, { status: 400 });

export const stackMissing = (name: string) => validationError(`Stack [${name}] does not exist`);
export const stackWithIdMissing = (name: string) => validationError(`Stack with id ${name} does not exist`);

/** A mistake in a template that is found while a stack operation runs: the reason of its event. */
export const templateError = (message: string) => validationError(`Template error: ${message}`);
export const formatError = (message: string) => validationError(`Template format error: ${message}`);
