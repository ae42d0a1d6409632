import type { Compute } from '../../compute/compute.ts';
import { CapacityError, RuntimeMissingError } from '../../compute/failures.ts';
import { logStreamName, missingRuntimeResult } from '../../compute/missing-runtime.ts';
import type { CodePackage, FunctionSpec, InvokeRequest, InvokeResult } from '../../compute/types.ts';
import { formatTrace, type Trace } from '../../kit/trace.ts';
import type { Ctx, Platform } from '../service.ts';
import type { Concurrency } from './concurrency.ts';
import type { RoleCredentials } from './credentials.ts';
import { launchIdOf } from './domain/configuration.ts';
import type { Place } from './domain/names.ts';
import { hasSnapStart, SNAP_START_NOTE } from './domain/snap-start.ts';
import { checkTenant } from './domain/tenancy.ts';
import { throttled } from './errors.ts';
import { functionKey } from './functions.ts';
import type { HotReload } from './hot-reload.ts';
import { imagePackage, programOf } from './images.ts';
import { RETRY_AFTER_SECONDS } from './limits.ts';
import type { LogWriter } from './log-writer.ts';
import type { CodeRow, FunctionRow, VersionRow } from './store.ts';

/** Runs configurations: counts concurrency, makes what compute needs, meters. */
export interface FunctionRunner {
  run(ctx: Ctx, call: RunCall): Promise<InvokeResult>;
  /** What environments of a version are made of. */
  specOf(platform: Platform, place: Place, fn: FunctionRow, row: VersionRow): FunctionSpec;
}

export interface RunCall {
  readonly fn: FunctionRow;
  readonly row: VersionRow;
  readonly payload: Uint8Array;
  readonly invokedArn: string;
  readonly requestId: string;
  /** What the function is given as its trace; absent: the context's. */
  readonly trace?: Trace;
  /** Of a function in tenant isolation mode. */
  readonly tenantId?: string;
  /** JSON. */
  readonly clientContext?: string;
  readonly tail?: boolean;
  /** As in compute's `InvokeRequest`. */
  readonly stream?: InvokeRequest['stream'];
}

export interface RunnerParts {
  readonly compute: Compute;
  readonly credentials: RoleCredentials;
  readonly logs: LogWriter;
  readonly concurrency: () => Concurrency;
  readonly hotReload: HotReload;
}

const SPECS_MAX = 10_000;

export function createRunner(parts: RunnerParts): FunctionRunner {
  const specs = new Map<string, { readonly revisionId: string; readonly spec: FunctionSpec }>();

  const specOf = (platform: Platform, place: Place, fn: FunctionRow, row: VersionRow): FunctionSpec => {
    const key = `${functionKey(place, fn.name)}:${row.version}`;
    const known = specs.get(key);
    if (known?.revisionId === row.revisionId) return known.spec;
    if (specs.size >= SPECS_MAX) specs.clear();
    const spec = makeSpec(parts, platform, place, key, fn.name, row);
    specs.set(key, { revisionId: row.revisionId, spec });
    return spec;
  };

  return {
    specOf,
    async run(ctx, call) {
      const { fn, row } = call;
      const key = functionKey(ctx, fn.name);
      const concurrency = parts.concurrency();
      let entered = false;
      const begun = () => {
        entered = true;
      };
      try {
        checkTenant(row, call.tenantId);
        concurrency.request(key, fn);
        const spec = await parts.hotReload.current(specOf(ctx.platform, ctx, fn, row));
        const { tenantId } = call;
        const result = await parts.compute.invoke(tenantId === undefined ? spec : { ...spec, tenantId }, requestOf(ctx, call), {
          onDemand() {
            const admitted = concurrency.enter(ctx, key, fn);
            return admitted ? admitted.then(begun) : begun();
          },
          onNew: () => concurrency.start(key),
        });
        ctx.meter('Invocations', 1);
        ctx.meter(entered ? 'GigabyteSeconds' : 'ProvisionedGigabyteSeconds', (result.report.billedMs / 1000) * (row.memorySize / 1024));
        return result;
      } catch (error) {
        if (error instanceof RuntimeMissingError) return withoutRuntime(ctx, specOf(ctx.platform, ctx, fn, row), call, error);
        throw worded(error);
      } finally {
        if (entered) concurrency.leave(ctx, key, fn);
      }
    },
  };
}

