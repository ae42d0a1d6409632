import { AwsError } from '../../kit/errors.ts';

/** A parameter that is wrong in itself. */
export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}

/** A group named twice. */
export function groupNamedTwice(): AwsError {
  return new AwsError('ValidationException', 'LogGroup name and LogGroup ARN are mutually exclusive parameters.');
}

/** A paging token that was not given out, or not by this operation. */
export function invalidToken(): AwsError {
  return invalidParameter('The specified nextToken is invalid.');
}

export function groupNotFound(): AwsError {
  return new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
}

export function streamNotFound(): AwsError {
  return new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
}

export function groupExists(): AwsError {
  return new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
}

export function streamExists(): AwsError {
  return new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
}

/** TagResource knows the resource by its ARN and has its own wording. */
export function resourceNotFound(): AwsError {
  return new AwsError('ResourceNotFoundException', 'The specified resource does not exist.');
}

export function policyNotFound(name: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Policy with name [${name}] does not exist.`);
}

export function tooManyPolicies(): AwsError {
  return new AwsError('LimitExceededException', 'Resource limit exceeded.');
}

/** More than 50 tags on one log group. */
export function tooManyTags(resourceArn: string): AwsError {
  return new AwsError('TooManyTagsException', 'The maximum number of tags allowed on a resource is 50.', { members: { resourceName: resourceArn } });
}

export function deletionProtected(): AwsError {
  return new AwsError('ValidationException', 'The specified log group has deletion protection enabled. Disable deletion protection before deleting it.');
}
