import type { CreateEventSourceMappingRequest, UpdateEventSourceMappingRequest } from '@aws-sdk/client-lambda';
import { parseArn } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import { validatePattern } from '../../../kit/event-pattern/index.ts';
import { invalidParameter } from '../errors.ts';
import {
  FILTER_PATTERN_CHARS_MAX,
  FILTERS_MAX,
  MAXIMUM_POLLERS_DEFAULT,
  MAXIMUM_POLLERS_MAX,
  MINIMUM_POLLERS_MAX,
  POLLERS_MIN,
  SQS_BATCH_DEFAULT,
  SQS_BATCH_PLAIN_MAX,
  SQS_CONCURRENCY_MAX,
  SQS_CONCURRENCY_MIN,
  STREAM_BATCH_DEFAULT,
} from './limits.ts';
import type { MappingRow, MappingSettings } from './rows.ts';

export type Request = CreateEventSourceMappingRequest | UpdateEventSourceMappingRequest;
export type Kind = MappingRow['kind'];

/** Sources that AWS has and Croft has not, by the service in their ARN. */
const ABSENT: Readonly<Record<string, string>> = {
  kinesis: 'An event source of Kinesis',
  kafka: 'An event source of Amazon MSK',
  mq: 'An event source of Amazon MQ',
  rds: 'An event source of Amazon DocumentDB',
};

/** What kind of source an ARN names. Kinesis is told from what does not exist only later, after its parameters are checked. */
export function kindOf(arn: string): Kind | 'kinesis' {
  const { service = '', resource = '' } = parseArn(arn) ?? {};
  if (service === 'sqs' || service === 'kinesis') return service;
  if (service === 'dynamodb' && resource.includes('/stream/')) return service;
  const absent = ABSENT[service];
  if (absent) throw notImplemented(absent);
  throw invalidParameter('Unrecognized event source.');
}

export function refuseKinesis(kind: Kind | 'kinesis'): asserts kind is Kind {
  if (kind === 'kinesis') throw notImplemented(ABSENT['kinesis'] ?? '');
}

const STREAM_ONLY = [
  'DestinationConfig',
  'ParallelizationFactor',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
  'MaximumRecordAgeInSeconds',
  'TumblingWindowInSeconds',
] as const;
const QUEUE_ONLY = ['ScalingConfig', 'ProvisionedPollerConfig'] as const;
const NEVER = [
  'SelfManagedEventSource',
  'Topics',
  'Queues',
  'SourceAccessConfigurations',
  'AmazonManagedKafkaEventSourceConfig',
  'SelfManagedKafkaEventSourceConfig',
  'DocumentDBEventSourceConfig',
] as const;

/** Parameters that a kind of source does not have. */
export function checkSupported(kind: Kind | 'kinesis', input: Request): void {
  const given = (name: string) => (input as unknown as Record<string, unknown>)[name] !== undefined;
  const unsupported = (name: string) => invalidParameter(`Unsupported ${name} parameter for given event source mapping type.`);
  if (input.DestinationConfig?.OnSuccess) throw unsupported('DestinationConfig');
  for (const name of NEVER) if (given(name)) throw unsupported(name);
  if (kind === 'sqs') {
    if (given('StartingPosition') || given('StartingPositionTimestamp')) throw invalidParameter('StartingPosition is not valid for SQS event sources.');
    for (const name of STREAM_ONLY) if (given(name)) throw unsupported(name);
  } else for (const name of QUEUE_ONLY) if (given(name)) throw unsupported(name);
  if (input.LoggingConfig !== undefined) throw notImplemented('LoggingConfig of an event source mapping');
}

export function checkStart(kind: Kind | 'kinesis', input: CreateEventSourceMappingRequest): void {
  if (kind === 'sqs') return;
  if (!input.StartingPosition) {
    throw invalidParameter("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.");
  }
  if (input.StartingPosition !== 'AT_TIMESTAMP') return;
  if (kind === 'dynamodb') throw invalidParameter(`Unsupported starting position for arn type: ${input.EventSourceArn}`);
  if (!input.StartingPositionTimestamp) throw invalidParameter('Need to specify a timestamp');
}

/** The settings that a request makes of those before; what it does not name stays. */
export function settingsOf(kind: Kind, sourceArn: string, input: Request, before?: MappingSettings): MappingSettings {
  const plain = plainSettings(kind, input, before);
  const settings: MappingSettings = kind === 'sqs' ? { ...plain, ...queueSettings(input, before) } : { ...plain, ...streamSettings(input, before) };
  checkBatch(kind, sourceArn, settings);
  return settings;
}

function plainSettings(kind: Kind, input: Request, before: MappingSettings | undefined): MappingSettings {
  const filters = input.FilterCriteria === undefined ? before?.filters : readFilters(input.FilterCriteria.Filters ?? []);
  const kmsKeyArn = input.KMSKeyArn ?? before?.kmsKeyArn;
  const metrics = input.MetricsConfig === undefined ? before?.metrics : input.MetricsConfig.Metrics;
  const responses = input.FunctionResponseTypes;
  return {
    batchSize: input.BatchSize ?? before?.batchSize ?? (kind === 'sqs' ? SQS_BATCH_DEFAULT : STREAM_BATCH_DEFAULT),
    windowSeconds: input.MaximumBatchingWindowInSeconds ?? before?.windowSeconds ?? 0,
    partialFailures: responses === undefined ? (before?.partialFailures ?? false) : responses.includes('ReportBatchItemFailures'),
    ...(filters && filters.length > 0 ? { filters } : {}),
    ...(kmsKeyArn ? { kmsKeyArn } : {}),
    ...(metrics && metrics.length > 0 ? { metrics } : {}),
  };
}

