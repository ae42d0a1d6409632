import type { Properties } from '../service.ts';

/** One of S3's operations on the bucket of a stack. */
export type Call = (operation: string, input: Record<string, unknown>) => Promise<unknown>;

/** A template's booleans may come as text. */
export const isTrue = (value: unknown): boolean => value === true || value === 'true';

export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

export const records = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map((one) => record(one) ?? {}) : []);

function filterOf(value: unknown): { Filter?: Record<string, unknown> } {
  const rules = record(record(value)?.['S3Key'])?.['Rules'];
  return rules === undefined ? {} : { Filter: { Key: { FilterRules: records(rules) } } };
}

/** "AWS::S3::Bucket NotificationConfiguration": one entry an event, where the API takes a list. */
export async function applyNotification(call: Call, properties: Properties): Promise<void> {
  const given = record(properties['NotificationConfiguration']) ?? {};
  const list = (name: string, target: string, member: string) =>
    records(given[name]).map((one) => ({ [member]: one[target], Events: [one['Event']], ...filterOf(one['Filter']) }));
  const lists = {
    LambdaFunctionConfigurations: list('LambdaConfigurations', 'Function', 'LambdaFunctionArn'),
    QueueConfigurations: list('QueueConfigurations', 'Queue', 'QueueArn'),
    TopicConfigurations: list('TopicConfigurations', 'Topic', 'TopicArn'),
  };
  const bus = record(given['EventBridgeConfiguration']);
  const toBus = bus !== undefined && (bus['EventBridgeEnabled'] === undefined || isTrue(bus['EventBridgeEnabled']));
  await call('PutBucketNotificationConfiguration', {
    NotificationConfiguration: { ...lists, ...(toBus ? { EventBridgeConfiguration: {} } : {}) },
  });
}
