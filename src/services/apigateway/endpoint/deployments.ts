import type { Store } from '../../../store/store.ts';
import type { ApiSnapshot, Scope, StageRow } from '../domain/types.ts';
import { ROUTERS_MAX } from '../limits.ts';
import { keys, readOwner, readSnapshot, readStage } from '../store.ts';
import { compileRouter, type Router } from './router.ts';

/** A deployment's snapshot with its router. */
export interface Compiled {
  readonly id: string;
  readonly snapshot: ApiSnapshot;
  readonly router: Router;
}

export interface LiveStage {
  readonly scope: Scope;
  readonly stage: StageRow;
  readonly deployment: Compiled;
  /** Set where the canary was chosen for a request. */
  readonly isCanary?: boolean;
  /** What a share of the requests gets instead. */
  readonly canary?: { readonly percent: number; readonly stage: StageRow; readonly deployment: Compiled };
}

interface Entry {
  readonly scope: Scope;
  /** Promises, so that a burst of first requests compiles once. */
  readonly stages: Map<string, Promise<LiveStage | undefined>>;
  readonly unwatch: () => void;
}

/**
 * Stages with their compiled deployments, kept in memory until a commit changes one of the API's stages or deletes the API. Least
 * recently used APIs leave first.
 */
export class Deployments {
  readonly #store: Store;
  readonly #entries = new Map<string, Entry>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** `api` where there is no such API, `stage` where it has no such stage. */
  async find(apiId: string, stageName: string): Promise<LiveStage | 'api' | 'stage'> {
    const entry = this.#entries.get(apiId) ?? (await this.#open(apiId));
    if (!entry) return 'api';
    this.#entries.delete(apiId);
    this.#entries.set(apiId, entry);
    let live = entry.stages.get(stageName);
    if (!live) {
      live = this.#load(entry.scope, apiId, stageName);
      entry.stages.set(stageName, live);
    }
    const found = await live;
    // What is not there is not remembered: names come from anyone.
    if (!found) entry.stages.delete(stageName);
    return found ?? 'stage';
  }

  close(): void {
    for (const apiId of [...this.#entries.keys()]) this.#drop(apiId);
  }

  async #open(apiId: string): Promise<Entry | undefined> {
    const scope = await readOwner(this.#store, apiId);
    if (!scope) return undefined;
    const raced = this.#entries.get(apiId);
    if (raced) return raced;
    const drop = () => this.#drop(apiId);
    // Watched before anything is read, so that no change falls between.
    const watches = [this.#store.watch(keys.parts(scope, apiId, 'stage'), drop), this.#store.watch(keys.owner(apiId), drop)];
    const entry: Entry = { scope, stages: new Map(), unwatch: () => void watches.map((unwatch) => unwatch()) };
    this.#entries.set(apiId, entry);
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > ROUTERS_MAX && oldest !== undefined) this.#drop(oldest);
    return entry;
  }

  #drop(apiId: string): void {
    this.#entries.get(apiId)?.unwatch();
    this.#entries.delete(apiId);
  }

  async #load(scope: Scope, apiId: string, stageName: string): Promise<LiveStage | undefined> {
    const stage = await readStage(this.#store, scope, apiId, stageName);
    const deployment = stage && (await this.#compile(scope, apiId, stage.deploymentId));
    if (!stage || !deployment) return undefined;
    const { deploymentId = stage.deploymentId, percentTraffic: percent = 0, stageVariableOverrides } = stage.canarySettings ?? {};
    if (!stage.canarySettings) return { scope, stage, deployment };
    const other = deploymentId === stage.deploymentId ? deployment : await this.#compile(scope, apiId, deploymentId);
    if (!other) return { scope, stage, deployment };
    return {
      scope,
      stage,
      deployment,
      canary: { percent, stage: { ...stage, variables: { ...stage.variables, ...stageVariableOverrides } }, deployment: other },
    };
  }

  async #compile(scope: Scope, apiId: string, id: string): Promise<Compiled | undefined> {
    const snapshot = await readSnapshot(this.#store, scope, apiId, id);
    return snapshot && { id, snapshot, router: compileRouter(snapshot) };
  }
}
