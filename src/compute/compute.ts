import { join } from 'node:path';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import { type CodeCache, createCodeCache } from './code-cache.ts';
import { createEnvironment } from './create-environment.ts';
import type { Environment } from './environment.ts';
import { CapacityError } from './failures.ts';
import { Group } from './group.ts';
import type { Debuggers } from './inspect/debuggers.ts';
import {
  ENVIRONMENTS_MAX,
  IDLE_MS_DEFAULT,
  MEMORY_BUDGET_MB_DEFAULT,
  PROVISIONED_SHARE_MAX,
  REAP_EVERY_MS_MAX,
  REAP_EVERY_MS_MIN,
  STARTING_MAX,
  WAITING_MAX,
  WAITING_MS_MAX,
} from './limits.ts';
import { createProcessDriver } from './process/driver.ts';
import { Provision, type ProvisionStatus } from './provision.ts';
import { RuntimeApi } from './runtime-api.ts';
import type { CodePackage, Driver, FunctionSpec, InvokeOptions, InvokeRequest, InvokeResult } from './types.ts';

export interface ComputeOptions {
  /** Where code and environments are kept: a folder of the data directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Memory that all environments share, by their functions' memory sizes. */
  readonly memoryBudgetMb?: number;
  readonly idleMs?: number;
  /** Functions whose exact runtime is absent fail, instead of running on the nearest there is. */
  readonly strictRuntimes?: boolean;
  readonly driver?: Driver;
  /** Ports for debuggers, and where debugpy lies. */
  readonly debuggers?: Debuggers;
  readonly debugpyDirectory?: string;
}

