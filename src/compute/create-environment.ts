import type { CodeCache } from './code-cache.ts';
import type { ComputeOptions } from './compute.ts';
import { Environment } from './environment.ts';
import { IMAGE_RUNTIME } from './images/program.ts';
import { logStreamName } from './missing-runtime.ts';
import type { RuntimeApi } from './runtime-api.ts';
import { resolveRuntime, substituteWarning } from './runtimes.ts';
import type { Driver, FunctionSpec, Launch } from './types.ts';
import { launchVariables } from './variables.ts';

interface Parts extends Pick<ComputeOptions, 'clock' | 'ids' | 'strictRuntimes' | 'debuggers' | 'debugpyDirectory'> {
  readonly driver: Driver;
  readonly cache: CodeCache;
  readonly api: RuntimeApi;
}

/** A new environment, not initialised yet: its runtime is found, its code unpacked, its sandbox made. */
export async function createEnvironment(
  spec: FunctionSpec,
  { clock, ids, strictRuntimes, debuggers, debugpyDirectory, driver, cache, api }: Parts,
): Promise<Environment> {
  const [runtime, codeDirectory, optDirectory] = await Promise.all([
    spec.image ? IMAGE_RUNTIME : resolveRuntime(spec.runtime, { strict: strictRuntimes ?? false }),
    cache.directoryOf(spec.code),
    cache.mergedDirectoryOf(spec.layers ?? []),
  ]);
  const directories = { codeDirectory, ...(optDirectory === undefined ? {} : { optDirectory }) };
  const sandbox = await driver.prepare({
    runtime: spec.runtime,
    memoryMb: spec.memoryMb,
    ephemeralStorageMb: spec.ephemeralStorageMb,
    ...(spec.image ? { imageDirectory: codeDirectory } : {}),
  });
  const seen = sandbox.places ? { codeDirectory: sandbox.places.code, optDirectory: sandbox.places.opt } : directories;
  const logStream = logStreamName(clock.virtual(), spec.version, sandbox.id);
  const launch = async (): Promise<Launch> => {
    const credentials = await spec.credentials();
    const debug = await debuggers?.begin(runtime.family, (port) => sandbox.connect(port));
    return {
      runtime,
      ...directories,
      memoryMb: spec.memoryMb,
      ...(credentials.expiresMs === undefined ? {} : { expiresMs: credentials.expiresMs }),
      ...(spec.image ? { image: spec.image } : {}),
      ...(debug ? { debug } : {}),
      ...(debugpyDirectory === undefined ? {} : { debugpyDirectory }),
      variables: launchVariables({ spec, runtime, ...seen, logStream, credentials, runtimeApi: sandbox.runtimeApiAddress }),
    };
  };
  const warning = substituteWarning(runtime);
  const warnings = [...(warning ? [warning] : []), ...(spec.notes ?? [])];
  return new Environment({ spec, sandbox, launch, logStream, sink: spec.openLog(logStream), warnings, clock, ids, api });
}
