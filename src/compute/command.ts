import { accessSync, closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { LaunchError } from './failures.ts';
import { programIn } from './images/program.ts';
import { compareLevels, levelOf } from './runtime-catalog.ts';
import type { Launch, ResolvedRuntime } from './types.ts';

/** The lifeline's descriptor in a runtime that watches one: it hangs up when the platform dies. */
export const LIFELINE_FD = 3;
/** The descriptor for log frames, where a runtime writes such. */
export const LOG_FD = 4;

/** Where a driver shows a sandbox's processes what AWS has at fixed paths. */
export interface Places {
  /** `/var/task`. */
  readonly code: string;
  /** `/opt`. */
  readonly opt: string;
  /** The folder of the bootstraps, `runtimes/` of this project. */
  readonly runtimes: string;
  /** -1 where the driver itself sees to it that nothing outlives the platform; absent: {@link LIFELINE_FD}. */
  readonly lifelineFd?: number;
}

/** What is started for a runtime. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly directory: string;
  /** Whether the program watches {@link LIFELINE_FD}. */
  readonly lifeline: boolean;
  /** Whether the program is told of {@link LOG_FD}. */
  readonly frames: boolean;
}

/** How a function's variable asks for another program in the runtime's place; "Modifying the runtime environment". */
const WRAPPER = 'AWS_LAMBDA_EXEC_WRAPPER';
/** Where AWS has its runtimes. */
const AWS_RUNTIMES = '/var/runtime';
const BASH = '/bin/bash';
const SHEBANG_BYTES = 32;
/** What a function of a `provided` runtime may bring, in the order in which AWS looks. */
const BOOTSTRAPS = ['/var/task/bootstrap', '/opt/bootstrap'];

/**
 * The program of a runtime and its arguments, as seen in `places`; the exec wrapper is in it already. For drivers that start
 * the runtime as a process of its own. Throws `LaunchError` where the function brings no program.
 */
export function commandOf(launch: Launch, places: Places): Command {
  const plain = plainCommand(launch, places);
  const wrapper = launch.variables[WRAPPER];
  if (!wrapper || launch.runtime.family === 'provided' || launch.image) return plain;
  // By a shell, as AWS's own start scripts do it: a wrapper that is not there ends the runtime with status 127.
  return { ...plain, file: '/bin/sh', args: ['-c', 'exec "$0" "$@"', placed(wrapper, places), plain.file, ...plain.args] };
}

/** A path of AWS's environment where a driver keeps it. */
export function placed(path: string, { code, opt }: Pick<Places, 'code' | 'opt'>): string {
  if (path === '/var/task' || path.startsWith('/var/task/')) return code + path.slice('/var/task'.length);
  if (path === '/opt' || path.startsWith('/opt/')) return opt + path.slice('/opt'.length);
  return path;
}

function plainCommand(launch: Launch, places: Places): Command {
  const { runtime, variables } = launch;
  const folder = join(places.runtimes, FOLDERS[runtime.family]);
  const vendor = join(folder, vendorOf(runtime));
  // AWS's own place, where a driver has put the bootstraps there.
  const home = places.runtimes === AWS_RUNTIMES ? AWS_RUNTIMES : folder;
  const opt = launch.optDirectory === undefined ? '' : places.opt;
  const base = { directory: places.code, lifeline: false, frames: false };
  const lifelineFd = String(places.lifelineFd ?? LIFELINE_FD);
  switch (runtime.family) {
    case 'python':
      // -S: packages of the machine's Python are no part of the function. -u: output leaves the process as it is written.
      return {
        ...base,
        file: runtime.executable,
        args: ['-S', '-u', ...pythonDebugger(launch, folder), join(folder, 'bootstrap.py'), lifelineFd, vendor, opt],
        variables: { LAMBDA_RUNTIME_DIR: home, ...(home === AWS_RUNTIMES ? { PYTHONPATH: home } : {}), ...variables },
        lifeline: true,
      };
    case 'nodejs':
      return {
        ...base,
        file: runtime.executable,
        args: [...nodeDebugger(launch), join(folder, 'bootstrap.mjs'), lifelineFd, vendor, opt],
        variables: { LAMBDA_RUNTIME_DIR: home, NODE_PATH: nodePath(runtime, places, home), ...variables },
        lifeline: true,
      };
    case 'java':
      return javaCommand(launch, places, vendor);
    case 'ruby':
      return rubyCommand(launch, places, folder, home);
    case 'dotnet':
      return dotnetCommand(launch, places);
    case 'image':
      return imageCommand(launch);
    case 'provided':
      return { ...base, ...bootstrapOf(launch, places), variables: { LAMBDA_RUNTIME_DIR: AWS_RUNTIMES, ...variables } };
  }
}