/** The compute plane: execution environments for functions. */
export interface Compute {
  readonly driver: { readonly name: Driver['name']; readonly isolation: Driver['isolation'] };
  /**
   * Runs an invocation in a provisioned environment, a warm one, or a new one. Rejects with {@link CapacityError} where the machine
   * is full.
   */
  invoke(spec: FunctionSpec, request: InvokeRequest, options?: InvokeOptions): Promise<InvokeResult>;
  /** Starts an environment and initialises it for the next invocation. False where its init failed. */
  warm(spec: FunctionSpec): Promise<boolean>;
  /** Keeps `count` initialised environments of a version apart from those that invocations start; 0 ends them. */
  provision(spec: FunctionSpec, count: number): void;
  /** What is kept of a version; undefined where nothing is asked. */
  provisioned(key: string): ProvisionStatus | undefined;
  /** The most of them that were in use at once since this was last asked. */
  takePeak(key: string): number;
  /** Starts an environment ahead of the next invocation, where none is idle; that one then waits for it. */
  prestart(spec: FunctionSpec): void;
  /** Unpacks code and layers before they are needed. */
  prefetch(code: CodePackage, layers?: readonly CodePackage[]): Promise<void>;
  /** Ends the idle environments of a function version that are not of `configuration` (absent: all); busy ones end when they are done. */
  retire(key: string, configuration?: string): void;
  /** For `/metrics`. */
  stats(): Record<string, number>;
  start(): Promise<void>;
  stop(): Promise<void>;
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
  #idleMs: number;
  #cache: CodeCache;
  #api = new RuntimeApi();
  #groups = new Map<string, Group>();
  /** By the function version's key. */
  #provisions = new Map<string, Provision>();
  #groupOf = new Map<Environment, Group>();
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
    this.#idleMs = options.idleMs ?? IDLE_MS_DEFAULT;
    const newId = () => options.ids.bytes(16).toString('hex');
    this.driver = options.driver ?? createProcessDriver({ directory: options.directory, newId });
    this.#cache = createCodeCache(join(options.directory, 'code'), newId);
  }

  async start(): Promise<void> {
    await Promise.all([this.driver.start(), this.#cache.start(), this.#options.debuggers?.start()]);
    this.#reaper = setInterval(() => this.#reap(), Math.min(REAP_EVERY_MS_MAX, Math.max(REAP_EVERY_MS_MIN, this.#idleMs / 4)));
    this.#reaper.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#reaper);
    for (const waiter of this.#waiting.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.fail(new CapacityError('Croft is stopping'));
    }
    for (const group of this.#groups.values()) group.abandon();
    for (const provision of this.#provisions.values()) provision.stop();
    await Promise.all([...this.#live].map((environment) => this.#close(environment)));
    await this.#options.debuggers?.stop();
    await this.driver.stop();
  }

  async prefetch(code: CodePackage, layers: readonly CodePackage[] = []): Promise<void> {
    await Promise.all([this.#cache.directoryOf(code), this.#cache.mergedDirectoryOf(layers)]);
  }

  async invoke(spec: FunctionSpec, request: InvokeRequest, options: InvokeOptions = {}): Promise<InvokeResult> {
    const provision = this.#provisions.get(spec.key);
    const provisioned = provision && (await provision.take());
    const admitted = provisioned ? undefined : options.onDemand?.();
    if (admitted) await admitted;
    const environment =
      provisioned ??
      this.#takeIdle(spec) ??
      (await this.#takeAhead(spec)) ??
      (await this.#groups.get(groupName(spec))?.takeFinishing()) ??
      (await this.#acquire(spec, options));
    const group = this.#groupOf.get(environment) ?? this.#group(spec);
    return new Promise((resolve, reject) => {
      let answered = false;
      const respond = (result: InvokeResult) => {
        answered = true;
        group.finishing++;
        resolve(result);
      };
      const done = () => {
        if (answered) group.finishing--;
        if (provisioned) provision?.used();
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

  prestart(spec: FunctionSpec): void {
    const group = this.#group(spec);
    if (this.#stopped || group.ahead || group.idle.length > 0 || !this.#makeRoom(spec)) return;
    group.ahead = this.#startAhead(spec, group).finally(() => {
      group.ahead = undefined;
    });
  }

  /** Where its init fails, or it cannot be started, the next invocation tries again and says so. */
  async #startAhead(spec: FunctionSpec, group: Group): Promise<void> {
    try {
      const environment = await this.#create(spec, group);
      if (await environment.initialise()) this.#release(environment);
      else await this.#discard(environment);
    } catch (error) {
      this.#options.log.debug({ err: error, function: spec.key }, 'an execution environment could not be started ahead');
    }
  }

  async #takeAhead(spec: FunctionSpec): Promise<Environment | undefined> {
    const ahead = this.#groups.get(groupName(spec))?.ahead;
    if (!ahead) return undefined;
    await ahead;
    return this.#takeIdle(spec);
  }

  async warm(spec: FunctionSpec): Promise<boolean> {
    const environment = await this.#acquire(spec, {});
    try {
      if (await environment.initialise()) {
        this.#release(environment);
        return true;
      }
    } catch (error) {
      await this.#discard(environment);
      throw error;
    }
    await this.#discard(environment);
    return false;
  }

  provision(spec: FunctionSpec, count: number): void {
    const known = this.#provisions.get(spec.key);
    if (known && known.spec.configuration === spec.configuration) known.ask(count);
    else if (count > 0 && !this.#stopped) {
      known?.ask(0);
      const made = new Provision({ ...spec, initializationType: 'provisioned-concurrency' }, this.#options.clock, {
        room: (one) => this.#provisionedRoom(one),
        start: (one) => this.#startProvisioned(one),
        end: (environment) => void this.#discard(environment),
      });
      this.#provisions.set(spec.key, made);
      made.ask(count);
    }
    if (count === 0) this.#provisions.delete(spec.key);
  }

  provisioned(key: string): ProvisionStatus | undefined {
    return this.#provisions.get(key)?.status();
  }

  takePeak(key: string): number {
    return this.#provisions.get(key)?.takePeak() ?? 0;
  }

  /** Whether another environment may be provisioned: `full` is for good, `later` is while others start. */
  #provisionedRoom(spec: FunctionSpec): 'yes' | 'later' | 'full' {
    let count = 0;
    let memoryMb = 0;
    for (const one of this.#provisions.values()) {
      count += one.size;
      memoryMb += one.size * one.spec.memoryMb;
    }
    const budgetMb = this.#options.memoryBudgetMb ?? MEMORY_BUDGET_MB_DEFAULT;
    // What invocations start on demand must always find some room.
    if (count + 1 > ENVIRONMENTS_MAX * PROVISIONED_SHARE_MAX || memoryMb + spec.memoryMb > budgetMb * PROVISIONED_SHARE_MAX) return 'full';
    return this.#makeRoom(spec) ? 'yes' : 'later';
  }

  /** For room that {@link #provisionedRoom} gave. Undefined where its init failed. */
  async #startProvisioned(provision: Provision): Promise<Environment | undefined> {
    const environment = await this.#create(provision.spec, provision.group);
    if (await environment.initialise()) return environment;
    await this.#discard(environment);
    return undefined;
  }

  retire(key: string, configuration?: string): void {
    for (const [name, group] of this.#groups) {
      const kept = `${key}#${configuration ?? ''}`;
      if (!name.startsWith(`${key}#`) || name === kept || name.startsWith(`${kept}#`)) continue;
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
      provisioned: [...this.#provisions.values()].reduce((sum, one) => sum + one.status().allocated, 0),
      reservedMb: this.#reservedMb,
      coldStarts: this.#coldStarts,
    };
  }

  #group(spec: FunctionSpec): Group {
    const name = groupName(spec);
    let group = this.#groups.get(name);
    if (!group) {
      group = new Group();
      this.#groups.set(name, group);
    }
    return group;
  }

  #takeIdle(spec: FunctionSpec): Environment | undefined {
    // The one used last: the others may rest, and end.
    const environment = this.#groups.get(groupName(spec))?.idle.pop();
    if (!environment) return undefined;
    this.#idle.delete(environment);
    environment.thaw();
    return environment;
  }

  /** A new environment where there is room, else whichever comes first: one that is released, or room. */
  async #acquire(spec: FunctionSpec, options: InvokeOptions): Promise<Environment> {
    if (this.#stopped) throw new CapacityError('Croft is stopping');
    options.onNew?.();
    if (this.#waiting.length === 0 && this.#makeRoom(spec)) return this.#create(spec, this.#group(spec));
    if (this.#waiting.length >= WAITING_MAX) throw new CapacityError('Too many invocations wait for an execution environment', true);
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

  async #create(spec: FunctionSpec, group: Group): Promise<Environment> {
    try {
      const environment = await createEnvironment(spec, { ...this.#options, driver: this.driver, cache: this.#cache, api: this.#api });
      this.#live.add(environment);
      this.#groupOf.set(environment, group);
      group.live++;
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
    const group = this.#groupOf.get(environment);
    if (this.#stopped || !group || group.retired) {
      void this.#discard(environment);
      return;
    }
    const provision = this.#provisions.get(environment.spec.key);
    if (provision?.group === group) {
      provision.release(environment);
      return;
    }
    if (environment.stale) {
      void this.#discard(environment);
      return;
    }
    if (group.giveNext(environment)) return;
    const name = groupName(environment.spec);
    const at = this.#waiting.findIndex(({ spec }) => groupName(spec) === name);
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
    for (;;) {
      const [waiter] = this.#waiting;
      if (!waiter) break;
      const idle = this.#takeIdle(waiter.spec);
      if (!idle && !this.#makeRoom(waiter.spec)) return;
      this.#waiting.shift();
      clearTimeout(waiter.timer);
      if (idle) waiter.give(idle);
      else this.#create(waiter.spec, this.#group(waiter.spec)).then(waiter.give, waiter.fail);
    }
    for (const provision of this.#provisions.values()) provision.fill();
  }

  #removeIdle(environment: Environment): void {
    this.#idle.delete(environment);
    this.#groupOf.get(environment)?.remove(environment);
  }

  #reap(): void {
    const beforeMs = this.#options.clock.mono() - this.#idleMs;
    for (const environment of this.#idle) {
      if (environment.lastUsedMs > beforeMs && !environment.stale) continue;
      this.#removeIdle(environment);
      void this.#discard(environment);
    }
    for (const provision of this.#provisions.values()) provision.renew();
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
    this.#reserved--;
    this.#reservedMb -= environment.spec.memoryMb;
    const group = this.#groupOf.get(environment);
    this.#groupOf.delete(environment);
    const name = groupName(environment.spec);
    if (group && --group.live === 0 && this.#groups.get(name) === group) this.#groups.delete(name);
    try {
      await environment.close();
    } finally {
      this.#pump();
    }
  }
}

function groupName({ key, configuration, tenantId }: FunctionSpec): string {
  return tenantId === undefined ? `${key}#${configuration}` : `${key}#${configuration}#${tenantId}`;
}