function withoutRuntime({ platform: { clock, ids } }: Ctx, spec: FunctionSpec, call: RunCall, error: RuntimeMissingError): InvokeResult {
  const stream = logStreamName(clock.virtual(), spec.version, ids.bytes(16).toString('hex'));
  return missingRuntimeResult(spec, call, error, clock, stream);
}

function requestOf(ctx: Ctx, call: RunCall): InvokeRequest {
  return {
    requestId: call.requestId,
    payload: call.payload,
    invokedFunctionArn: call.invokedArn,
    trace: formatTrace(call.trace ?? ctx.trace),
    ...(call.tenantId === undefined ? {} : { tenantId: call.tenantId }),
    ...(call.clientContext === undefined ? {} : { clientContext: call.clientContext }),
    ...(call.tail ? { tail: true } : {}),
    ...(call.stream ? { stream: call.stream } : {}),
  };
}

function worded(error: unknown): unknown {
  // What the machine can hold is its account's concurrency.
  if (error instanceof CapacityError) return throttled(error.queueFull ? 'CallerRateLimitExceeded' : 'ConcurrentInvocationLimitExceeded', RETRY_AFTER_SECONDS);
  return error;
}

function makeSpec(parts: RunnerParts, platform: Platform, place: Place, key: string, name: string, row: VersionRow): FunctionSpec {
  const { account, region } = place;
  const json = row.logging.format === 'JSON';
  const image = programOf(row);
  return {
    key,
    configuration: launchIdOf(row),
    ...(hasSnapStart(row) && row.version !== '$LATEST' ? { notes: [SNAP_START_NOTE] } : {}),
    region,
    functionName: name,
    version: row.version,
    runtime: row.runtime,
    handler: row.handler,
    memoryMb: row.memorySize,
    timeoutMs: row.timeout * 1000,
    ephemeralStorageMb: row.ephemeralStorage,
    variables: row.variables ?? {},
    platformVariables: () => ({
      AWS_ENDPOINT_URL: endpointOf(platform),
      ...(json ? { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: row.logging.applicationLevel ?? 'INFO' } : {}),
    }),
    logGroup: row.logging.group,
    code: codeOf(platform, row),
    ...(image ? { image } : {}),
    layers: packagesOf(platform, row.layers),
    credentials: () => parts.credentials.get({ account, region }, row.role, name),
    openLog: (stream) => parts.logs.open({ account, region }, row.logging.group, stream),
    logging: {
      format: json ? 'JSON' : 'Text',
      ...(row.logging.applicationLevel ? { applicationLevel: row.logging.applicationLevel } : {}),
      ...(row.logging.systemLevel ? { systemLevel: row.logging.systemLevel } : {}),
    },
    tracing: row.tracing === 'Active' ? 'Active' : 'PassThrough',
  };
}

/** What compute unpacks of a version: a zip, or an image. */
export function codeOf(platform: Platform, { code, image }: VersionRow): CodePackage {
  return image ? imagePackage(platform, code, image) : packageOf(platform, code);
}

/** What compute unpacks of a code row. */
export function packageOf(platform: Platform, code: CodeRow): CodePackage {
  return {
    sha256: Buffer.from(code.sha256, 'base64').toString('hex'),
    read: () => platform.blobs.readAll(code.blobId),
    ...(code.directory === undefined ? {} : { directory: code.directory }),
  };
}

export function packagesOf(platform: Platform, layers: readonly CodeRow[] = []): readonly CodePackage[] {
  return layers.map((one) => packageOf(platform, one));
}

/**
 * By address and not by name: S3 clients then put the bucket into the path, which needs no name service. Plain HTTP, which the port
 * speaks beside TLS: no function needs to know the local CA.
 */
function endpointOf(platform: Platform): string {
  return `http://127.0.0.1:${platform.address().port}`;
}