/** Where a debugger is expected, the function's code is not even loaded before it is there: its breakpoints are set in time. */
function nodeDebugger({ debug }: Launch): string[] {
  return debug ? [`--inspect${debug.wait ? '-wait' : ''}=127.0.0.1:${debug.port}`] : [];
}

function pythonDebugger({ debug, debugpyDirectory = '' }: Launch, folder: string): string[] {
  return debug ? ['-Xfrozen_modules=off', join(folder, 'debug.py'), debugpyDirectory, String(debug.port), debug.wait ? 'wait' : 'go'] : [];
}

const FOLDERS = { image: '', python: 'python', nodejs: 'node', java: 'java', ruby: 'ruby', dotnet: 'dotnet', provided: 'provided' } as const;

/** Where `require` looks after the function's own packages, as AWS's runtime says it: layers, the provided SDK, the function's root. */
function nodePath(runtime: ResolvedRuntime, { opt, code }: Places, home: string): string {
  const major = /^nodejs(\d+)/.exec(runtime.name)?.[1] ?? '';
  return [`${opt}/nodejs/node${major}/node_modules`, `${opt}/nodejs/node_modules`, `${home}/node_modules`, home, code].join(':');
}

/** The provided SDK: boto3 has left old Pythons behind, which have one of their own. */
function vendorOf({ family, version }: ResolvedRuntime): string {
  return family === 'python' && compareLevels(levelOf(version, family), [3, 10]) < 0 ? 'vendor-old' : 'vendor';
}

/**
 * The public runtime interface client of AWS, which `croft runtimes install` brings. Heap and collector as AWS chooses them; what
 * `JAVA_TOOL_OPTIONS` says wins.
 */
