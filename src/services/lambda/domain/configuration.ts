import type { FunctionConfiguration, ImageConfig } from '@aws-sdk/client-lambda';
import { runtimeVersionArn } from '../../../compute/log-lines.ts';
import type { DurableSettings, ImageConfigRow, VersionRow } from '../store.ts';
import { functionArn, type Place } from './names.ts';

/** `2026-11-21T21:19:18.000+0000`. */
export function lastModified(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '+0000');
}

/** A configuration as the lists show it: without states. `qualifier` is what the ARN ends in. */
export function listedConfiguration(place: Place, name: string, row: VersionRow, qualifier?: string): FunctionConfiguration {
  return {
    FunctionName: name,
    FunctionArn: functionArn(place, name, qualifier),
    ...(row.image ? {} : { Runtime: row.runtime as NonNullable<FunctionConfiguration['Runtime']>, Handler: row.handler }),
    Role: row.role,
    CodeSize: row.code.size,
    Description: row.description,
    Timeout: row.timeout,
    MemorySize: row.memorySize,
    LastModified: lastModified(row.lastModifiedMs),
    CodeSha256: row.code.sha256,
    Version: row.version,
    ...(row.variables ? { Environment: { Variables: { ...row.variables } } } : {}),
    TracingConfig: { Mode: row.tracing as 'PassThrough' },
    RevisionId: row.revisionId,
    PackageType: row.image ? 'Image' : 'Zip',
    ...(row.imageConfig ? { ImageConfigResponse: { ImageConfig: imageConfigOf(row.imageConfig) } } : {}),
    Architectures: [...row.architectures] as NonNullable<FunctionConfiguration['Architectures']>,
    EphemeralStorage: { Size: row.ephemeralStorage },
    SnapStart: { ApplyOn: row.snapStart as 'None', OptimizationStatus: isOptimized(row) ? 'On' : 'Off' },
    ...(row.tenancy ? { TenancyConfig: { TenantIsolationMode: row.tenancy as 'PER_TENANT' } } : {}),
    LoggingConfig: {
      LogFormat: row.logging.format as 'Text',
      ...(row.logging.applicationLevel ? { ApplicationLogLevel: row.logging.applicationLevel as 'INFO' } : {}),
      ...(row.logging.systemLevel ? { SystemLogLevel: row.logging.systemLevel as 'INFO' } : {}),
      LogGroup: row.logging.group,
    },
    ...(row.layers ? { Layers: row.layers.map(({ arn, size }) => ({ Arn: arn, CodeSize: size })) } : {}),
    ...(row.durable ? { DurableConfig: durableConfigOf(row.durable) } : {}),
    ...row.recorded,
  };
}

function durableConfigOf({ executionTimeout, retentionDays, kmsKeyArn }: DurableSettings): NonNullable<FunctionConfiguration['DurableConfig']> {
  return { RetentionPeriodInDays: retentionDays, ExecutionTimeout: executionTimeout, ...(kmsKeyArn === undefined ? {} : { KMSKeyArn: kmsKeyArn }) };
}

/** Versions of a function with SnapStart, once they were initialised. */
function isOptimized(row: VersionRow): boolean {
  return row.snapStart === 'PublishedVersions' && row.version !== '$LATEST' && row.state === 'Active';
}

/** A configuration with its states, as GetFunctionConfiguration answers. `warning` names a runtime that stands in for the asked one. */
export function fullConfiguration(place: Place, name: string, row: VersionRow, qualifier?: string, warning?: string): FunctionConfiguration {
  return {
    ...listedConfiguration(place, name, row, qualifier),
    State: row.state,
    ...(row.stateReason ? { StateReason: row.stateReason } : {}),
    ...(row.stateReasonCode ? { StateReasonCode: row.stateReasonCode as 'Creating' } : {}),
    ...(row.lastUpdateStatus ? { LastUpdateStatus: row.lastUpdateStatus } : {}),
    ...(row.lastUpdateReason ? { LastUpdateStatusReason: row.lastUpdateReason } : {}),
    ...(row.lastUpdateReasonCode ? { LastUpdateStatusReasonCode: row.lastUpdateReasonCode as 'InternalError' } : {}),
    ...(row.image ? {} : { RuntimeVersionConfig: runtimeVersionConfig(place, row, warning) }),
  };
}

function runtimeVersionConfig(
  { region }: Place,
  { runtime }: VersionRow,
  warning: string | undefined,
): NonNullable<FunctionConfiguration['RuntimeVersionConfig']> {
  return {
    RuntimeVersionArn: runtimeVersionArn(runtime, region),
    ...(warning ? { Error: { ErrorCode: 'RuntimeSubstituted', Message: warning } } : {}),
  };
}

function imageConfigOf({ EntryPoint, Command, WorkingDirectory }: ImageConfigRow): ImageConfig {
  return {
    ...(EntryPoint ? { EntryPoint: [...EntryPoint] } : {}),
    ...(Command ? { Command: [...Command] } : {}),
    ...(WorkingDirectory === undefined ? {} : { WorkingDirectory }),
  };
}

/** Pending, as a new function begins. */
export const CREATING = { state: 'Pending', stateReason: 'The function is being created.', stateReasonCode: 'Creating' } as const;

/** An update that is under way. */
export const UPDATING = { lastUpdateStatus: 'InProgress', lastUpdateReason: 'The function is being created.', lastUpdateReasonCode: 'Creating' } as const;

/** The same configuration under a new revision id: environments that run it stay. */
export function revised(row: VersionRow, revisionId: string): VersionRow {
  return { ...row, revisionId, launchId: launchIdOf(row) };
}

/** Which configurations may share execution environments. */
export const launchIdOf = (row: VersionRow): string => row.launchId ?? row.revisionId;

/** The row once creation or update is done. */
export function settled(row: VersionRow, revisionId: string): VersionRow {
  const { stateReason: _1, stateReasonCode: _2, lastUpdateReason: _3, lastUpdateReasonCode: _4, ...rest } = row;
  return { ...rest, launchId: launchIdOf(row), state: 'Active', lastUpdateStatus: 'Successful', revisionId };
}
