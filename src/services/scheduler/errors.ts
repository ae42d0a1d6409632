import { AwsError } from '../../kit/errors.ts';

/** Errors of the Amazon EventBridge Scheduler API Reference; each carries its text as `Message`. */

const error = (code: string, status: number, message: string) => new AwsError(code, message, { status });

export const validation = (message: string) => error('ValidationException', 400, message);
export const conflict = (message: string) => error('ConflictException', 409, message);
export const notFound = (message: string) => error('ResourceNotFoundException', 404, message);

export const scheduleNotFound = (name: string) => notFound(`Schedule ${name} does not exist.`);
export const scheduleExists = (name: string) => conflict(`Schedule ${name} already exists.`);
export const groupNotFound = (name: string) => notFound(`Schedule group ${name} does not exist.`);
export const groupExists = (name: string) => conflict(`Schedule group ${name} already exists.`);
export const groupDeleting = (name: string) => conflict(`Schedule group ${name} is being deleted.`);
export const invalidExpression = (text: string) => validation(`Invalid Schedule Expression ${text}.`);
export const invalidTimeZone = (text: string) => validation(`Invalid ScheduleExpressionTimezone ${text}.`);
export const notATarget = (service: string) => validation(`${service} is not a supported service for a target.`);
export const invalidToken = () => validation('Invalid NextToken.');
