import type { FunctionCredentials, FunctionSpec, ResolvedRuntime } from './types.ts';

/** What {@link launchVariables} needs. */
export interface LaunchFacts {
  readonly spec: FunctionSpec;
  readonly runtime: ResolvedRuntime;
  readonly codeDirectory: string;
  /** Where the layers are; absent: nowhere. */
  readonly optDirectory?: string;
  readonly logStream: string;
  readonly credentials: FunctionCredentials;
  /** `host:port` as the function sees it. */
  readonly runtimeApi: string;
}

/** Places of AWS's, most of which are not on this machine. */
const SYSTEM_LIBRARIES = '/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib';

/** Where X-Ray's libraries send segments: nobody listens, and a datagram to nobody on this machine costs nothing. */
const XRAY = {
  AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
  AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
  _AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1',
  _AWS_XRAY_DAEMON_PORT: '2000',
};

/**
 * The whole environment of a runtime's process: nothing of the machine's own. Reserved names win over the user's, the user's over
 * what is only a default. "Working with Lambda environment variables", "Defined runtime environment variables".
 */
export function launchVariables(facts: LaunchFacts): Record<string, string> {
  const { spec, runtime, codeDirectory, optDirectory = '/opt', logStream, credentials, runtimeApi } = facts;
  return {
    PATH: `/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:${optDirectory}/bin`,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    ...(spec.image ? {} : { LD_LIBRARY_PATH: `${SYSTEM_LIBRARIES}:${codeDirectory}:${codeDirectory}/lib:${optDirectory}/lib` }),
    // Without a machine's locale to fall back on, Python reads files as UTF-8 as it does on AWS.
    ...(runtime.family === 'python' ? { LC_CTYPE: 'C.UTF-8' } : {}),
    ...XRAY,
    ...spec.platformVariables(),
    // What a container image says of itself wins over what is only a default.
    ...spec.image?.variables,
    ...spec.variables,
    ...(spec.image ? {} : { _HANDLER: spec.handler }),
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    ...(runtime.family === 'provided' || spec.image ? {} : { AWS_EXECUTION_ENV: `AWS_Lambda_${runtime.name}` }),
    AWS_LAMBDA_FUNCTION_NAME: spec.functionName,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: spec.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: spec.initializationType ?? 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: spec.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    LAMBDA_TASK_ROOT: spec.image ? '/var/task' : codeDirectory,
    // What a shell leaves behind: AWS starts these runtimes by one.
    ...(runtime.family === 'provided' || runtime.family === 'java' || spec.image ? {} : { PWD: codeDirectory, SHLVL: '0' }),
  };
}

/** What an extension's process does not get of the runtime's variables; "Using the Lambda Extensions API to create extensions". */
const NOT_FOR_EXTENSIONS = new Set([
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_XRAY_CONTEXT_MISSING',
  'AWS_XRAY_DAEMON_ADDRESS',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
  'PWD',
  'SHLVL',
]);

/** The environment of an external extension. */
export function extensionVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('_') && !NOT_FOR_EXTENSIONS.has(name)));
}
