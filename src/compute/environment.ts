import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import { extensionsOf } from './command.ts';
import { Extensions } from './extensions.ts';
import { LaunchError, seconds } from './failures.ts';
import type { DebugSession } from './inspect/session.ts';
import { DEBUG_LOOK_MS, INIT_TIMEOUT_MS } from './limits.ts';
import { EnvironmentLog } from './log-output.ts';
import { type Failed, failureOf, type Outcome, resultOf } from './outcome.ts';
import { type Phase, PlatformLog } from './platform-log.ts';
import { Processes, type ShutdownReason } from './processes.ts';
import type { RuntimeApi, RuntimeSession } from './runtime-api.ts';
import { extensionSpans, type InvokeTimes, runtimeSpans } from './spans.ts';
import { Telemetry } from './telemetry.ts';
import type { FunctionSpec, InvokeReport, InvokeRequest, InvokeResult, Launch, LogSink, Sandbox } from './types.ts';

export interface EnvironmentParts {
  readonly spec: FunctionSpec;
  readonly sandbox: Sandbox;
  /** Made anew for each start of the runtime: credentials are renewed with it. */
  readonly launch: () => Promise<Launch>;
  readonly logStream: string;
  readonly sink: LogSink;
  /** Said once at the first start, e.g. that another runtime version stands in. */
  readonly warnings: readonly string[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly api: RuntimeApi;
}

/**
 * One execution environment: a sandbox, the extensions and the runtime in it, one invocation at a time. `cold` until its first
 * init, `ready` while its runtime waits for an event, `reset` when the runtime is gone and the sandbox's files stay for the next one.
 * "Understanding the Lambda execution environment lifecycle".
 */
export class Environment {
  readonly spec: FunctionSpec;
  /** Monotonic time of the last invocation's end. */
  lastUsedMs = 0;
  #parts: EnvironmentParts;
  #session: RuntimeSession;
  #log: EnvironmentLog;
  #platform: PlatformLog;
  #telemetry: Telemetry;
  #extensions: Extensions;
  #processes: Processes;
  #expiresMs = Number.POSITIVE_INFINITY;
  #phase: 'cold' | 'ready' | 'reset' = 'cold';
  #settle: ((outcome: Outcome) => void) | undefined;
  /** What is waited for, other than an answer or a failure. */
  #condition: (() => boolean) | undefined;
  #clearing: Promise<void> | undefined;
  /** The runtime asks for an event. */
  #asked = false;
  /** Who may look into the runtime; its time stands still while the program does. */
  #debug: DebugSession | undefined;
  /** What of that was before the invocation. */
  #heldBeforeMs = 0;
  #times: InvokeTimes = { startedMs: 0 };
  /** Who reads the answer that is under way, if it is streamed. */
  #stream: InvokeRequest['stream'];

