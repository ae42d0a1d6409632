import { partitionOf } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import { validation } from '../errors.ts';

/** What scales: a resource of a service, by one of its numbers. */
export interface Target {
  readonly namespace: string;
  readonly resource: string;
  readonly dimension: string;
}

const LAMBDA = 'lambda:function:ProvisionedConcurrency';
const DYNAMODB = [
  'dynamodb:table:ReadCapacityUnits',
  'dynamodb:table:WriteCapacityUnits',
  'dynamodb:index:ReadCapacityUnits',
  'dynamodb:index:WriteCapacityUnits',
];
const FUNCTION = /^function:([a-zA-Z0-9-_]+):([a-zA-Z0-9-_]+)$/;
const TABLE = /^table\/([a-zA-Z0-9_.-]+)(?:\/index\/([a-zA-Z0-9_.-]+))?$/;

interface TargetInput {
  readonly ServiceNamespace?: string | undefined;
  readonly ResourceId?: string | undefined;
  readonly ScalableDimension?: string | undefined;
}

/** The target that a request names. Throws AWS's error for what does not fit together, 501 for what Croft does not have. */
export function readTarget(input: TargetInput): Target {
  const target: Target = { namespace: input.ServiceNamespace ?? '', resource: input.ResourceId ?? '', dimension: input.ScalableDimension ?? '' };
  if (!target.dimension.startsWith(`${target.namespace}:`)) throw unsupported();
  if (target.namespace !== 'lambda' && target.namespace !== 'dynamodb') throw notImplemented(`Scaling of ${target.dimension}`);
  if (!functionOf(target) && !tableOf(target)) throw unsupported();
  return target;
}

export const unsupported = () => validation('Unsupported service namespace, resource type or scalable dimension');

/** The function and its version or alias. */
export function functionOf({ dimension, resource }: Target): { readonly FunctionName: string; readonly Qualifier: string } | undefined {
  const match = dimension === LAMBDA ? FUNCTION.exec(resource) : null;
  return match ? { FunctionName: match[1] ?? '', Qualifier: match[2] ?? '' } : undefined;
}

/** The table, its index where the dimension is one's, and which of the two throughputs. */
export function tableOf({
  dimension,
  resource,
}: Target): { readonly table: string; readonly index?: string; readonly unit: 'ReadCapacityUnits' | 'WriteCapacityUnits' } | undefined {
  const match = DYNAMODB.includes(dimension) ? TABLE.exec(resource) : null;
  const [, table = '', index] = match ?? [];
  if (!match || dimension.startsWith('dynamodb:index') !== (index !== undefined)) return undefined;
  return { table, ...(index === undefined ? {} : { index }), unit: dimension.endsWith('ReadCapacityUnits') ? 'ReadCapacityUnits' : 'WriteCapacityUnits' };
}

/** Metrics that AWS predefines for a dimension. */
export function predefinedMetric({ dimension }: Target): string {
  if (dimension === LAMBDA) return 'LambdaProvisionedConcurrencyUtilization';
  return dimension.endsWith('ReadCapacityUnits') ? 'DynamoDBReadCapacityUtilization' : 'DynamoDBWriteCapacityUtilization';
}

/** The role that AWS makes for a namespace, where a request names none. */
export function serviceRole({ namespace }: Target, account: string, region: string): string {
  const name = namespace === 'lambda' ? 'LambdaConcurrency' : 'DynamoDBTable';
  return `arn:${partitionOf(region)}:iam::${account}:role/aws-service-role/${namespace}.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_${name}`;
}

/** `desired provisioned concurrency`, as activities speak of it. */
export function quantityOf({ dimension }: Target): string {
  if (dimension === LAMBDA) return 'provisioned concurrency';
  return dimension.endsWith('ReadCapacityUnits') ? 'read capacity units' : 'write capacity units';
}
