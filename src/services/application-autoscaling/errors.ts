import { AwsError } from '../../kit/errors.ts';
import type { Target } from './domain/target.ts';

export const validation = (message: string): AwsError => new AwsError('ValidationException', message);
export const objectNotFound = (message: string): AwsError => new AwsError('ObjectNotFoundException', message);
export const limitExceeded = (message: string): AwsError => new AwsError('LimitExceededException', message);
export const invalidNextToken = (): AwsError => new AwsError('InvalidNextTokenException', 'The next token is invalid.');
export const tooManyTags = (arn: string): AwsError =>
  new AwsError('TooManyTagsException', 'The number of tags exceeds the limit.', { members: { ResourceName: arn } });
export const resourceNotFound = (arn: string): AwsError =>
  new AwsError('ResourceNotFoundException', `The resource does not exist: ${arn}`, { members: { ResourceName: arn } });

const named = ({ namespace, resource, dimension }: Target) => `service namespace: ${namespace}, resource ID: ${resource}, scalable dimension: ${dimension}`;

export const noTarget = (target: Target): AwsError => objectNotFound(`No scalable target found for ${named(target)}`);
export const notRegistered = (target: Target): AwsError => objectNotFound(`No scalable target registered for ${named(target)}`);
export const noPolicy = (target: Target, name: string): AwsError => objectNotFound(`No scaling policy found for ${named(target)}, policy name: ${name}`);
export const noAction = (target: Target, name: string): AwsError =>
  objectNotFound(`No scheduled action found for ${named(target)}, scheduled action name: ${name}`);
