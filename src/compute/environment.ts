import type { Clock } from '../kit/clock.ts';
import { exitFault, faultPayload, type PlatformFault, responseTooLargeFault, seconds, timeoutFault } from './failures.ts';
import { INIT_TIMEOUT_MS, RESPONSE_BYTES_MAX } from './limits.ts';
import { endLine, exitLine, type Failure, initReportLine, initStartLine, reportLine, startLine, timeoutLine } from './log-lines.ts';
import type { EnvironmentLog } from './log-output.ts';
import type { RuntimeAnswer, RuntimeApi, RuntimeSession } from './runtime-api.ts';
import type { Exit, FunctionSpec, InvokeReport, InvokeRequest, InvokeResult, Launch, RunningRuntime, Sandbox } from './types.ts';

/** What became of an init phase or an invocation. */
type Outcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly answer: RuntimeAnswer }
  | { readonly kind: 'init-error'; readonly body: Buffer; readonly errorType: string }
  | { readonly kind: 'exit'; readonly exit: Exit }
  | { readonly kind: 'timeout' };

type Failed = Exclude<Outcome, { kind: 'ready' } | { kind: 'answer' }>;

export interface EnvironmentParts {
  readonly spec: FunctionSpec;
  readonly sandbox: Sandbox;
  /** Made anew for each start of the runtime: credentials are renewed with it. */
  readonly launch: () => Promise<Launch>;
  readonly log: EnvironmentLog;
  /** Said once at the first start, e.g. that another runtime version stands in. */
  readonly warnings: readonly string[];
  readonly clock: Clock;
  readonly api: RuntimeApi;
}

/**
 * One execution environment: a sandbox, the runtime in it, one invocation at a time. `cold` until its first init, `ready` while its
 * runtime waits for an event, `reset` when the runtime is gone and the sandbox's files stay for the next one.
 * "Understanding the Lambda execution environment lifecycle".
 */
export class Environment {
  readonly spec: FunctionSpec;
  /** Monotonic time of the last invocation's end. */
  lastUsedMs = 0;
  #parts: EnvironmentParts;
  #session: RuntimeSession;
  #phase: 'cold' | 'ready' | 'reset' = 'cold';
  #running: RunningRuntime | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;
  #asked = false;
  /** Who reads the answer that is under way, if it is streamed. */
  #stream: InvokeRequest['stream'];
  /** The last reading: of a runtime that is gone, what it had. */
  #memoryUsedMb = 0;

