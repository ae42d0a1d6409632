import type { Clock } from '../kit/clock.ts';
import type { Environment } from './environment.ts';
import { Group } from './group.ts';
import { PROVISIONED_ATTEMPTS_MAX, PROVISIONED_RENEWED_PARTS, PROVISIONED_RETRY_MS } from './limits.ts';
import type { FunctionSpec } from './types.ts';

/** What a provision needs of the pool. */
export interface ProvisionPool {
  /** Takes a place for one environment where there is one now. */
  room(spec: FunctionSpec): 'yes' | 'later' | 'full';
  /** Starts and initialises an environment in a place that `room` gave; undefined where its init failed. */
  start(provision: Provision): Promise<Environment | undefined>;
  end(environment: Environment): void;
}

export interface ProvisionStatus {
  readonly requested: number;
  /** Environments that are initialised, busy or not. */
  readonly allocated: number;
  /** Why no more are started. */
  readonly failure?: 'init' | 'capacity';
  /** Environments that run an invocation now. */
  readonly inUse: number;
  /** The most that did at once since {@link Provision.takePeak} was last asked. */
  readonly peak: number;
}

/**
 * The environments of one function version that are initialised ahead of invocations and never end for being idle.
 * "Configuring provisioned concurrency for a function".
 */
export class Provision {
  readonly spec: FunctionSpec;
  readonly group = new Group();
  #clock: Clock;
  #pool: ProvisionPool;
  #requested = 0;
  #starting = 0;
  #ready = new Set<Environment>();
  #inUse = 0;
  #peak = 0;
  #failures = 0;
  #failure: 'init' | 'capacity' | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryAtMs = 0;

  constructor(spec: FunctionSpec, clock: Clock, pool: ProvisionPool) {
    this.spec = spec;
    this.#clock = clock;
    this.#pool = pool;
  }

  /** Environments that are there or being started: what it takes of the machine. */
  get size(): number {
    return this.#ready.size + this.#starting;
  }

  status(): ProvisionStatus {
    return {
      requested: this.#requested,
      allocated: Math.min(this.#ready.size, this.#requested),
      ...(this.#failure ? { failure: this.#failure } : {}),
      inUse: this.#inUse,
      peak: this.#peak,
    };
  }

  /** From here on the peak is counted anew. */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = this.#inUse;
    return peak;
  }

  /** Changes how many are kept; a failure before is forgotten. */
  ask(count: number): void {
    this.#requested = count;
    this.#failures = 0;
    this.#failure = undefined;
    this.#retryAtMs = 0;
    if (count === 0) {
      this.group.retired = true;
      this.group.abandon();
    }
    while (this.#ready.size > count) {
      const environment = this.group.idle.shift();
      if (!environment) break;
      this.#end(environment);
    }
    this.fill();
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.group.abandon();
    this.#requested = 0;
  }

  /** A free environment, at once or as soon as one that has answered is done. Undefined: all are busy. */
  async take(): Promise<Environment | undefined> {
    let environment = this.group.idle.pop();
    for (; environment?.stale; environment = this.group.idle.pop()) this.#end(environment);
    environment?.thaw();
    const taken = environment ?? (await this.group.takeFinishing());
    if (taken) this.#peak = Math.max(this.#peak, ++this.#inUse);
    return taken;
  }

  /** An invocation that {@link take} began is over. */
  used(): void {
    this.#inUse--;
  }

  /** Takes an environment back after an invocation. */
  release(environment: Environment): void {
    if (this.#ready.size > this.#requested || environment.stale) {
      this.#end(environment);
      this.fill();
      return;
    }
    // A runtime that ended starts again now, not with the next invocation.
    environment.initialise().then(
      (ready) => {
        if (ready) this.#offer(environment);
        else this.#lost(environment);
      },
      () => this.#lost(environment),
    );
  }

  /** Replaces idle environments whose credentials are about to end, a part at a time. */
  renew(): void {
    const part = Math.ceil(this.#ready.size / PROVISIONED_RENEWED_PARTS);
    for (const environment of this.group.idle.filter((one) => one.stale).slice(0, part)) {
      this.group.remove(environment);
      this.#end(environment);
    }
    this.fill();
  }

  /** Starts what is missing, as far as there is room. */
  fill(): void {
    while (this.#ready.size + this.#starting < this.#requested && !this.#failure && this.#clock.mono() >= this.#retryAtMs) {
      const room = this.#pool.room(this.spec);
      if (room === 'full') this.#failure = 'capacity';
      if (room !== 'yes') return;
      this.#starting++;
      void this.#start();
    }
  }

  async #start(): Promise<void> {
    // An error of the machine (no runtime, code that cannot be read) fails the allocation like one of the function.
    const environment = await this.#pool.start(this).catch(() => undefined);
    this.#starting--;
    if (!environment) this.#failed();
    else if (this.#ready.size >= this.#requested) this.#pool.end(environment);
    else {
      this.#failures = 0;
      this.#ready.add(environment);
      this.#offer(environment);
    }
    this.fill();
  }

  #offer(environment: Environment): void {
    if (this.#requested === 0) this.#end(environment);
    else if (!this.group.giveNext(environment)) {
      this.group.idle.push(environment);
      environment.freeze();
    }
  }

  #lost(environment: Environment): void {
    this.#end(environment);
    this.#failed();
  }

  #failed(): void {
    if (++this.#failures >= PROVISIONED_ATTEMPTS_MAX) {
      this.#failure = 'init';
      return;
    }
    this.#retryAtMs = this.#clock.mono() + PROVISIONED_RETRY_MS;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retryAtMs = 0;
      this.fill();
    }, PROVISIONED_RETRY_MS);
    this.#retry.unref();
  }

  #end(environment: Environment): void {
    this.#ready.delete(environment);
    this.#pool.end(environment);
  }
}
