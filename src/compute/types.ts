import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { ImageProgram } from './images/program.ts';
import type { Layer } from './images/unpack.ts';
import type { DebugSession } from './inspect/session.ts';

/** One line, or one message of several lines, in the environment's log stream. */
export interface LogEvent {
  /** Virtual time. */
  readonly timestampMs: number;
  readonly message: string;
}

/** Where an environment's log events go. Never throws; takes what it is given at once. */
export interface LogSink {
  write(event: LogEvent): void;
  /** Bytes taken and not yet written. */
  readonly backlogBytes: number;
  /** Runs once, when the backlog is gone. */
  onDrained(listener: () => void): void;
  /** No more events follow. */
  close(): void;
}

export interface FunctionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Real time; absent: they do not end. */
  readonly expiresMs?: number;
}

/** One function version in one configuration: what an execution environment is made for. */
export interface FunctionSpec {
  /** `account:region:name:version`. */
  readonly key: string;
  /** Changes with code and configuration: environments of another one are not used for new invocations. */
  readonly configuration: string;
  readonly region: string;
  readonly functionName: string;
  readonly version: string;
  /** AWS's name, e.g. `python3.12`. */
  readonly runtime: string;
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly ephemeralStorageMb: number;
  /** The user's variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables of the platform that only the caller knows, e.g. `AWS_ENDPOINT_URL`; the user's win over them. */
  readonly platformVariables: () => Readonly<Record<string, string>>;
  readonly logGroup: string;
  readonly code: CodePackage;
  /** Of a function that is a container image: what of it runs. `code` has its layers then, and `runtime` and `handler` are empty. */
  readonly image?: ImageProgram;
  /** Laid over each other in this order: what `/opt` holds. */
  readonly layers?: readonly CodePackage[];
  readonly credentials: () => Promise<FunctionCredentials>;
  readonly openLog: (stream: string) => LogSink;
  /** Absent: text. */
  readonly logging?: FunctionLogging;
  /** `TracingConfig.Mode`; absent: PassThrough. */
  readonly tracing?: 'Active' | 'PassThrough';
  /** Environments of one tenant take no invocation of another; absent: the function does not tell tenants apart. */
  readonly tenantId?: string;
  /** Said in the log of each new environment. */
  readonly notes?: readonly string[];
  /** What `AWS_LAMBDA_INITIALIZATION_TYPE` says; absent: `on-demand`. */
  readonly initializationType?: 'on-demand' | 'provisioned-concurrency' | 'snap-start';
}

/** What the caller of an invocation has to say about where it runs. */
export interface InvokeOptions {
  /** Called once, where no provisioned environment takes the invocation; refuses it by throwing. */
  readonly onDemand?: () => void | Promise<void>;
  /** Called where only a new environment could take it; refuses it by throwing. */
  readonly onNew?: () => void;
}

/** `LoggingConfig`, as far as it changes what is logged. */
export interface FunctionLogging {
  readonly format: 'Text' | 'JSON';
  /** Of JSON logs, the least level of the function's own lines (`TRACE` … `FATAL`); absent: INFO. */
  readonly applicationLevel?: string;
  /** Of JSON logs, the least level of the platform's lines (`DEBUG`, `INFO`, `WARN`); absent: INFO. */
  readonly systemLevel?: string;
}

export interface CodePackage {
  /** Instead of a zip: the layers of a container image, whose manifest `sha256` names. */
  readonly layers?: readonly Layer[];
  /** Hexadecimal SHA-256 of the zip. */
  readonly sha256: string;
  /** Live code in the place of the zip: a directory of the machine, used as it is. */
  readonly directory?: string;
  /** The zip itself; called only where it is not unpacked yet. */
  readonly read: () => Promise<Buffer>;
}

export interface InvokeRequest {
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly invokedFunctionArn: string;
  /** The X-Ray trace header. */
  readonly trace: string;
  /** Whose environments alone may take it, of a function in tenant isolation mode. */
  readonly tenantId?: string;
  /** JSON. */
  readonly clientContext?: string;
  /** JSON. */
  readonly cognitoIdentity?: string;
  /** Collects the last 4 KB of the log; the answer then waits for the REPORT line. */
  readonly tail?: boolean;
  /**
   * Takes an answer that the function streams, as it comes: to be read to its end, or destroyed. Not called for a function that
   * answers at once; the result of a streamed answer has no payload. Absent: streamed answers are collected.
   */
  readonly stream?: (body: Readable, contentType: string) => void;
}

export interface InvokeResult {
  readonly payload: Buffer;
  /** Present where the function, or its runtime, failed. */
  readonly functionError?: 'Unhandled';
  /** Base64. */
  readonly logTail?: string;
  readonly report: InvokeReport;
}

export interface InvokeReport {
  readonly durationMs: number;
  readonly billedMs: number;
  /** Only where this invocation waited for a cold start. */
  readonly initMs?: number;
  readonly memoryUsedMb: number;
}

/** What a pool may prepare before it knows the function. */
export interface Shape {
  readonly runtime: string;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  /** The root of a container image: the environment's file system, instead of the machine's programs. */
  readonly imageDirectory?: string;
}

