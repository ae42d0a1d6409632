import type { CreateFunctionRequest, DurableConfig, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda';
import { notImplemented } from '../../../kit/errors.ts';
import { RETENTION_DAYS_DEFAULT } from '../durable/limits.ts';
import { invalidParameter, validation } from '../errors.ts';
import {
  ENVIRONMENT_BYTES_MAX,
  EPHEMERAL_STORAGE_MB_DEFAULT,
  MEMORY_MB_DEFAULT,
  MEMORY_MB_MAX,
  TIMEOUT_SECONDS_DEFAULT,
  TIMEOUT_SECONDS_MAX,
} from '../limits.ts';
import type { DurableSettings, VersionRow } from '../store.ts';
import { checkRuntime } from './runtimes.ts';
import { checkSnapStart } from './snap-start.ts';

type Settings = CreateFunctionRequest | UpdateFunctionConfigurationRequest;

/** What a request may set, of a row. */
export type Configured = Pick<
  VersionRow,
  | 'description'
  | 'runtime'
  | 'handler'
  | 'role'
  | 'memorySize'
  | 'timeout'
  | 'variables'
  | 'ephemeralStorage'
  | 'tracing'
  | 'logging'
  | 'snapStart'
  | 'tenancy'
  | 'durable'
  | 'recorded'
  | 'imageConfig'
>;

/** Kept and shown, without effect. */
export const RECORDED = ['VpcConfig', 'KMSKeyArn', 'FileSystemConfigs', 'TracingConfig', 'EphemeralStorage', 'Architectures'] as const;

/** Names that the platform sets itself; "Defined runtime environment variables". */
const RESERVED_VARIABLES = new Set([
  '_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API', 'LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR', 'AWS_LAMBDA_MAX_CONCURRENCY', 'AWS_LAMBDA_METADATA_API', 'AWS_LAMBDA_METADATA_TOKEN',
]); // biome-ignore format: a list

/** A new function's configuration. Throws AWS's errors in AWS's order. */
export function configurationOf(name: string, input: CreateFunctionRequest): Configured {
  refuseUnbuilt(input);
  const isImage = input.PackageType === 'Image';
  if (isImage) checkImage(input);
  else if (input.Code?.ImageUri !== undefined) throw invalidParameter("Please don't provide ImageUri when creating a function with packageType Zip.");
  else if (Object.keys(input.ImageConfig ?? {}).length > 0) throw invalidParameter('ImageConfig is only supported for functions with packageType Image.');
  if (!isImage && input.Runtime === undefined) throw invalidParameter('Runtime is mandatory for functions created with deployment packages.');
  if (!isImage && input.Handler === undefined) throw invalidParameter('Handler is mandatory for functions created with deployment packages.');
  const empty: Configured = {
    description: '',
    runtime: input.Runtime ?? '',
    handler: input.Handler ?? '',
    role: input.Role ?? '',
    memorySize: MEMORY_MB_DEFAULT,
    timeout: TIMEOUT_SECONDS_DEFAULT,
    ephemeralStorage: EPHEMERAL_STORAGE_MB_DEFAULT,
    tracing: 'PassThrough',
    logging: { format: 'Text', group: `/aws/lambda/${name}` },
    snapStart: 'None',
    ...(input.TenancyConfig?.TenantIsolationMode ? { tenancy: input.TenancyConfig.TenantIsolationMode } : {}),
    recorded: {},
  };
  return reconfigured(name, input.DurableConfig ? { ...empty, durable: newDurable(input.DurableConfig) } : empty, input);
}

/** `before` with what the request sets. Throws AWS's errors. */
export function reconfigured(name: string, before: Configured, input: Settings): Configured {
  refuseUnbuilt(input);
  if (input.Runtime !== undefined) checkRuntime(input.Runtime);
  checkNumbers(input);
  if (input.Handler?.includes('\0')) throw invalidParameter('The handler contains a null character.');
  const variables = input.Environment === undefined ? before.variables : checkVariables(input.Environment.Variables ?? {});
  const snapStart = input.SnapStart?.ApplyOn ?? before.snapStart;
  const durable = durableOf(before.durable, input);
  const after: Configured = {
    description: input.Description ?? before.description,
    runtime: input.Runtime ?? before.runtime,
    handler: input.Handler ?? before.handler,
    role: input.Role ?? before.role,
    memorySize: input.MemorySize ?? before.memorySize,
    timeout: input.Timeout ?? before.timeout,
    ...(variables ? { variables } : {}),
    ephemeralStorage: input.EphemeralStorage?.Size ?? before.ephemeralStorage,
    tracing: input.TracingConfig?.Mode ?? before.tracing,
    logging: loggingOf(name, before.logging, input),
    snapStart,
    ...(durable ? { durable } : {}),
    ...imageConfigOf(before.imageConfig, input.ImageConfig),
    ...(before.tenancy ? { tenancy: before.tenancy } : {}),
    recorded: recordedOf(before.recorded, input),
  };
  checkSnapStart(after);
  return after;
}

function refuseUnbuilt(input: Settings): void {
  if (input.CapacityProviderConfig !== undefined) throw notImplemented('CapacityProviderConfig');
}

/** What a function of an image has of its own is in the image. */
function checkImage(input: CreateFunctionRequest): void {
  if (input.Runtime !== undefined || input.Handler !== undefined || (input.Layers?.length ?? 0) > 0) {
    throw invalidParameter("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.");
  }
  if (input.Code?.ImageUri === undefined) throw invalidParameter('Please provide ImageUri when creating a function with packageType Image.');
  if (input.Code.ZipFile !== undefined || input.Code.S3Bucket !== undefined) {
    throw invalidParameter('Please do not provide other FunctionCode parameters when providing an ImageUri.');
  }
}

/** An empty `ImageConfig` takes all overrides away. */
function imageConfigOf(before: VersionRow['imageConfig'], asked: Settings['ImageConfig']): Pick<Configured, 'imageConfig'> {
  if (asked === undefined) return before ? { imageConfig: before } : {};
  const { EntryPoint, Command, WorkingDirectory } = asked;
  const next = {
    ...(EntryPoint && EntryPoint.length > 0 ? { EntryPoint } : {}),
    ...(Command && Command.length > 0 ? { Command } : {}),
    ...(WorkingDirectory ? { WorkingDirectory } : {}),
  };
  return Object.keys(next).length > 0 ? { imageConfig: next } : {};
}

function newDurable({
  ExecutionTimeout: executionTimeout,
  RetentionPeriodInDays: retentionDays = RETENTION_DAYS_DEFAULT,
  ...rest
}: DurableConfig): DurableSettings {
  if (executionTimeout === undefined) throw invalidParameter('ExecutionTimeout is required in DurableConfig.');
  const kmsKeyArn = keyOfConfig(rest);
  return { executionTimeout, retentionDays, ...(kmsKeyArn ? { kmsKeyArn } : {}) };
}

/** A member that the installed client's type does not have yet. */
const keyOfConfig = (config: object): string | undefined => (config as { readonly KMSKeyArn?: string }).KMSKeyArn;

/** Functions are made durable when they are created, and only then. */
function durableOf(before: DurableSettings | undefined, { DurableConfig: asked }: Settings): DurableSettings | undefined {
  if (!asked) return before;
  if (!before) throw invalidParameter('You cannot enable durable execution on an existing function.');
  const kmsKeyArn = keyOfConfig(asked) ?? before.kmsKeyArn;
  return {
    executionTimeout: asked.ExecutionTimeout ?? before.executionTimeout,
    retentionDays: asked.RetentionPeriodInDays ?? before.retentionDays,
    ...(kmsKeyArn ? { kmsKeyArn } : {}),
  };
}

function checkNumbers(input: Settings): void {
  if (input.MemorySize !== undefined && input.MemorySize > MEMORY_MB_MAX) {
    throw invalidParameter(`'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to ${MEMORY_MB_MAX}`);
  }
  if (input.Timeout !== undefined && input.Timeout > TIMEOUT_SECONDS_MAX) {
    throw validation(`Value '${input.Timeout}' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to ${TIMEOUT_SECONDS_MAX}`);
  }
}

function checkVariables(variables: Record<string, string>): Record<string, string> {
  const names = Object.keys(variables);
  const reserved = names.filter((name) => RESERVED_VARIABLES.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  const cut = names.find((name) => variables[name]?.includes('\0'));
  if (cut !== undefined)
    throw invalidParameter(`Lambda was unable to configure your environment variables because the value of ${cut} contains a null character.`);
  const text = JSON.stringify(variables);
  if (Buffer.byteLength(text) > ENVIRONMENT_BYTES_MAX) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${text}`,
    );
  }
  return variables;
}

function loggingOf(name: string, before: VersionRow['logging'], input: Settings): VersionRow['logging'] {
  const asked = input.LoggingConfig;
  if (!asked) return before;
  const format = asked.LogFormat ?? before.format;
  const leveled = asked.ApplicationLogLevel !== undefined || asked.SystemLogLevel !== undefined;
  if (format === 'Text' && leveled) {
    throw invalidParameter(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    );
  }
  const group = asked.LogGroup ?? before.group ?? `/aws/lambda/${name}`;
  if (format === 'Text') return { format, group };
  return {
    format,
    group,
    applicationLevel: asked.ApplicationLogLevel ?? before.applicationLevel ?? 'INFO',
    systemLevel: asked.SystemLogLevel ?? before.systemLevel ?? 'INFO',
  };
}

function recordedOf(before: VersionRow['recorded'], input: Settings): VersionRow['recorded'] {
  const recorded: Record<string, unknown> = { ...before };
  if (input.DeadLetterConfig !== undefined) {
    if (input.DeadLetterConfig.TargetArn) recorded['DeadLetterConfig'] = { TargetArn: input.DeadLetterConfig.TargetArn };
    else delete recorded['DeadLetterConfig'];
  }
  if (input.VpcConfig !== undefined) {
    const { SubnetIds: subnets = [], SecurityGroupIds: groups = [], Ipv6AllowedForDualStack: ipv6 = false } = input.VpcConfig;
    if (subnets.length > 0 || groups.length > 0)
      recorded['VpcConfig'] = { SubnetIds: subnets, SecurityGroupIds: groups, VpcId: '', Ipv6AllowedForDualStack: ipv6 };
    else delete recorded['VpcConfig'];
  }
  if (input.KMSKeyArn !== undefined) {
    if (input.KMSKeyArn) recorded['KMSKeyArn'] = input.KMSKeyArn;
    else delete recorded['KMSKeyArn'];
  }
  if (input.FileSystemConfigs !== undefined) {
    if (input.FileSystemConfigs.length > 0) recorded['FileSystemConfigs'] = input.FileSystemConfigs;
    else delete recorded['FileSystemConfigs'];
  }
  return recorded;
}
