import { AwsError } from '../../kit/errors.ts';

export const badRequest = (message: string): AwsError => new AwsError('BadRequestException', message, { status: 400 });
export const notFound = (message: string): AwsError => new AwsError('NotFoundException', message, { status: 404 });
export const conflict = (message: string): AwsError => new AwsError('ConflictException', message, { status: 409 });
export const limitExceeded = (message: string): AwsError => new AwsError('LimitExceededException', message, { status: 429 });

export const apiNotFound = (account: string, apiId: string): AwsError => notFound(`Invalid API identifier specified ${account}:${apiId}`);
export const resourceNotFound = (): AwsError => notFound('Invalid Resource identifier specified');
export const methodNotFound = (): AwsError => notFound('Invalid Method identifier specified');
export const integrationNotFound = (): AwsError => notFound('Invalid Integration identifier specified');
export const responseNotFound = (): AwsError => notFound('Invalid Response status code specified');
export const stageNotFound = (): AwsError => notFound('Invalid stage identifier specified');
export const deploymentNotFound = (): AwsError => notFound('Invalid Deployment identifier specified');
export const validatorNotFound = (): AwsError => notFound('Invalid Request Validator identifier specified');
export const authorizerNotFound = (): AwsError => notFound('Invalid Authorizer identifier specified');
export const apiKeyNotFound = (): AwsError => notFound('Invalid API Key identifier specified');
export const usagePlanNotFound = (): AwsError => notFound('Invalid Usage Plan ID specified');
export const documentationPartNotFound = (): AwsError => notFound('Invalid Documentation part identifier specified');
export const documentationVersionNotFound = (): AwsError => notFound('Invalid Documentation version specified');
export const modelNotFound = (name: string): AwsError => notFound(`Invalid model name specified: ${name}`);
