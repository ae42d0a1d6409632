import type { NotificationConfiguration } from '@aws-sdk/client-s3';
import { parseArn } from '../../../kit/arn.ts';
import { invalidArgument, malformedXml } from '../errors.ts';
import { FILTER_VALUE_BYTES_MAX, NOTIFICATIONS_MAX } from '../limits.ts';

export interface NotificationRule {
  readonly kind: 'topic' | 'queue' | 'function';
  readonly id: string;
  readonly arn: string;
  readonly events: readonly string[];
  /** As described: names in AWS's capitals, in the order they came. */
  readonly filter?: readonly { readonly Name: 'Prefix' | 'Suffix'; readonly Value: string }[];
}

/** A bucket's notification configuration as it is stored. */
export interface Notifications {
  readonly rules: readonly NotificationRule[];
  /** Every event goes to the default bus too. */
  readonly eventBridge: boolean;
}

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  's3:ObjectCreated': ['Put', 'Post', 'Copy', 'CompleteMultipartUpload'],
  's3:ObjectRemoved': ['Delete', 'DeleteMarkerCreated'],
  's3:ObjectRestore': ['Post', 'Completed', 'Delete'],
  's3:Replication': ['OperationFailedReplication', 'OperationNotTracked', 'OperationMissedThreshold', 'OperationReplicatedAfterThreshold'],
  's3:LifecycleExpiration': ['Delete', 'DeleteMarkerCreated'],
  's3:ObjectTagging': ['Put', 'Delete'],
};
const SINGLE: readonly string[] = ['s3:ReducedRedundancyLostObject', 's3:LifecycleTransition', 's3:IntelligentTiering', 's3:ObjectAcl:Put'];

/** "Supported event types for SQS, SNS, and Lambda": each name with the events that it stands for. */
const EVENTS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...Object.entries(FAMILIES).flatMap(([family, names]) => {
    const all = names.map((name) => `${family}:${name}`);
    return [[`${family}:*`, all], ...all.map((one) => [one, [one]])] as [string, string[]][];
  }),
  ...SINGLE.map((one) => [one, [one]] as [string, string[]]),
]);

const ARGUMENT = { topic: 'Topic', queue: 'Queue', function: 'CloudFunction' } as const;
const SERVICE = { topic: 'sns', queue: 'sqs', function: 'lambda' } as const;

interface Given {
  readonly Id?: string | undefined;
  readonly Events?: readonly string[] | undefined;
  readonly Filter?: { readonly Key?: { readonly FilterRules?: readonly { Name?: string | undefined; Value?: string | undefined }[] | undefined } | undefined };
}

/**
 * What PutBucketNotificationConfiguration was given, checked as far as it can be without asking a destination. `newId` names the rules that have no id.
 * Throws `InvalidArgument` and `MalformedXML` in S3's words.
 */
export function parseNotifications(given: NotificationConfiguration, region: string, newId: () => string): Notifications {
  const rules = [
    ...(given.TopicConfigurations ?? []).map((one) => ruleOf('topic', one.TopicArn, one as Given, newId)),
    ...(given.QueueConfigurations ?? []).map((one) => ruleOf('queue', one.QueueArn, one as Given, newId)),
    ...(given.LambdaFunctionConfigurations ?? []).map((one) => ruleOf('function', one.LambdaFunctionArn, one as Given, newId)),
  ];
  if (rules.length > NOTIFICATIONS_MAX) throw invalidArgument('The number of notification configurations exceeds the limit', 'NotificationConfiguration');
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) throw invalidArgument('Same ID used for multiple configurations. IDs must be unique', 'Id', id);
    ids.add(id);
  }
  checkOverlaps(rules);
  for (const { kind, arn } of rules) {
    if (arn.split(':')[3] !== region)
      throw invalidArgument('The notification destination service region is not valid for the bucket location constraint', ARGUMENT[kind], arn);
  }
  return { rules, eventBridge: given.EventBridgeConfiguration !== undefined };
}