  constructor(parts: EnvironmentParts) {
    const { spec, sandbox, clock, ids, logStream } = parts;
    const now = () => new Date(clock.virtual()).toISOString();
    this.#parts = parts;
    this.spec = spec;
    this.#telemetry = new Telemetry({ connect: (port) => sandbox.connect(port), now });
    this.#log = new EnvironmentLog(parts.sink, () => clock.virtual(), {
      logging: spec.logging,
      onLine: (origin, message) => this.#telemetry.publishLine(origin, message, spec.logging),
    });
    this.#platform = new PlatformLog({ spec, logStream, log: this.#log, telemetry: this.#telemetry, now });
    const [accountId = ''] = spec.key.split(':', 1);
    this.#extensions = new Extensions({
      identity: { accountId, functionName: spec.functionName, functionVersion: spec.version, handler: spec.handler },
      ids,
      telemetry: this.#telemetry,
      onProgress: () => this.#progress(),
      onSubscribed: (name, api, types) => this.#platform.subscribed(name, api, types),
    });
    this.#processes = new Processes({
      sandbox,
      extensions: this.#extensions,
      telemetry: this.#telemetry,
      log: this.#log,
      clock,
      onRuntimeExit: (exit) => this.#lost({ kind: 'exit', exit }),
      onExtensionExit: (errorType, reason) => this.#lost({ kind: 'fault', errorType, reason }),
    });
    this.#session = this.#openSession();
    sandbox.onConnection((socket) => this.#session.connect(socket));
  }

  /**
   * Runs one invocation. `respond` gets the answer as soon as it is there; the promise resolves once the environment can take
   * the next one. Rejects where the runtime cannot even be started.
   */
  async run(request: InvokeRequest, respond: (result: InvokeResult) => void): Promise<void> {
    const { clock } = this.#parts;
    const cold = this.#phase === 'cold' ? await this.#coldStart() : undefined;
    const startedMs = clock.mono();
    this.#heldBeforeMs = this.#debug?.heldMs() ?? 0;
    const outcome = this.#phase === 'ready' ? undefined : await this.#restart(this.spec.timeoutMs);
    if (request.tail) this.#log.startTail();
    this.#platform.start(request);
    const ended = outcome ?? (await this.#invoke(request, startedMs + this.spec.timeoutMs));
    await this.#conclude(request, respond, ended, startedMs, cold);
  }

  /** The init phase ahead of any invocation, or once more where the runtime has ended since. False where it failed. */
  async initialise(): Promise<boolean> {
    if (this.#phase === 'cold') await this.#coldStart();
    else if (this.#phase === 'reset') await this.#restart(INIT_TIMEOUT_MS);
    return this.#phase === 'ready';
  }

  /** Whether its credentials may end before an invocation that begins now does: another environment has newer ones. */
  get stale(): boolean {
    return this.#expiresMs - this.spec.timeoutMs <= this.#parts.clock.real();
  }

  freeze(): void {
    this.#parts.sandbox.freeze();
  }

  thaw(): void {
    this.#parts.sandbox.thaw();
  }

  /** The shutdown phase; then the sandbox is removed. */
  async close(): Promise<void> {
    await this.#clearing;
    this.#session.abandon();
    if (this.#extensions.count > 0) await this.#processes.stop('spindown');
    this.#session.reset();
    // An invocation that is still under way has lost its runtime.
    this.#finish({ kind: 'exit', exit: { code: null, signal: 'SIGKILL' } });
    this.#telemetry.begin(false);
    this.#debug?.end();
    await this.#parts.sandbox.kill();
    this.#log.close();
  }

  #openSession(): RuntimeSession {
    return this.#parts.api.open({
      onNext: () => {
        this.#asked = true;
        this.#times.readyMs = this.#parts.clock.mono();
        this.#progress();
      },
      onAnswering: () => {
        this.#times.responseMs = this.#parts.clock.mono();
      },
      onAnswer: (answer) => {
        this.#times.respondedMs = this.#parts.clock.mono();
        this.#finish({ kind: 'answer', answer });
      },
      onStream: (body, contentType) => {
        this.#stream?.(body, contentType);
        return this.#stream !== undefined;
      },
      onInitError: (body, errorType) => this.#finish({ kind: 'init-error', body, errorType }),
      onOther: (request, response) => this.#extensions.handle(request, response),
    });
  }

  /** The init phase of a new environment: 10 seconds at most. Its duration where it succeeded. */
  async #coldStart(): Promise<number | undefined> {
    const { outcome, durationMs } = await this.#start(INIT_TIMEOUT_MS, 'init');
    return outcome.kind === 'ready' ? durationMs : undefined;
  }

  /** Init again, now as part of an invocation and under its timeout. Undefined where the runtime is ready. */
  async #restart(timeoutMs: number): Promise<Failed | undefined> {
    const { outcome } = await this.#start(timeoutMs, 'invoke');
    return outcome.kind === 'ready' ? undefined : outcome;
  }

  async #start(limitMs: number, phase: Phase): Promise<{ readonly outcome: { readonly kind: 'ready' } | Failed; readonly durationMs: number }> {
    const { clock, warnings } = this.#parts;
    await this.#clearing;
    const launch = await this.#parts.launch();
    this.#expiresMs = launch.expiresMs ?? Number.POSITIVE_INFINITY;
    this.#debug?.end();
    this.#debug = launch.debug;
    this.#heldBeforeMs = 0;
    const startedMs = clock.mono();
    this.#asked = false;
    const names = extensionsOf(launch);
    this.#extensions.begin(names);
    this.#telemetry.begin(true);
    this.#platform.initStart(phase, phase === 'init');
    if (phase === 'init') for (const warning of warnings) this.#platform.warn(warning);
    const outcome = await this.#initPhase(launch, names, startedMs + limitMs);
    const durationMs = clock.mono() - startedMs;
    // What it printed meanwhile belongs to this phase.
    await this.#log.drain();
    this.#processes.memoryUsedMb();
    this.#platform.extensions(this.#extensions.statuses());
    if (outcome.kind === 'ready') {
      this.#telemetry.close();
      this.#platform.initDone(phase, durationMs, undefined);
      this.#phase = 'ready';
      this.#parts.sandbox.initialised?.();
      this.#debug?.initialised();
      return { outcome, durationMs };
    }
    // An answer to nothing is a runtime that broke the protocol.
    const failed: Failed = outcome.kind === 'answer' ? { kind: 'exit', exit: { code: null, signal: null } } : outcome;
    await this.#log.drain();
    this.#platform.initDone(phase, durationMs, failureOf(failed));
    await this.#reset(failed.kind === 'timeout' ? 'timeout' : 'failure');
    return { outcome: failed, durationMs };
  }

  /** Extensions register, then the runtime starts, then all of them ask for their first event. */
  async #initPhase(launch: Launch, names: readonly string[], untilMs: number): Promise<Outcome> {
    try {
      if (names.length > 0) {
        const registered = this.#wait(() => this.#extensions.allRegistered, untilMs);
        await this.#processes.startExtensions(launch, names);
        const outcome = await registered;
        if (outcome.kind !== 'ready') return outcome;
      }
      const asked = this.#wait(() => this.#asked, untilMs);
      await this.#processes.startRuntime(launch);
      const outcome = await asked;
      if (outcome.kind !== 'ready') return outcome;
      this.#extensions.closeRegistration();
      return await this.#wait(() => this.#extensions.allReady, untilMs);
    } catch (error) {
      this.#finish({ kind: 'timeout' });
      if (error instanceof LaunchError) return { kind: 'fault', errorType: error.errorType, reason: error.message };
      throw error;
    }
  }

  #invoke(request: InvokeRequest, untilMs: number): Promise<Outcome> {
    const { clock } = this.#parts;
    // Down to the whole millisecond: what a handler has left is always less than its timeout.
    const deadlineMs = Math.floor(clock.real() + untilMs - clock.mono());
    this.#asked = false;
    this.#times = { startedMs: clock.mono() };
    this.#stream = request.stream;
    // A runtime that asks for another event without answering this one has lost it.
    const outcome = this.#wait(() => this.#asked, untilMs);
    if (this.#extensions.count > 0) {
      const { requestId, invokedFunctionArn, trace } = request;
      this.#extensions.dispatch('INVOKE', { deadlineMs, requestId, invokedFunctionArn, tracing: { type: 'X-Amzn-Trace-Id', value: trace } });
    }
    this.#session.deliver(request.requestId, {
      headers: {
        'Lambda-Runtime-Aws-Request-Id': request.requestId,
        'Lambda-Runtime-Deadline-Ms': String(deadlineMs),
        'Lambda-Runtime-Invoked-Function-Arn': request.invokedFunctionArn,
        'Lambda-Runtime-Trace-Id': request.trace,
        ...(request.tenantId === undefined ? {} : { 'Lambda-Runtime-Aws-Tenant-Id': request.tenantId }),
        ...(request.clientContext === undefined ? {} : { 'Lambda-Runtime-Client-Context': request.clientContext }),
        ...(request.cognitoIdentity === undefined ? {} : { 'Lambda-Runtime-Cognito-Identity': request.cognitoIdentity }),
      },
      payload: request.payload,
    });
    return outcome;
  }

  /** Answers the caller, closes the log of the invocation, and leaves the environment ready or reset. */
  async #conclude(
    request: InvokeRequest,
    respond: (result: InvokeResult) => void,
    outcome: Outcome,
    startedMs: number,
    initMs: number | undefined,
  ): Promise<void> {
    const { clock } = this.#parts;
    const timeoutMs = this.spec.timeoutMs;
    const answered = outcome.kind === 'answer';
    // AWS bills the timeout itself, not the moments that the kill takes.
    let report = this.#reportOf(outcome.kind === 'timeout' ? timeoutMs : clock.mono() - startedMs, initMs);
    const { payload, functionError, fault } = resultOf(request.requestId, outcome, timeoutMs);
    const result: InvokeResult = { payload, ...(functionError ? { functionError } : {}), report };
    if (!request.tail) respond(result);
    let failed: Failed | undefined = answered || outcome.kind === 'ready' ? undefined : outcome;
    if (answered) {
      failed = await this.#settleDown(startedMs + timeoutMs);
      // Extensions may go on for a while after the answer: that is part of the invocation.
      if (this.#extensions.hasSubscribers('INVOKE')) report = this.#reportOf(Math.min(timeoutMs, clock.mono() - startedMs), initMs);
      await this.#log.drain();
    }
    const failure = failed && failureOf(failed);
    const conclusion = { report, failure, producedBytes: answered ? payload.length : 0 };
    const isoOf = (monoMs: number) => new Date(clock.virtual() - (clock.mono() - monoMs)).toISOString();
    this.#platform.runtimeDone(request, answered ? { ...conclusion, spans: () => runtimeSpans(this.#times, isoOf) } : conclusion);
    const spans = () => (answered && this.#extensions.count > 0 ? extensionSpans(this.#times, clock.mono(), isoOf) : []);
    if (!answered || failed) await this.#reset(failed?.kind === 'timeout' ? 'timeout' : 'failure');
    if (failed?.kind === 'timeout') this.#platform.timedOut(request, seconds(timeoutMs));
    else if (fault && (outcome.kind === 'exit' || outcome.kind === 'fault')) this.#platform.fault(fault.errorMessage, fault.errorType);
    this.#platform.end(request);
    this.#platform.report(request, { ...conclusion, spans });
    this.lastUsedMs = clock.mono();
    const logTail = this.#log.takeTail();
    if (request.tail) respond({ ...result, ...(logTail === undefined ? {} : { logTail }) });
  }

  #reportOf(durationMs: number, initMs: number | undefined): InvokeReport {
    return {
      durationMs,
      billedMs: Math.ceil(durationMs + (initMs ?? 0)),
      ...(initMs === undefined ? {} : { initMs }),
      memoryUsedMb: this.#processes.memoryUsedMb(),
    };
  }

  /** The runtime has answered; it, and extensions, may still be busy until they ask for the next event. What failed, if they do not. */
  async #settleDown(untilMs: number): Promise<Failed | undefined> {
    const outcome = await this.#wait(() => this.#asked && this.#extensions.allReady, untilMs);
    if (outcome.kind === 'ready' || outcome.kind === 'answer') return undefined;
    return outcome;
  }

  /** Waits until `condition` holds, or for what the runtime does else, until the monotonic time `untilMs`. */
  #wait(condition: () => boolean, untilMs: number): Promise<Outcome> {
    if (condition()) return Promise.resolve({ kind: 'ready' });
    return new Promise((resolve) => {
      let timer = setTimeout(() => ended(), Math.max(0, untilMs - this.#parts.clock.mono()));
      const ended = () => {
        const leftMs = this.#debug ? untilMs + this.#debug.heldMs() - this.#heldBeforeMs - this.#parts.clock.mono() : 0;
        if (this.#debug?.holding) timer = setTimeout(ended, DEBUG_LOOK_MS);
        else if (leftMs > 0) timer = setTimeout(ended, leftMs);
        else this.#finish({ kind: 'timeout' });
      };
      this.#condition = condition;
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#settle = undefined;
        this.#condition = undefined;
        resolve(outcome);
      };
    });
  }

  #progress(): void {
    if (this.#condition?.()) this.#finish({ kind: 'ready' });
  }

  #finish(outcome: Outcome): void {
    this.#settle?.(outcome);
  }

  /** A process that the environment cannot do without has ended. */
  #lost(outcome: Failed): void {
    const idle = this.#settle === undefined && this.#phase === 'ready';
    this.#phase = 'reset';
    this.#finish(outcome);
    // Between invocations nobody else clears up; who starts the next init phase waits for it.
    if (idle) this.#clearing = this.#reset('failure');
  }

  /** Ends all processes; the sandbox and its files stay. */
  async #reset(reason: ShutdownReason): Promise<void> {
    this.#phase = 'reset';
    this.#debug?.end();
    this.#session.abandon();
    await this.#processes.stop(reason);
    this.#session.reset();
  }
}
