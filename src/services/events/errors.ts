import { AwsError } from '../../kit/errors.ts';

/** Errors of the Amazon EventBridge API Reference, in the words recorded from AWS. */

export const validation = (message: string) => new AwsError('ValidationException', message);
export const notFound = (message: string) => new AwsError('ResourceNotFoundException', message);
export const alreadyExists = (message: string) => new AwsError('ResourceAlreadyExistsException', message);
export const limitExceeded = () => new AwsError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
export const invalidPattern = (reason: string) => new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);

/** `Parameter X is not valid. Reason: …` */
export const invalidParameter = (parameter: string, reason: string) => validation(`Parameter ${parameter} is not valid. Reason: ${reason}`);

export const busNotFound = (name: string) => notFound(`Event bus ${name} does not exist.`);
export const busExists = (name: string) => alreadyExists(`Event bus ${name} already exists.`);
export const busHasRules = () => validation("EventBus can't be deleted since it has rules.");
export const ruleNotFound = (name: string, bus: string) => notFound(`Rule ${name} does not exist on EventBus ${bus}.`);
export const ruleHasTargets = () => validation("Rule can't be deleted since it has targets.");
export const managedRule = (rule: string, managedBy: string) =>
  new AwsError('ManagedRuleException', `Rule '${rule}' is a managed rule by service: ${managedBy}. Rule cannot be modified.`);
export const scheduleNeedsDefaultBus = () => validation('ScheduleExpression is supported only on the default event bus.');
export const invalidSchedule = () => validation('Parameter ScheduleExpression is not valid.');
export const statementNotFound = () => notFound('Statement with the provided id does not exist.');
export const policyTooLong = () => new AwsError('PolicyLengthExceededException', 'The event bus policy length exceeds the limit.');
export const archiveNotFound = (name: string) => notFound(`Archive ${name} does not exist.`);
export const archiveExists = (name: string) => alreadyExists(`Archive ${name} already exists.`);
export const replayNotFound = (name: string) => notFound(`Replay ${name} does not exist.`);
export const replayExists = (name: string) => alreadyExists(`Replay ${name} already exists.`);
export const illegalReplayStatus = (name: string) => new AwsError('IllegalStatusException', `Replay ${name} is not in a valid state for this operation.`);
export const connectionNotFound = (verb: string, name: string) => notFound(`Failed to ${verb} the connection(s). Connection '${name}' does not exist.`);
export const connectionExists = (name: string) => alreadyExists(`Connection ${name} already exists.`);
export const destinationNotFound = (verb: string, name: string) =>
  notFound(`Failed to ${verb} the api-destination(s). An api-destination '${name}' does not exist.`);
export const destinationExists = (name: string) => alreadyExists(`An api-destination '${name}' already exists.`);
export const tooManyTags = () => validation('The number of tags exceeds the limit.');
export const invalidToken = () => validation('The provided NextToken is not valid.');
