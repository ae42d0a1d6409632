import { AwsError } from '../../kit/errors.ts';

/** 400 `ValidationError`. */
export const validationError = (message: string) => new AwsError('ValidationError', message, { status: 400 });
/** 400 `InvalidParameterValue`. */
export const invalidParameterValue = (message: string) => new AwsError('InvalidParameterValue', message, { status: 400 });
/** 403 `AccessDenied`. */
export const accessDenied = (message: string) => new AwsError('AccessDenied', message, { status: 403 });
/** 400 `MalformedPolicyDocument`. */
export const malformedPolicy = (message: string) => new AwsError('MalformedPolicyDocument', message, { status: 400 });
/** 400 `PackedPolicyTooLarge`. */
export const packedPolicyTooLarge = (message: string) => new AwsError('PackedPolicyTooLarge', message, { status: 400 });