function javaCommand({ runtime, memoryMb, variables }: Launch, places: Places, vendor: string): Command {
  const heapMb = Math.max(32, Math.floor(memoryMb * 0.85) - 32);
  const folder = { code: places.code, libraries: join(places.code, 'lib', '*'), layers: join(places.opt, 'java', 'lib', '*') };
  return {
    file: runtime.executable,
    args: [
      `-XX:MaxHeapSize=${heapMb}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Xshare:auto',
      // The client opens the descriptor of the log frames by reflection.
      ...(Number.parseInt(runtime.version, 10) > 8 ? ['--add-opens=java.base/java.io=ALL-UNNAMED'] : []),
      '-cp',
      [join(vendor, '*'), folder.code, folder.libraries, folder.layers].join(':'),
      'com.amazonaws.services.lambda.runtime.api.client.AWSLambda',
      variables['_HANDLER'] ?? '',
    ],
    variables: { LAMBDA_RUNTIME_DIR: vendor, _LAMBDA_TELEMETRY_LOG_FD: String(LOG_FD), ...variables },
    directory: places.code,
    lifeline: false,
    frames: true,
  };
}

function rubyCommand({ runtime, variables }: Launch, places: Places, folder: string, home: string): Command {
  const level = runtime.version.split('.').slice(0, 2).join('.');
  const gems = [`${places.code}/vendor/bundle/ruby/${level}.0`, `${places.opt}/ruby/gems/${level}.0`];
  return {
    file: runtime.executable,
    args: [join(folder, 'bootstrap.rb'), String(places.lifelineFd ?? LIFELINE_FD)],
    variables: {
      LAMBDA_RUNTIME_DIR: home,
      GEM_HOME: home,
      GEM_PATH: [...gems, home, `${home}/ruby/${level}.0`].join(':'),
      RUBYLIB: [places.code, `${places.opt}/ruby/lib`].join(':'),
      ...variables,
    },
    directory: places.code,
    lifeline: true,
    frames: false,
  };
}

/** What the image says, or the function's `ImageConfig` instead. */
function imageCommand({ image, codeDirectory, variables }: Launch): Command {
  if (!image) throw new Error('an image without a program');
  return {
    file: programIn(codeDirectory, image),
    args: image.args.slice(1),
    variables: { _LAMBDA_TELEMETRY_LOG_FD: String(LOG_FD), ...variables },
    directory: image.workingDirectory || '/',
    lifeline: false,
    frames: true,
  };
}

/** Programs that bring `Amazon.Lambda.RuntimeSupport` themselves: their handler is the name of the assembly. */
function dotnetCommand({ runtime, variables }: Launch, places: Places): Command {
  const handler = variables['_HANDLER'] ?? '';
  if (handler.includes('::')) {
    throw new LaunchError(
      'Runtime.InvalidEntrypoint',
      `The handler '${handler}' names a method of a class library. Croft runs .NET functions that are programs (Amazon.Lambda.RuntimeSupport with top-level statements): build one, and give the name of its assembly as the handler`,
    );
  }
  return {
    file: runtime.executable,
    args: ['exec', join(places.code, `${handler}.dll`)],
    variables: { LAMBDA_RUNTIME_DIR: '/var/runtime', LAMBDA_RUNTIME_NAME: runtime.name, _LAMBDA_TELEMETRY_LOG_FD: String(LOG_FD), ...variables },
    directory: places.code,
    lifeline: false,
    frames: true,
  };
}

/** The program that the function or a layer brings. */
function bootstrapOf({ codeDirectory, optDirectory }: Launch, places: Places): Pick<Command, 'file' | 'args'> {
  for (const path of BOOTSTRAPS) {
    const found = placed(path, { code: codeDirectory, opt: optDirectory ?? '/nowhere' });
    if (!isFile(found)) continue;
    const file = placed(path, places);
    // AWS's /bin/sh is Bash, and scripts rely on it; Debian's is not.
    return isShellScript(found) && isFile(BASH) ? { file: BASH, args: ['--posix', file] } : { file, args: [] };
  }
  throw new LaunchError('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${BOOTSTRAPS.join(' ')}]`);
}

/** Whether a file can be executed, by /bin/sh. */
function isShellScript(path: string): boolean {
  const head = Buffer.alloc(SHEBANG_BYTES);
  let fd: number | undefined;
  try {
    accessSync(path, constants.X_OK);
    fd = openSync(path, 'r');
    readSync(fd, head, 0, head.length, 0);
  } catch {
    // What is wrong with it is told when it is started.
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return /^#! *\/bin\/sh[ \n]/.test(head.toString('latin1'));
}

function isFile(path: string): boolean {
  try {
    accessSync(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

const OPT_OF_IMAGE = 'opt';

/** AWS's switch for layers that turn extensions off. */
const NO_EXTENSIONS = 'disable-extensions-jwigqn8j';

/** The names of the external extensions that a function's layers bring, in the order in which they start. */
export function extensionsOf({ image, codeDirectory, optDirectory: layers }: Launch): readonly string[] {
  const optDirectory = image ? join(codeDirectory, OPT_OF_IMAGE) : layers;
  if (optDirectory === undefined || isFile(join(optDirectory, NO_EXTENSIONS))) return [];
  try {
    return readdirSync(join(optDirectory, 'extensions'), { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    // No such folder: no extensions.
    return [];
  }
}
