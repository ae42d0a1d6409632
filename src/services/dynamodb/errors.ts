import { AwsError } from '../../kit/errors.ts';

/** A request that breaks a rule, in AWS's words. */
export function validation(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** The commonest form of it. */
export function invalidParameter(reason: string): AwsError {
  return validation(`One or more parameter values were invalid: ${reason}`);
}

export const KEY_SCHEMA_MISMATCH = 'The provided key element does not match the schema';

/** Item operations name no table. */
export function tableNotFound(): AwsError {
  return new AwsError('ResourceNotFoundException', 'Requested resource not found');
}

/** Table operations name it. */
export function tableNameNotFound(name: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
}

export function resourceArnNotFound(arn: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Requested resource not found: ResourcArn: ${arn} not found`);
}

export function accessDenied(caller: string, action: string, arn: string): AwsError {
  return new AwsError(
    'AccessDeniedException',
    `User: ${caller} is not authorized to perform: ${action} on resource: ${arn} because no resource-based policy allows the ${action} action`,
  );
}

export function tableExists(name: string): AwsError {
  return new AwsError('ResourceInUseException', `Table already exists: ${name}`);
}

export function tableInUse(what: string, name: string): AwsError {
  return new AwsError('ResourceInUseException', `Attempt to change a resource which is still in use: ${what}: ${name}`);
}

export function conditionFailed(item?: Record<string, unknown>): AwsError {
  return new AwsError('ConditionalCheckFailedException', 'The conditional request failed', item ? { members: { Item: item } } : {});
}

export function duplicateItem(): AwsError {
  return new AwsError('DuplicateItemException', 'Duplicate primary key exists in table');
}

export function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceededException', message);
}

/** A reason of a cancelled transaction; `None` where the action itself was fine. */
export interface CancellationReason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Record<string, unknown>;
}

export function transactionCancelled(reasons: readonly CancellationReason[]): AwsError {
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return new AwsError('TransactionCanceledException', `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`, {
    members: { CancellationReasons: reasons },
  });
}

export function idempotentParameterMismatch(): AwsError {
  return new AwsError('IdempotentParameterMismatchException', 'The request uses the same client token as a previous, but non-identical request.');
}

export function streamNotFound(arn: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Requested resource not found: Stream: ${arn} not found`);
}

export function shardNotFound(arn: string, shardId: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Requested resource not found: Shard: ${shardId} in Stream: ${arn} not found`);
}

export function expiredIterator(): AwsError {
  return new AwsError('ExpiredIteratorException', 'The shard iterator has expired and can no longer be used to retrieve stream records');
}

export function trimmedData(): AwsError {
  return new AwsError('TrimmedDataAccessException', 'The operation attempted to read past the oldest stream record in a shard');
}