function ruleOf(kind: NotificationRule['kind'], arn: string | undefined, given: Given, newId: () => string): NotificationRule {
  if (arn === undefined || !given.Events || given.Events.length === 0) throw malformedXml();
  if (parseArn(arn)?.service !== SERVICE[kind]) throw invalidArgument('The ARN could not be parsed', ARGUMENT[kind], arn);
  for (const event of given.Events) if (!EVENTS.has(event)) throw invalidArgument('The event is not supported for notifications', 'Event', event);
  const filter = given.Filter?.Key?.FilterRules;
  return { kind, id: given.Id || newId(), arn, events: given.Events, ...(filter ? { filter: filterOf(filter) } : {}) };
}

function filterOf(rules: NonNullable<NonNullable<NonNullable<Given['Filter']>['Key']>['FilterRules']>): NonNullable<NotificationRule['filter']> {
  const seen = new Set<string>();
  return rules.map(({ Name, Value }) => {
    if (Name === undefined || Value === undefined) throw malformedXml();
    const name = Name.toLowerCase();
    if (name !== 'prefix' && name !== 'suffix') throw invalidArgument('filter rule name must be either prefix or suffix', 'FilterRule.Name', Name);
    if (seen.has(name)) throw invalidArgument(`Cannot specify more than one ${name} rule in a filter.`, 'FilterRule.Name', name);
    seen.add(name);
    if (Buffer.byteLength(Value) > FILTER_VALUE_BYTES_MAX)
      throw invalidArgument('Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation', 'FilterRule.Value', Value);
    return { Name: name === 'prefix' ? 'Prefix' : 'Suffix', Value };
  });
}

const partOf = (rule: NotificationRule, name: 'Prefix' | 'Suffix'): string => rule.filter?.find((one) => one.Name === name)?.Value ?? '';

/** "Examples of invalid configurations with overlapping": one event must not have two destinations by rules of one bucket. */
function checkOverlaps(rules: readonly NotificationRule[]): void {
  const leaves = rules.map((rule) => new Set(rule.events.flatMap((event) => EVENTS.get(event) ?? [])));
  for (const [i, a] of rules.entries()) {
    for (const [j, b] of rules.slice(0, i).entries()) {
      const shared = [...(leaves[i] ?? [])].some((event) => leaves[j]?.has(event));
      if (!shared || !overlap(a, b)) continue;
      if (!a.filter?.length && !b.filter?.length) {
        const values = [...b.events, ...a.events].join(', ');
        throw invalidArgument('Configurations overlap. Configurations on the same bucket cannot share a common event type.', 'Event', values);
      }
      throw invalidArgument(
        'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.',
        'FilterRule',
      );
    }
  }
}

function overlap(a: NotificationRule, b: NotificationRule): boolean {
  const [prefixA, prefixB, suffixA, suffixB] = [partOf(a, 'Prefix'), partOf(b, 'Prefix'), partOf(a, 'Suffix'), partOf(b, 'Suffix')];
  return (prefixA.startsWith(prefixB) || prefixB.startsWith(prefixA)) && (suffixA.endsWith(suffixB) || suffixB.endsWith(suffixA));
}

/** Whether the rule wants to hear of `event` (`s3:ObjectCreated:Put`) of `key`. */
export function wants(rule: NotificationRule, event: string, key: string): boolean {
  return rule.events.some((one) => EVENTS.get(one)?.includes(event)) && key.startsWith(partOf(rule, 'Prefix')) && key.endsWith(partOf(rule, 'Suffix'));
}

/** As GetBucketNotificationConfiguration describes it. */
export function describeNotifications({ rules, eventBridge }: Notifications): Record<string, unknown> {
  const of = (kind: NotificationRule['kind'], member: string) =>
    rules
      .filter((rule) => rule.kind === kind)
      .map(({ id, arn, events, filter }) => ({ Id: id, [member]: arn, Events: events, ...(filter ? { Filter: { Key: { FilterRules: filter } } } : {}) }));
  const lists = {
    TopicConfigurations: of('topic', 'TopicArn'),
    QueueConfigurations: of('queue', 'QueueArn'),
    LambdaFunctionConfigurations: of('function', 'LambdaFunctionArn'),
  };
  return { ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)), ...(eventBridge ? { EventBridgeConfiguration: {} } : {}) };
}
