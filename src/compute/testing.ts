import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZipFile } from 'yazl';
import { systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import { type Compute, type ComputeOptions, createCompute } from './compute.ts';
import { chooseDriver, type Isolation } from './sandbox/choose.ts';
import type { CodePackage, FunctionSpec, InvokeResult } from './types.ts';

/** A zip of texts, for tests: names to contents. */
export async function zipFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name, { mode: isProgram(content) ? 0o100755 : 0o100644 });
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Scripts and programs can be executed. */
function isProgram(content: string | Uint8Array): boolean {
  const bytes = Buffer.from(content).subarray(0, 4);
  return bytes.toString('latin1').startsWith('#!') || bytes.equals(Buffer.from('\x7fELF', 'latin1'));
}

/** A code package of texts, for layers. */
export async function packageOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<CodePackage> {
  const zip = await zipFiles(files);
  return { sha256: createHash('sha256').update(zip).digest('hex'), read: () => Promise.resolve(zip) };
}

/**
 * The machine's process ids of what was started with this variable, or, without a name, of the runtime of an environment by its log
 * stream, which ends in the environment's id. Linux only.
 */
export function processesOf(value: unknown, variable?: string): string[] {
  const wanted = Buffer.from(variable === undefined ? `${String(value).slice(-32)}\0` : `${variable}=${String(value)}\0`);
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`).includes(wanted);
    } catch {
      // It has just ended.
      return false;
    }
  });
}

/** What `CROFT_ISOLATION` asks for: every test runs with both drivers. */
export function testIsolation(): Isolation {
  return (process.env['CROFT_ISOLATION'] ?? 'auto') as Isolation;
}

/** A compute plane in a directory of its own, for tests. */
export interface TestCompute {
  readonly compute: Compute;
  readonly directory: string;
  stop(): Promise<void>;
}

/** `show`: what of the machine its functions may see, besides the interpreter that runs this. */
export async function startCompute({ show = [], ...options }: Partial<ComputeOptions> & { readonly show?: readonly string[] } = {}): Promise<TestCompute> {
  const directory = await mkdtemp(join(tmpdir(), 'croft-compute-'));
  const unexpected = (fields: Record<string, unknown>, message: string) => {
    throw new Error(`${message}: ${JSON.stringify(fields)}`);
  };
  const quiet = () => {};
  const log = { debug: quiet, info: quiet, warn: unexpected, error: unexpected };
  const ids = createIds();
  const driver =
    options.driver ??
    (await chooseDriver(testIsolation(), { directory, newId: () => ids.bytes(16).toString('hex'), show: [process.execPath, ...show] })).driver;
  const compute = createCompute({ directory, clock: systemClock(), ids, log, ...options, driver });
  await compute.start();
  return {
    compute,
    directory,
    async stop() {
      await compute.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A function for {@link TestCompute}, with its log. */
export interface TestFunction {
  readonly spec: FunctionSpec;
  /** Messages of its log, in order. */
  readonly log: string[];
}

export async function testFunction(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<FunctionSpec> & { readonly runtime: string },
): Promise<TestFunction> {
  const zip = await zipFiles(files);
  const log: string[] = [];
  const name = options.functionName ?? 'fn';
  return {
    log,
    spec: {
      key: `000000000000:us-east-1:${name}:$LATEST`,
      configuration: '1',
      region: 'us-east-1',
      functionName: name,
      version: '$LATEST',
      handler: 'index.handler',
      memoryMb: 128,
      timeoutMs: 5000,
      ephemeralStorageMb: 512,
      variables: {},
      platformVariables: () => ({}),
      logGroup: `/aws/lambda/${name}`,
      code: { sha256: createHash('sha256').update(zip).digest('hex'), read: () => Promise.resolve(zip) },
      credentials: () => Promise.resolve({ accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'token' }),
      openLog: () => ({ write: ({ message }) => void log.push(message), backlogBytes: 0, onDrained: (listener) => listener(), close: () => {} }),
      ...options,
    },
  };
}

let requests = 0;

/** Invokes with a JSON event, and reads the answer as JSON. */
export async function call(
  { compute }: TestCompute,
  fn: TestFunction,
  event: unknown = {},
  options: { readonly tail?: boolean; readonly clientContext?: string } = {},
): Promise<InvokeResult & { readonly json: unknown; readonly requestId: string }> {
  const requestId = `00000000-0000-4000-8000-${String(++requests).padStart(12, '0')}`;
  const result = await compute.invoke(fn.spec, {
    requestId,
    payload: Buffer.from(JSON.stringify(event)),
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${fn.spec.functionName}`,
    trace: 'Root=1-67891233-abcdef012345678912345678;Parent=0123456789abcdef;Sampled=1',
    ...options,
  });
  return { ...result, json: JSON.parse(result.payload.toString('utf8')) as unknown, requestId };
}