/** What makes a sandbox the environment of one function version. */
export interface Launch {
  readonly runtime: ResolvedRuntime;
  /** The unpacked code, not to be written to. */
  readonly codeDirectory: string;
  /** What `/opt` holds, not to be written to; absent where the function has no layers. */
  readonly optDirectory?: string;
  /**
   * The whole environment of the runtime's process. `AWS_LAMBDA_EXEC_WRAPPER` among them names a program that is started in the
   * place of the runtime, with the runtime's command as its arguments (not for `provided`): {@link commandOf} in command.ts sees to it.
   */
  readonly variables: Readonly<Record<string, string>>;
  /** When the credentials among them end, in real time. */
  readonly expiresMs?: number;
  readonly memoryMb: number;
  /** A debugger may look into the runtime. */
  readonly debug?: DebugSession;
  /** Where debugpy lies. */
  readonly debugpyDirectory?: string;
  /** Present for a container image, whose root `codeDirectory` is then. */
  readonly image?: ImageProgram;
}

/** A further process of a sandbox: an external extension. */
export interface ProcessLaunch {
  /** An absolute path as AWS's environment has it: below `/opt` or `/var/task`. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment, except what the driver adds for each process of the sandbox (e.g. `TMPDIR`). */
  readonly variables: Readonly<Record<string, string>>;
}

/** How processes ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs inside a sandbox, with the processes that it started itself. */
export interface RunningProcess {
  /** stdout, and what of stderr the process does not write there. */
  readonly output: readonly Readable[];
  readonly exited: Promise<Exit>;
  /** SIGTERM to the process itself; what it does then is its own affair. Nothing where it is gone. */
  terminate(): void;
  /** SIGKILL to the process and all that it started; resolves when they are gone. The sandbox and its files stay. */
  kill(): Promise<void>;
}

/** The processes of a runtime that runs inside a sandbox. */
export interface RunningRuntime extends RunningProcess {
  /**
   * Log frames: what the runtime writes to the descriptor that `_LAMBDA_TELEMETRY_LOG_FD` names (type, length and time, then the
   * message; see log-frames.ts). Absent where the driver gives the runtime none: then its messages come with `output`.
   */
  readonly frames?: Readable;
  /** Peak resident memory of the runtime's process. */
  peakMemoryMb(): number;
}

/**
 * One sandbox of a driver: prepared without a function, then specialised to one. A reset (after a timeout or a crash) kills what
 * runs in it and specialises it again: its files stay, as on AWS.
 */
export interface Sandbox {
  readonly id: string;
  /** `host:port` of the Runtime API as the function sees it. Only this sandbox's processes can reach it. */
  readonly runtimeApiAddress: string;
  /** Where its processes find code and layers; absent: where they are on the machine. */
  readonly places?: { readonly code: string; readonly opt: string };
  /** Called for every connection to that address. */
  onConnection(listener: (socket: Socket) => void): void;
  /** Starts the runtime. Rejects with `LaunchError` (failures.ts) where its program cannot be started. */
  specialise(launch: Launch): Promise<RunningRuntime>;
  /**
   * Starts an external extension beside the runtime: in the same namespaces, with the same files (code, `/opt`, `/tmp`), user, limits
   * and network, stdin closed, as the leader of a process group of its own. It comes **before** `specialise` with the same `launch`:
   * a driver that mounts code and layers when it specialises mounts them here already, and finds them there afterwards. It may
   * come again after `kill` of what ran before (a reset). Rejects with `LaunchError` where the file cannot be executed. `Sandbox.kill` ends
   * these processes too; `freeze` and `thaw` stop and continue them with the runtime.
   */
  spawn(launch: Launch, process: ProcessLaunch): Promise<RunningProcess>;
  /**
   * A TCP connection to `127.0.0.1:port` as the sandbox's processes see it: the platform sends telemetry to where an extension
   * listens. A driver with network namespaces connects inside of the sandbox's. Rejects where nobody listens. It must not be able to
   * reach anything outside of the sandbox.
   */
  connect(port: number): Promise<Socket>;
  /** The init phase is over: from here on a driver that limits CPU gives what the memory size buys. {@link specialise} lifts it again. */
  initialised?(): void;
  /** Stops giving CPU to it while idle, where the driver can. */
  freeze(): void;
  thaw(): void;
  /** Ends everything and removes its files. */
  kill(): Promise<void>;
}

/** A way to run sandboxes: `prepare(shape) → specialise(function version) → invoke → freeze → kill`. */
export interface Driver {
  readonly name: 'process' | 'linux-sandbox';
  /** What keeps functions apart; shown in health, doctor and the console. */
  readonly isolation: 'none' | 'namespaces';
  /** Removes what a dead process of Croft left behind. */
  start(): Promise<void>;
  prepare(shape: Shape): Promise<Sandbox>;
  stop(): Promise<void>;
}

/** The interpreter found on this machine for a runtime name of AWS. */
export interface ResolvedRuntime {
  /** AWS's name. */
  readonly name: string;
  readonly family: 'python' | 'nodejs' | 'java' | 'ruby' | 'dotnet' | 'provided' | 'image';
  /** Empty for `provided`: the function, or a layer, brings `bootstrap` (see command.ts). */
  readonly executable: string;
  /** What it really is, e.g. `3.11.7`; empty for `provided`. */
  readonly version: string;
  /** False where another version stands in. */
  readonly exact: boolean;
}
