import { isObject, isText, type Json, type JsonObject, sameJson } from '../domain/json.ts';
import { EventProblem } from './errors.ts';
import { inlinePolicy, managedArn } from './role.ts';
import { brokerPolicy, documentPolicy, kafkaPolicy, mskPolicy } from './source-access.ts';
import type { EventInput, EventSource } from './target.ts';
import { isIntrinsic, isTruthy, type Made, made, present } from './values.ts';

/** Members that go to the event source mapping as they are. */
const PASSED = [
  'StartingPosition',
  'StartingPositionTimestamp',
  'BatchSize',
  'Enabled',
  'MaximumBatchingWindowInSeconds',
  'MaximumRetryAttempts',
  'BisectBatchOnFunctionError',
  'MaximumRecordAgeInSeconds',
  'ParallelizationFactor',
  'Topics',
  'Queues',
  'SourceAccessConfigurations',
  'TumblingWindowInSeconds',
  'FunctionResponseTypes',
  'FilterCriteria',
  'KmsKeyArn',
  'ScalingConfig',
  'ProvisionedPollerConfig',
  'MetricsConfig',
  'LoggingConfig',
] as const;

interface PullType {
  /** Where the source's ARN stands. */
  readonly source: string;
  readonly required: readonly string[];
  readonly managed?: string;
  /** What the role needs beside. */
  readonly policy?: (event: EventInput) => JsonObject | undefined;
  /** Member of the mapping that takes Kafka's settings. */
  readonly kafka?: string;
}

const TYPES: Readonly<Record<string, PullType>> = {
  Kinesis: { source: 'Stream', required: ['Stream', 'StartingPosition'], managed: 'service-role/AWSLambdaKinesisExecutionRole' },
  DynamoDB: { source: 'Stream', required: ['Stream', 'StartingPosition'], managed: 'service-role/AWSLambdaDynamoDBExecutionRole' },
  SQS: { source: 'Queue', required: ['Queue'], managed: 'service-role/AWSLambdaSQSQueueExecutionRole' },
  MSK: {
    source: 'Stream',
    required: ['Stream', 'StartingPosition'],
    managed: 'service-role/AWSLambdaMSKExecutionRole',
    policy: mskPolicy,
    kafka: 'AmazonManagedKafkaEventSourceConfig',
  },
  MQ: { source: 'Broker', required: ['Broker'], policy: brokerPolicy },
  SelfManagedKafka: { source: '', required: [], policy: kafkaPolicy, kafka: 'SelfManagedKafkaEventSourceConfig' },
  DocumentDB: { source: 'Cluster', required: ['Cluster', 'DatabaseName'], policy: documentPolicy },
};

/** Event sources that Lambda polls. */
export const pullEvents: Readonly<Record<string, EventSource>> = Object.fromEntries(
  Object.entries(TYPES).map(([name, type]): [string, EventSource] => [name, (event) => pull(event, name, type)]),
);

function pull(event: EventInput, name: string, type: PullType): Made[] {
  const { properties, eventId } = event;
  for (const member of type.required) {
    if (properties[member] === undefined || properties[member] === null) throw new EventProblem(eventId, `Missing required property '${member}'.`);
  }
  const filter = properties['FilterCriteria'];
  if (isObject(filter) && !isIntrinsic(filter) && Object.keys(filter).some((key) => key !== 'Filters')) {
    throw new EventProblem(eventId, 'FilterCriteria field has a wrong format');
  }
  if (isTruthy(properties['ConsumerGroupId']) && type.kafka === undefined) {
    throw new EventProblem(event.id, `Property ConsumerGroupId not defined for resource of type ${name}.`);
  }
  const { destination, policy } = destinationOf(event);
  const passed: { [key: string]: Json | undefined } = {};
  for (const member of PASSED) passed[member] = properties[member];
  linkPolicies(event, type, policy);
  return [
    made(
      event.id,
      'AWS::Lambda::EventSourceMapping',
      {
        FunctionName: event.target.name,
        EventSourceArn: type.source === '' ? undefined : properties[type.source],
        ...passed,
        ...special(name, type, properties),
        DestinationConfig: destination,
      },
      event.target.attributes,
    ),
  ];
}

/** Members that only some sources have. */
function special(name: string, type: PullType, properties: JsonObject): { [key: string]: Json | undefined } {
  const servers = properties['KafkaBootstrapServers'];
  const kafka = present({
    ConsumerGroupId: isTruthy(properties['ConsumerGroupId']) ? properties['ConsumerGroupId'] : undefined,
    SchemaRegistryConfig: isTruthy(properties['SchemaRegistryConfig']) ? properties['SchemaRegistryConfig'] : undefined,
  });
  return {
    SelfManagedEventSource: isTruthy(servers) ? { Endpoints: { KafkaBootstrapServers: servers ?? null } } : undefined,
    ...(type.kafka !== undefined && isTruthy(kafka) ? { [type.kafka]: kafka } : {}),
    DocumentDBEventSourceConfig:
      name === 'DocumentDB'
        ? present({
            DatabaseName: properties['DatabaseName'],
            CollectionName: isTruthy(properties['CollectionName']) ? properties['CollectionName'] : undefined,
            FullDocument: isTruthy(properties['FullDocument']) ? properties['FullDocument'] : undefined,
          })
        : undefined,
  };
}

const SENDS: Readonly<Record<string, (destination: Json, id: string) => JsonObject | undefined>> = {
  SQS: (destination, id) => inlinePolicy(`${id}SQSPolicy`, 'sqs:SendMessage', destination),
  SNS: (destination, id) => inlinePolicy(`${id}SNSPolicy`, 'sns:publish', destination),
  S3: (destination, id) => s3Policy(destination, id),
  Kafka: () => undefined,
};

/** May write to a bucket and see what is in it. */
export const s3Policy = (destination: Json, id: string): JsonObject => ({
  PolicyName: `${id}S3Policy`,
  PolicyDocument: {
    Statement: [
      { Action: 's3:PutObject', Effect: 'Allow', Resource: { 'Fn::Join': ['/', [destination, '*']] } },
      { Action: 's3:ListBucket', Effect: 'Allow', Resource: destination },
    ],
  },
});

function destinationOf(event: EventInput): { destination: Json | undefined; policy: JsonObject | undefined } {
  const config = event.properties['DestinationConfig'];
  if (!isTruthy(config)) return { destination: undefined, policy: undefined };
  const failure = isObject(config) ? config['OnFailure'] : undefined;
  if (!isObject(config) || !isObject(failure)) throw new EventProblem(event.id, "Property 'DestinationConfig.OnFailure' should be a map.");
  const { Type: type, ...rest } = failure;
  if (!isTruthy(type)) return { destination: config, policy: undefined };
  const send = isText(type) ? SENDS[type] : undefined;
  if (!send) throw new EventProblem(event.id, "The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'");
  return { destination: { ...config, OnFailure: present(rest) }, policy: send(failure['Destination'] ?? null, event.id) };
}

function linkPolicies(event: EventInput, type: PullType, policy: JsonObject | undefined): void {
  const { role, context } = event;
  if (!role) return;
  const arn = type.managed === undefined ? undefined : managedArn(context, type.managed);
  if (arn !== undefined && !role.managed.includes(arn)) role.managed.push(arn);
  for (const each of [type.policy?.(event), policy]) {
    if (each && !role.inline.some((present) => isObject(present) && sameJson(present['PolicyDocument'], each['PolicyDocument']))) role.inline.push(each);
  }
}
