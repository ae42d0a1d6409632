import { AwsError } from '../../kit/errors.ts';

/** The errors of each action in the AWS Systems Manager API Reference, in AWS's words where they are recorded. */

export const validation = (message: string) => new AwsError('ValidationException', message);
/** As recorded, it says nothing. */
export const parameterNotFound = (message = '') => new AwsError('ParameterNotFound', message);
export const versionNotFound = (version: string, name: string) =>
  new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${version} of ${name}. Verify the version and try again.`);
export const alreadyExists = () =>
  new AwsError('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.');
export const invalidFilterKey = (message: string) => new AwsError('InvalidFilterKey', message);
export const invalidFilterOption = (message: string) => new AwsError('InvalidFilterOption', message);
export const invalidFilterValue = (message: string) => new AwsError('InvalidFilterValue', message);
export const invalidNextToken = () => new AwsError('InvalidNextToken', 'The specified token is not valid.');
export const invalidResourceId = () => new AwsError('InvalidResourceId', 'The resource ID is not valid. Verify that you entered the correct ID and try again.');