  constructor(parts: EnvironmentParts) {
    this.#parts = parts;
    this.spec = parts.spec;
    this.#session = parts.api.open({
      onNext: () => {
        this.#asked = true;
        this.#finish({ kind: 'ready' });
      },
      onAnswer: (answer) => this.#finish({ kind: 'answer', answer }),
      onStream: (body, contentType) => {
        this.#stream?.(body, contentType);
        return this.#stream !== undefined;
      },
      onInitError: (body, errorType) => this.#finish({ kind: 'init-error', body, errorType }),
    });
    parts.sandbox.onConnection((socket) => this.#session.connect(socket));
  }

  /**
   * Runs one invocation. `respond` gets the answer as soon as it is there; the promise resolves once the environment can take
   * the next one. Rejects where the runtime cannot even be started.
   */
  async run(request: InvokeRequest, respond: (result: InvokeResult) => void): Promise<void> {
    const { clock, log } = this.#parts;
    const cold = this.#phase === 'cold' ? await this.#coldStart() : undefined;
    const startedMs = clock.mono();
    const timeoutMs = this.spec.timeoutMs;
    const outcome = this.#phase === 'ready' ? undefined : await this.#restart(timeoutMs);
    if (request.tail) log.startTail();
    log.write(startLine(request.requestId, this.spec.version));
    const ended = outcome ?? (await this.#invoke(request, startedMs + timeoutMs));
    await this.#conclude(request, respond, ended, startedMs, cold);
  }

  /** The init phase ahead of any invocation, or once more where the runtime has ended since. False where it failed. */
  async initialise(): Promise<boolean> {
    if (this.#phase === 'cold') await this.#coldStart();
    else if (this.#phase === 'reset') await this.#restart(INIT_TIMEOUT_MS);
    return this.#phase === 'ready';
  }

  freeze(): void {
    this.#parts.sandbox.freeze();
  }

  thaw(): void {
    this.#parts.sandbox.thaw();
  }

  /** Ends the runtime and removes the sandbox. */
  async close(): Promise<void> {
    this.#session.reset();
    await this.#parts.sandbox.kill();
    this.#parts.log.close();
  }

  /** The init phase of a new environment: 10 seconds at most. Its duration where it succeeded. */
  async #coldStart(): Promise<number | undefined> {
    const { log, warnings } = this.#parts;
    log.write(initStartLine(this.spec.runtime, this.spec.region));
    for (const warning of warnings) log.write(`LAMBDA_WARNING: ${warning}\n`);
    const { outcome, durationMs } = await this.#start(INIT_TIMEOUT_MS);
    if (outcome.kind === 'ready') return durationMs;
    log.write(initReportLine(durationMs, 'init', failureOf(outcome)));
    return undefined;
  }

  /** Init again, now as part of an invocation and under its timeout. Undefined where the runtime is ready. */
  async #restart(timeoutMs: number): Promise<Failed | undefined> {
    const { outcome, durationMs } = await this.#start(timeoutMs);
    if (outcome.kind === 'ready') return undefined;
    if (outcome.kind !== 'timeout') this.#parts.log.write(initReportLine(durationMs, 'invoke', failureOf(outcome)));
    return outcome;
  }

  async #start(limitMs: number): Promise<{ readonly outcome: { readonly kind: 'ready' } | Failed; readonly durationMs: number }> {
    const { clock, sandbox, log } = this.#parts;
    const launch = await this.#parts.launch();
    const startedMs = clock.mono();
    this.#asked = false;
    const waited = this.#wait(limitMs);
    let running: RunningRuntime;
    try {
      running = await sandbox.specialise(launch);
    } catch (error) {
      this.#finish({ kind: 'timeout' });
      throw error;
    }
    this.#running = running;
    log.follow(running.output);
    this.#watchExit(running);
    const outcome = await waited;
    const durationMs = clock.mono() - startedMs;
    this.#memoryUsedMb = running.peakMemoryMb();
    if (outcome.kind === 'ready') {
      this.#phase = 'ready';
      return { outcome, durationMs };
    }
    await this.#reset();
    // An answer to nothing is a runtime that broke the protocol.
    return { outcome: outcome.kind === 'answer' ? { kind: 'exit', exit: { code: null, signal: null } } : outcome, durationMs };
  }

  #invoke(request: InvokeRequest, untilMs: number): Promise<Outcome> {
    const { clock } = this.#parts;
    const leftMs = untilMs - clock.mono();
    this.#asked = false;
    this.#stream = request.stream;
    const outcome = this.#wait(leftMs);
    this.#session.deliver(request.requestId, {
      headers: {
        'Lambda-Runtime-Aws-Request-Id': request.requestId,
        // Down to the whole millisecond: what a handler has left is always less than its timeout.
        'Lambda-Runtime-Deadline-Ms': String(Math.floor(clock.real() + leftMs)),
        'Lambda-Runtime-Invoked-Function-Arn': request.invokedFunctionArn,
        'Lambda-Runtime-Trace-Id': request.trace,
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
    const { clock, log } = this.#parts;
    const timeoutMs = this.spec.timeoutMs;
    const elapsedMs = clock.mono() - startedMs;
    // AWS bills the timeout itself, not the moments that the kill takes.
    const durationMs = outcome.kind === 'timeout' ? timeoutMs : elapsedMs;
    this.#memoryUsedMb = this.#running?.peakMemoryMb() ?? this.#memoryUsedMb;
    const report: InvokeReport = {
      durationMs,
      billedMs: Math.ceil(durationMs + (initMs ?? 0)),
      ...(initMs === undefined ? {} : { initMs }),
      memoryUsedMb: this.#memoryUsedMb,
    };
    const { payload, functionError, fault } = this.#resultOf(request.requestId, outcome);
    const result: InvokeResult = { payload, ...(functionError ? { functionError } : {}), report };
    if (!request.tail) respond(result);
    if (outcome.kind === 'answer') {
      if (!this.#asked) await this.#awaitReady(startedMs + timeoutMs - clock.mono());
      await log.drain();
    } else await this.#reset();
    if (outcome.kind === 'timeout') log.write(timeoutLine(new Date(clock.virtual()).toISOString(), request.requestId, seconds(timeoutMs)));
    else if (fault && outcome.kind === 'exit') log.write(exitLine(fault.errorMessage, fault.errorType));
    log.write(endLine(request.requestId));
    const failure = outcome.kind === 'answer' || outcome.kind === 'ready' ? undefined : failureOf(outcome);
    log.write(reportLine(request.requestId, this.spec.memoryMb, report, failure));
    this.lastUsedMs = clock.mono();
    const logTail = log.takeTail();
    if (request.tail) respond({ ...result, ...(logTail === undefined ? {} : { logTail }) });
  }

  #resultOf(requestId: string, outcome: Outcome): { payload: Buffer; functionError?: 'Unhandled'; fault?: PlatformFault } {
    const failed = (fault: PlatformFault) => ({ payload: faultPayload(fault), functionError: 'Unhandled' as const, fault });
    switch (outcome.kind) {
      case 'answer':
        if (outcome.answer.tooLarge) return failed(responseTooLargeFault(RESPONSE_BYTES_MAX));
        return { payload: outcome.answer.body, ...(outcome.answer.kind === 'error' ? { functionError: 'Unhandled' as const } : {}) };
      case 'init-error':
        return { payload: outcome.body, functionError: 'Unhandled' };
      case 'timeout':
        return failed(timeoutFault(requestId, this.spec.timeoutMs));
      case 'exit':
        return failed(exitFault(requestId, outcome.exit));
      case 'ready':
        // It asked for another event without answering this one.
        return failed({ errorType: 'Runtime.Unknown', errorMessage: `RequestId: ${requestId} Error: Runtime asked for the next event without answering` });
    }
  }

  /** The runtime has answered; it may still be busy until it asks for the next event. */
  async #awaitReady(leftMs: number): Promise<void> {
    const outcome = await this.#wait(Math.max(0, leftMs));
    if (outcome.kind !== 'ready') await this.#reset();
  }

  /** Waits for what the runtime does next, up to `limitMs`. */
  #wait(limitMs: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#finish({ kind: 'timeout' }), Math.max(0, limitMs));
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(outcome);
      };
    });
  }

  #finish(outcome: Outcome): void {
    this.#settle?.(outcome);
  }

  #watchExit(running: RunningRuntime): void {
    void running.exited.then(async (exit) => {
      // What it sent before it ended is read first.
      await this.#parts.log.drain();
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#phase = 'reset';
      this.#session.reset();
      this.#finish({ kind: 'exit', exit });
    });
  }

  /** Kills the runtime; the sandbox and its files stay. */
  async #reset(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#phase = 'reset';
    this.#session.reset();
    await running?.kill();
    await this.#parts.log.drain();
  }
}

function failureOf(outcome: Failed): Failure {
  if (outcome.kind === 'timeout') return { status: 'timeout' };
  return { status: 'error', errorType: outcome.kind === 'init-error' ? outcome.errorType : 'Runtime.ExitError' };
}
