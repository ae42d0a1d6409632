import { AwsError } from '../../kit/errors.ts';
import type { Kind } from './domain/entities.ts';

/** How IAM's messages name each kind of entity. */
const NOUN: Record<Kind, string> = { role: 'role', user: 'user', group: 'group', policy: 'policy', 'instance-profile': 'Instance Profile' };

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** 404 `NoSuchEntity`. */
export const noSuchEntity = (message: string) => new AwsError('NoSuchEntity', message, { status: 404 });

/** The wording for an entity known by its name. */
export function notFound(kind: Kind, name: string): AwsError {
  if (kind === 'instance-profile') return noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return noSuchEntity(`The ${NOUN[kind]} with name ${name} cannot be found.`);
}

export const policyNotFound = (arn: string) => noSuchEntity(`Policy ${arn} was not found.`);
export const policyNotAttachable = (arn: string) => noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);

/** 409 `EntityAlreadyExists`. */
export function alreadyExists(kind: Kind, name: string): AwsError {
  const message =
    kind === 'policy'
      ? `A policy called ${name} already exists. Duplicate names are not allowed.`
      : kind === 'instance-profile'
        ? `Instance Profile ${name} already exists.`
        : `${capitalised(NOUN[kind])} with name ${name} already exists.`;
  return new AwsError('EntityAlreadyExists', message, { status: 409 });
}

/** 409 `DeleteConflict`. */
export const deleteConflict = (message: string) => new AwsError('DeleteConflict', message, { status: 409 });

/** 400 `UnmodifiableEntity`: a service-linked role. */
export const unmodifiable = (roleName: string) =>
  new AwsError('UnmodifiableEntity', `Cannot perform the operation on the protected role '${roleName}' - this role is only modifiable by AWS`, { status: 400 });

/** 409 `LimitExceeded`. */
export const limitExceeded = (message: string) => new AwsError('LimitExceeded', message, { status: 409 });

/** 400 `MalformedPolicyDocument`. */
export const malformedPolicy = (message: string) => new AwsError('MalformedPolicyDocument', message, { status: 400 });

/** 400 `InvalidInput`. */
export const invalidInput = (message: string) => new AwsError('InvalidInput', message, { status: 400 });

/** 400 `ValidationError`. */
export const validationError = (message: string) => new AwsError('ValidationError', message, { status: 400 });
