import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

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
  /** Laid over each other in this order: what `/opt` holds. */
  readonly layers?: readonly CodePackage[];
  readonly credentials: () => Promise<FunctionCredentials>;
  readonly openLog: (stream: string) => LogSink;
}

export interface CodePackage {
  /** Hexadecimal SHA-256 of the zip. */
  readonly sha256: string;
  /** The zip itself; called only where it is not unpacked yet. */
  readonly read: () => Promise<Buffer>;
}

export interface InvokeRequest {
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly invokedFunctionArn: string;
  /** The X-Ray trace header. */
  readonly trace: string;
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
}

/** What makes a sandbox the environment of one function version. */
export interface Launch {
  readonly runtime: ResolvedRuntime;
  /** The unpacked code, not to be written to. */
  readonly codeDirectory: string;
  /** What `/opt` holds, not to be written to; absent where the function has no layers. */
  readonly optDirectory?: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** How processes ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The processes of a runtime that runs inside a sandbox. */
export interface RunningRuntime {
  /** stdout, and what of stderr the runtime does not write there. */
  readonly output: readonly Readable[];
  readonly exited: Promise<Exit>;
  /** Peak resident memory of the runtime's process. */
  peakMemoryMb(): number;
  /** SIGKILL to every process of it; resolves when they are gone. The sandbox and its files stay. */
  kill(): Promise<void>;
}

/**
 * One sandbox of a driver: prepared without a function, then specialised to one. A reset (after a timeout or a crash) kills what
 * runs in it and specialises it again: its files stay, as on AWS.
 */
export interface Sandbox {
  readonly id: string;
  /** `host:port` of the Runtime API as the function sees it. Only this sandbox's processes can reach it. */
  readonly runtimeApiAddress: string;
  /** Called for every connection to that address. */
  onConnection(listener: (socket: Socket) => void): void;
  specialise(launch: Launch): Promise<RunningRuntime>;
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
  readonly family: 'python' | 'nodejs';
  readonly executable: string;
  /** What it really is, e.g. `3.11.7`. */
  readonly version: string;
  /** False where another version stands in. */
  readonly exact: boolean;
}
