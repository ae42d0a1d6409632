import type { EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import { formatArn } from '../../../kit/arn.ts';
import { functionArn, type Place } from '../domain/names.ts';
import type { MappingRow } from './rows.ts';

export function mappingArn(place: Place, uuid: string): string {
  return formatArn({ service: 'lambda', region: place.region, account: place.account, resource: `event-source-mapping:${uuid}` });
}

/** The function as a mapping names it: with the qualifier it was given, if any. */
export const mappedFunctionArn = (row: MappingRow): string => functionArn(row, row.functionName, row.qualifier);

/** A mapping as the API shows it; queues have fewer members than streams. */
export function describeMapping(row: MappingRow, result: string | undefined): EventSourceMappingConfiguration {
  const { settings } = row;
  return {
    UUID: row.uuid,
    BatchSize: settings.batchSize,
    MaximumBatchingWindowInSeconds: settings.windowSeconds,
    EventSourceArn: row.sourceArn,
    ...(settings.filters ? { FilterCriteria: { Filters: settings.filters.map((Pattern) => ({ Pattern })) } } : {}),
    FunctionArn: mappedFunctionArn(row),
    LastModified: new Date(row.modifiedMs),
    State: row.state,
    StateTransitionReason: row.kind === 'sqs' ? 'USER_INITIATED' : 'User action',
    FunctionResponseTypes: settings.partialFailures ? ['ReportBatchItemFailures'] : [],
    EventSourceMappingArn: mappingArn(row, row.uuid),
    ...(settings.kmsKeyArn === undefined ? {} : { KMSKeyArn: settings.kmsKeyArn }),
    ...(settings.metrics ? { MetricsConfig: { Metrics: [...settings.metrics] as 'EventCount'[] } } : {}),
    ...(row.kind === 'sqs' ? queueMembers(row) : streamMembers(row, result)),
  };
}

function queueMembers({ settings }: MappingRow): Partial<EventSourceMappingConfiguration> {
  const { concurrencyMax, pollers } = settings;
  return {
    ...(concurrencyMax === undefined ? {} : { ScalingConfig: { MaximumConcurrency: concurrencyMax } }),
    ...(pollers ? { ProvisionedPollerConfig: { MinimumPollers: pollers.min, MaximumPollers: pollers.max } } : {}),
  };
}

function streamMembers({ settings }: MappingRow, result: string | undefined): Partial<EventSourceMappingConfiguration> {
  return {
    StartingPosition: settings.startingPosition ?? 'TRIM_HORIZON',
    ParallelizationFactor: settings.parallelization ?? 1,
    BisectBatchOnFunctionError: settings.bisect ?? false,
    MaximumRetryAttempts: settings.retriesMax ?? -1,
    MaximumRecordAgeInSeconds: settings.ageSecondsMax ?? -1,
    TumblingWindowInSeconds: settings.tumblingSeconds ?? 0,
    DestinationConfig: { OnFailure: settings.onFailure === undefined ? {} : { Destination: settings.onFailure } },
    LastProcessingResult: result ?? 'No records processed',
  };
}
