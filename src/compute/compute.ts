import { join } from 'node:path';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import { type CodeCache, createCodeCache } from './code-cache.ts';
import { Environment } from './environment.ts';
import { CapacityError } from './failures.ts';
import {
  ENVIRONMENTS_MAX,
  FINISHING_MS_MAX,
  IDLE_MS_DEFAULT,
  MEMORY_BUDGET_MB_DEFAULT,
  REAP_EVERY_MS,
  STARTING_MAX,
  WAITING_MAX,
  WAITING_MS_MAX,
} from './limits.ts';
import { EnvironmentLog } from './log-output.ts';
import { createProcessDriver } from './process/driver.ts';
import { RuntimeApi } from './runtime-api.ts';
import { resolveRuntime, substituteWarning } from './runtimes.ts';
import type { CodePackage, Driver, FunctionSpec, InvokeRequest, InvokeResult, Launch } from './types.ts';
import { launchVariables } from './variables.ts';

export interface ComputeOptions {
  /** Where code and environments are kept: a folder of the data directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Memory that all environments share, by their functions' memory sizes. */
  readonly memoryBudgetMb?: number;
  readonly idleMs?: number;
  readonly driver?: Driver;
}

/** The compute plane: execution environments for functions. */
export interface Compute {
  readonly driver: { readonly name: Driver['name']; readonly isolation: Driver['isolation'] };
  /** Runs an invocation in a warm environment, or a new one. Rejects with {@link CapacityError} where the machine is full. */
  invoke(spec: FunctionSpec, request: InvokeRequest): Promise<InvokeResult>;
  /** Unpacks code and layers before they are needed. */
  prefetch(code: CodePackage, layers?: readonly CodePackage[]): Promise<void>;
  /** Ends the idle environments of a function version that are not of `configuration` (absent: all); busy ones end when they are done. */
  retire(key: string, configuration?: string): void;
  /** For `/metrics`. */
  stats(): Record<string, number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Environments of one function version in one configuration. */
interface Group {
  readonly idle: Environment[];
  retired: boolean;
  live: number;
  /** Environments that have answered and will take another event within moments. */
  finishing: number;
  /** Invocations that wait for one of those, rather than for a cold start. */
  readonly next: Next[];
}

/** Resolves with the environment, or with undefined where none came. */
interface Next {
  readonly give: (environment: Environment | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

interface Waiter {
  readonly spec: FunctionSpec;
  readonly give: (environment: Environment) => void;
  readonly fail: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

export function createCompute(options: ComputeOptions): Compute {
  return new ComputePool(options);
}

class ComputePool implements Compute {
  readonly driver: Driver;
  #options: ComputeOptions;
  #cache: CodeCache;
  #api = new RuntimeApi();
  #groups = new Map<string, Group>();
  /** Idle environments of all functions, least recently used first. */
  #idle = new Set<Environment>();
  #live = new Set<Environment>();
  #waiting: Waiter[] = [];
  #starting = 0;
  #reservedMb = 0;
  #reserved = 0;
  #coldStarts = 0;
  #reaper: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ComputeOptions) {
    this.#options = options;
    const newId = () => options.ids.bytes(16).toString('hex');
    this.driver = options.driver ?? createProcessDriver({ directory: options.directory, newId });
    this.#cache = createCodeCache(join(options.directory, 'code'), newId);
  }

  async start(): Promise<void> {
    await Promise.all([this.driver.start(), this.#cache.start()]);
    this.#reaper = setInterval(() => this.#reap(), REAP_EVERY_MS);
    this.#reaper.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#reaper);
    for (const waiter of this.#waiting.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.fail(new CapacityError('Croft is stopping'));
    }
    for (const group of this.#groups.values()) {
      for (const next of group.next.splice(0)) {
        clearTimeout(next.timer);
        next.give(undefined);
      }
    }
    await Promise.all([...this.#live].map((environment) => this.#close(environment)));
    await this.driver.stop();
  }

  async prefetch(code: CodePackage, layers: readonly CodePackage[] = []): Promise<void> {
    await Promise.all([this.#cache.directoryOf(code), this.#cache.mergedDirectoryOf(layers)]);
  }

  async invoke(spec: FunctionSpec, request: InvokeRequest): Promise<InvokeResult> {
    const environment = this.#takeIdle(spec) ?? (await this.#takeFinishing(spec)) ?? (await this.#acquire(spec));
    const group = this.#group(spec);
    return new Promise((resolve, reject) => {
      let answered = false;
      const respond = (result: InvokeResult) => {
        answered = true;
        group.finishing++;
        resolve(result);
      };
      const done = () => {
        if (answered) group.finishing--;
      };
      environment.run(request, respond).then(
        () => {
          done();
          this.#release(environment);
        },
        (error: unknown) => {
          done();
          reject(error);
          void this.#discard(environment);
        },
      );
    });
  }

  /** A caller that asks again as soon as it is answered gets the same environment: its runtime is about to ask for an event. */
  #takeFinishing(spec: FunctionSpec): Promise<Environment | undefined> | undefined {
    const group = this.#groups.get(groupName(spec.key, spec.configuration));
    if (!group || group.retired || group.finishing <= group.next.length) return undefined;
    return new Promise((give) => {
      const timer = setTimeout(() => {
        group.next.splice(group.next.indexOf(next), 1);
        give(undefined);
      }, FINISHING_MS_MAX);
      const next: Next = { give, timer };
      group.next.push(next);
    });
  }

  retire(key: string, configuration?: string): void {
    for (const [name, group] of this.#groups) {
      if (!name.startsWith(`${key}#`) || name === groupName(key, configuration ?? '')) continue;
      group.retired = true;
      for (const environment of group.idle.splice(0)) {
        this.#idle.delete(environment);
        void this.#discard(environment);
      }
      if (group.live === 0) this.#groups.delete(name);
    }
  }

  stats(): Record<string, number> {
    return {
      environments: this.#live.size,
      idle: this.#idle.size,
      starting: this.#starting,
      waiting: this.#waiting.length,
      reservedMb: this.#reservedMb,
      coldStarts: this.#coldStarts,
    };
  }

  #group(spec: FunctionSpec): Group {
    const name = groupName(spec.key, spec.configuration);
    let group = this.#groups.get(name);
    if (!group) {
      group = { idle: [], retired: false, live: 0, finishing: 0, next: [] };
      this.#groups.set(name, group);
    }
    return group;
  }

  #takeIdle(spec: FunctionSpec): Environment | undefined {
    // The one used last: the others may rest, and end.
    const environment = this.#groups.get(groupName(spec.key, spec.configuration))?.idle.pop();
    if (!environment) return undefined;
    this.#idle.delete(environment);
    environment.thaw();
    return environment;
  }

  /** A new environment where there is room, else whichever comes first: one that is released, or room. */
  async #acquire(spec: FunctionSpec): Promise<Environment> {
    if (this.#stopped) throw new CapacityError('Croft is stopping');
    if (this.#waiting.length === 0 && this.#makeRoom(spec)) return this.#create(spec);
    if (this.#waiting.length >= WAITING_MAX) throw new CapacityError('Too many invocations wait for an execution environment');
    return new Promise<Environment>((give, fail) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== waiter);
        fail(new CapacityError('No execution environment became free'));
      }, WAITING_MS_MAX);
      const waiter: Waiter = { spec, give, fail, timer };
      this.#waiting.push(waiter);
      this.#pump();
    });
  }

  /** Whether an environment may start now; ends idle ones of other functions for it, and reserves its place. */
  #makeRoom(spec: FunctionSpec): boolean {
    const budgetMb = this.#options.memoryBudgetMb ?? MEMORY_BUDGET_MB_DEFAULT;
    // A function larger than the whole budget may still run, alone.
    const fits = () => this.#reserved < ENVIRONMENTS_MAX && (this.#reservedMb + spec.memoryMb <= budgetMb || this.#reserved === 0);
    if (this.#starting >= STARTING_MAX) return false;
    while (!fits()) {
      const [oldest] = this.#idle;
      if (!oldest) return false;
      this.#removeIdle(oldest);
      void this.#discard(oldest);
    }
    this.#starting++;
    this.#reserved++;
    this.#reservedMb += spec.memoryMb;
    return true;
  }

  async #create(spec: FunctionSpec): Promise<Environment> {
    try {
      const [runtime, codeDirectory, optDirectory] = await Promise.all([
        resolveRuntime(spec.runtime),
        this.#cache.directoryOf(spec.code),
        this.#cache.mergedDirectoryOf(spec.layers ?? []),
      ]);
      const directories = { codeDirectory, ...(optDirectory === undefined ? {} : { optDirectory }) };
      const sandbox = await this.driver.prepare({ runtime: spec.runtime, memoryMb: spec.memoryMb, ephemeralStorageMb: spec.ephemeralStorageMb });
      const { clock } = this.#options;
      const logStream = logStreamName(clock.virtual(), spec.version, sandbox.id);
      const launch = async (): Promise<Launch> => {
        const credentials = await spec.credentials();
        return {
          runtime,
          ...directories,
          memoryMb: spec.memoryMb,
          variables: launchVariables({ spec, runtime, ...directories, logStream, credentials, runtimeApi: sandbox.runtimeApiAddress }),
        };
      };
      const warning = substituteWarning(runtime);
      const log = new EnvironmentLog(spec.openLog(logStream), () => clock.virtual());
      const environment = new Environment({ spec, sandbox, launch, log, warnings: warning ? [warning] : [], clock, api: this.#api });
      this.#live.add(environment);
      this.#group(spec).live++;
      this.#coldStarts++;
      if (this.#stopped) throw new CapacityError('Croft is stopping');
      return environment;
    } catch (error) {
      this.#reserved--;
      this.#reservedMb -= spec.memoryMb;
      throw error;
    } finally {
      this.#starting--;
      this.#pump();
    }
  }

  #release(environment: Environment): void {
    const group = this.#group(environment.spec);
    if (this.#stopped || group.retired) {
      void this.#discard(environment);
      return;
    }
    const next = group.next.shift();
    if (next) {
      clearTimeout(next.timer);
      next.give(environment);
      return;
    }
    const name = groupName(environment.spec.key, environment.spec.configuration);
    const at = this.#waiting.findIndex(({ spec }) => groupName(spec.key, spec.configuration) === name);
    const [waiter] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiter) {
      clearTimeout(waiter.timer);
      waiter.give(environment);
      return;
    }
    group.idle.push(environment);
    this.#idle.add(environment);
    environment.freeze();
    this.#pump();
  }

  /** Lets those who wait begin, in order, as far as there is room. */
  #pump(): void {
    while (this.#waiting.length > 0) {
      const [waiter] = this.#waiting;
      if (!waiter) return;
      const idle = this.#takeIdle(waiter.spec);
      if (!idle && !this.#makeRoom(waiter.spec)) return;
      this.#waiting.shift();
      clearTimeout(waiter.timer);
      if (idle) waiter.give(idle);
      else this.#create(waiter.spec).then(waiter.give, waiter.fail);
    }
  }

  #removeIdle(environment: Environment): void {
    this.#idle.delete(environment);
    const group = this.#group(environment.spec);
    const at = group.idle.indexOf(environment);
    if (at >= 0) group.idle.splice(at, 1);
  }

  #reap(): void {
    const beforeMs = this.#options.clock.mono() - (this.#options.idleMs ?? IDLE_MS_DEFAULT);
    for (const environment of this.#idle) {
      if (environment.lastUsedMs > beforeMs) continue;
      this.#removeIdle(environment);
      void this.#discard(environment);
    }
  }

  /** Ends an environment that nobody waits for. */
  async #discard(environment: Environment): Promise<void> {
    try {
      await this.#close(environment);
    } catch (error) {
      this.#options.log.error({ err: error, function: environment.spec.key }, 'an execution environment could not be removed');
    }
  }

  async #close(environment: Environment): Promise<void> {
    if (!this.#live.delete(environment)) return;
    this.#removeIdle(environment);
    const { key, configuration, memoryMb } = environment.spec;
    this.#reserved--;
    this.#reservedMb -= memoryMb;
    const name = groupName(key, configuration);
    const group = this.#groups.get(name);
    if (group && --group.live === 0) this.#groups.delete(name);
    try {
      await environment.close();
    } finally {
      this.#pump();
    }
  }
}

function groupName(key: string, configuration: string): string {
  return `${key}#${configuration}`;
}

/** `2026/11/21/[$LATEST]4459c970fa6d4c77aca62c95850fce54`. */
function logStreamName(nowMs: number, version: string, id: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/')}/[${version}]${id}`;
}