function queueSettings(input: Request, before: MappingSettings | undefined): Pick<MappingSettings, 'concurrencyMax' | 'pollers'> {
  const settings = { ...scalingOf(input, before), ...pollersOf(input, before) };
  if (settings.concurrencyMax !== undefined && settings.pollers) {
    throw invalidParameter('ScalingConfig and ProvisionedPollerConfig cannot both be set for an event source mapping.');
  }
  return settings;
}

/** Empty, it takes provisioned mode away. */
function pollersOf(input: Request, before: MappingSettings | undefined): Pick<MappingSettings, 'pollers'> {
  const asked = input.ProvisionedPollerConfig;
  if (asked === undefined) return before?.pollers ? { pollers: before.pollers } : {};
  if (asked.PollerGroupName !== undefined) throw invalidParameter('Unsupported PollerGroupName parameter for given event source mapping type.');
  const { MinimumPollers: min = POLLERS_MIN, MaximumPollers: max = Math.max(min, MAXIMUM_POLLERS_DEFAULT) } = asked;
  if (asked.MinimumPollers === undefined && asked.MaximumPollers === undefined) return {};
  if (min < POLLERS_MIN || min > MINIMUM_POLLERS_MAX) throw invalidParameter(`MinimumPollers must be between ${POLLERS_MIN} and ${MINIMUM_POLLERS_MAX}.`);
  if (max < POLLERS_MIN || max > MAXIMUM_POLLERS_MAX) throw invalidParameter(`MaximumPollers must be between ${POLLERS_MIN} and ${MAXIMUM_POLLERS_MAX}.`);
  if (min > max) throw invalidParameter('MinimumPollers must not be greater than MaximumPollers.');
  return { pollers: { min, max } };
}

/** An empty ScalingConfig takes the limit away. */
function scalingOf(input: Request, before: MappingSettings | undefined): Pick<MappingSettings, 'concurrencyMax'> {
  const max = input.ScalingConfig === undefined ? before?.concurrencyMax : input.ScalingConfig.MaximumConcurrency;
  if (max === undefined) return {};
  if (max < SQS_CONCURRENCY_MIN || max > SQS_CONCURRENCY_MAX) {
    throw invalidParameter(`MaximumConcurrency must be between ${SQS_CONCURRENCY_MIN} and ${SQS_CONCURRENCY_MAX}.`);
  }
  return { concurrencyMax: max };
}

function streamSettings(input: Request, before: MappingSettings | undefined): Partial<MappingSettings> {
  const destination = input.DestinationConfig === undefined ? before?.onFailure : input.DestinationConfig.OnFailure?.Destination;
  const position = 'StartingPosition' in input ? input.StartingPosition : before?.startingPosition;
  if (destination) checkDestination(destination);
  return {
    startingPosition: position === 'LATEST' ? 'LATEST' : 'TRIM_HORIZON',
    parallelization: input.ParallelizationFactor ?? before?.parallelization ?? 1,
    bisect: input.BisectBatchOnFunctionError ?? before?.bisect ?? false,
    retriesMax: input.MaximumRetryAttempts ?? before?.retriesMax ?? -1,
    ageSecondsMax: input.MaximumRecordAgeInSeconds ?? before?.ageSecondsMax ?? -1,
    tumblingSeconds: input.TumblingWindowInSeconds ?? before?.tumblingSeconds ?? 0,
    ...(destination ? { onFailure: destination } : {}),
  };
}

function checkDestination(arn: string): void {
  const service = parseArn(arn)?.service ?? '';
  if (arn.startsWith('kafka://')) throw notImplemented('A destination of Kafka');
  if (!['sqs', 'sns', 's3'].includes(service)) {
    throw invalidParameter(`The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=${arn})) is invalid.`);
  }
}

/** "Maximum batch window" and its kin: bounds that hang together. */
function checkBatch(kind: Kind, sourceArn: string, { batchSize, windowSeconds, ageSecondsMax = -1 }: MappingSettings): void {
  if (ageSecondsMax !== -1 && ageSecondsMax < 60) {
    throw invalidParameter('MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.');
  }
  if (kind !== 'sqs') return;
  if (sourceArn.endsWith('.fifo')) {
    if (windowSeconds > 0) throw invalidParameter('Batching window is not supported for FIFO queues');
    if (batchSize > SQS_BATCH_PLAIN_MAX) throw invalidParameter(`Maximum batch size for FIFO queues is ${SQS_BATCH_PLAIN_MAX}`);
  }
  if (batchSize > SQS_BATCH_PLAIN_MAX && windowSeconds === 0) {
    throw invalidParameter('Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10');
  }
}

function readFilters(filters: readonly { readonly Pattern?: string | undefined }[]): readonly string[] {
  if (filters.length > FILTERS_MAX) throw invalidParameter(`The number of filters exceeds the limit of ${FILTERS_MAX}.`);
  return filters.map(({ Pattern: pattern = '' }) => {
    if (pattern.length > FILTER_PATTERN_CHARS_MAX || validatePattern(pattern) !== undefined) throw invalidParameter('Invalid filter pattern definition.');
    return pattern;
  });
}
