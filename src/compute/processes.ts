import type { Clock } from '../kit/clock.ts';
import type { Extensions } from './extensions.ts';
import { exitStatus, LaunchError } from './failures.ts';
import { EXTENSIONS_MAX, SHUTDOWN_EXTERNAL_MS, SHUTDOWN_INTERNAL_MS, SHUTDOWN_RUNTIME_SHARE } from './limits.ts';
import type { EnvironmentLog } from './log-output.ts';
import type { Telemetry } from './telemetry.ts';
import type { Exit, Launch, RunningProcess, RunningRuntime, Sandbox } from './types.ts';
import { extensionVariables } from './variables.ts';

/** Why an environment's processes end, as extensions are told. */
export type ShutdownReason = 'spindown' | 'timeout' | 'failure';

export interface ProcessesParts {
  readonly sandbox: Sandbox;
  readonly extensions: Extensions;
  readonly telemetry: Telemetry;
  readonly log: EnvironmentLog;
  readonly clock: Clock;
  /** The runtime, or an extension, ended although nobody stopped it. Called once what it wrote has been read. */
  readonly onRuntimeExit: (exit: Exit) => void;
  readonly onExtensionExit: (errorType: string, reason: string) => void;
}

/** The processes of one environment: external extensions, then the runtime; and their shutdown phase. */
export class Processes {
  #parts: ProcessesParts;
  #runtime: RunningRuntime | undefined;
  #extensions = new Map<string, RunningProcess>();
  #memoryUsedMb = 0;

  constructor(parts: ProcessesParts) {
    this.#parts = parts;
  }

  /** Starts the extensions of the function's layers. Throws `LaunchError`. */
  async startExtensions(launch: Launch, names: readonly string[]): Promise<void> {
    const { sandbox, extensions, log } = this.#parts;
    const variables = extensionVariables(launch.variables);
    for (const [index, name] of names.entries()) {
      if (index >= EXTENSIONS_MAX) {
        extensions.launchFailed(name, 'TooManyExtensions');
        throw new LaunchError('Extension.LaunchError', 'ErrTooManyExtensions');
      }
      try {
        const running = await sandbox.spawn(launch, { file: `/opt/extensions/${name}`, args: [], variables });
        this.#extensions.set(name, running);
        log.follow(running.output, 'extension');
        void running.exited.then((exit) => this.#extensionEnded(name, running, exit));
      } catch (error) {
        if (!(error instanceof LaunchError)) throw error;
        extensions.launchFailed(name, /permission denied/.test(error.message) ? 'PermissionDenied' : 'UnknownError');
        throw new LaunchError('Extension.LaunchError', error.message);
      }
    }
  }

  /** Starts the runtime. Throws `LaunchError`. */
  async startRuntime(launch: Launch): Promise<void> {
    const { sandbox, log, onRuntimeExit } = this.#parts;
    const running = await sandbox.specialise(launch);
    this.#runtime = running;
    log.follow(running.output);
    if (running.frames) log.followFrames(running.frames);
    void running.exited.then(async (exit) => {
      // What it sent before it ended is read first.
      await log.drain();
      if (this.#runtime !== running) return;
      this.memoryUsedMb();
      this.#runtime = undefined;
      onRuntimeExit(exit);
    });
  }

  /** Peak memory of the runtime: of one that is gone, what it had. */
  memoryUsedMb(): number {
    this.#memoryUsedMb = this.#runtime?.peakMemoryMb() ?? this.#memoryUsedMb;
    return this.#memoryUsedMb;
  }

  /**
   * The shutdown phase: without extensions everything is killed at once; else the runtime gets SIGTERM and extensions their SHUTDOWN event,
   * and what is left after its time is killed. The sandbox and its files stay.
   */
  async stop(reason: ShutdownReason): Promise<void> {
    const { extensions, telemetry, clock, log } = this.#parts;
    const runtime = this.#runtime;
    const others = [...this.#extensions];
    this.memoryUsedMb();
    this.#runtime = undefined;
    this.#extensions.clear();
    if (extensions.count > 0) {
      const budgetMs = extensions.hasExternal ? SHUTDOWN_EXTERNAL_MS : SHUTDOWN_INTERNAL_MS;
      const startedMs = clock.mono();
      const deadlineMs = Math.floor(clock.real() + budgetMs);
      await ended(runtime, budgetMs * SHUTDOWN_RUNTIME_SHARE);
      await Promise.race([telemetry.flush(), elapsed(Math.max(0, budgetMs / 4))]);
      extensions.dispatch('SHUTDOWN', { deadlineMs, shutdownReason: reason });
      await Promise.all(
        others.map(async ([name, running]) => {
          const leftMs = extensions.subscribes(name, 'SHUTDOWN') ? budgetMs - (clock.mono() - startedMs) : 0;
          await Promise.race([running.exited, elapsed(leftMs)]);
          await running.kill();
        }),
      );
    } else await Promise.all([runtime?.kill(), ...others.map(([, running]) => running.kill())]);
    await log.drain();
  }

  async #extensionEnded(name: string, running: RunningProcess, exit: Exit): Promise<void> {
    const { log, extensions, onExtensionExit } = this.#parts;
    await log.drain();
    if (this.#extensions.get(name) !== running) return;
    this.#extensions.delete(name);
    onExtensionExit(extensions.faultType, exit.code === 0 ? 'exit code 0' : exitStatus(exit));
  }
}

/** SIGTERM, and SIGKILL to what is left after `graceMs`. */
async function ended(running: RunningProcess | undefined, graceMs: number): Promise<void> {
  if (!running) return;
  running.terminate();
  await Promise.race([running.exited, elapsed(graceMs)]);
  await running.kill();
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, Math.max(0, ms)));
}
