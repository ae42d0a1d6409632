import type { Compute } from '../../compute/compute.ts';
import type { FunctionSpec } from '../../compute/types.ts';
import { partsOf } from '../../kit/key.ts';
import type { Platform } from '../service.ts';
import { sharesOf, wantedOf } from './domain/concurrency.ts';
import { isVersion, type Place } from './domain/names.ts';
import { functionKey } from './functions.ts';
import { PROVISION_DELAY_MS, PROVISION_LOOK_MS, PROVISION_MOVE_MS_MAX } from './limits.ts';
import { type AliasRow, type FunctionRow, getAliasRow, getFunctionRow, getVersionRow, keys, under, type VersionRow } from './store.ts';

/** Brings what compute keeps initialised in line with what functions ask: after every change, and when the platform starts. */
export interface Provisioning {
  apply(platform: Platform, place: Place, name: string): Promise<void>;
  applyLater(platform: Platform, place: Place, name: string, delayMs: number): void;
  status(platform: Platform, place: Place, name: string, qualifier: string, requested: number): Promise<ProvisioningStatus>;
  /** The largest share of a version's or alias's provisioned environments that was in use since this was last asked; 0 to 1. */
  utilization(platform: Platform, place: Place, name: string, qualifier: string): Promise<number | undefined>;
  start(platform: Platform): Promise<void>;
  stop(): Promise<void>;
}

export interface ProvisioningStatus {
  readonly status: 'IN_PROGRESS' | 'READY' | 'FAILED';
  readonly allocated: number;
  readonly reason?: string;
}

interface Kept {
  /** By version. */
  readonly specs: Map<string, FunctionSpec>;
  /** Versions that nobody asks for any more, until those that replace them are ready. */
  readonly leaving: Set<string>;
  work: Promise<void>;
}

type SpecOf = (platform: Platform, place: Place, fn: FunctionRow, row: VersionRow) => FunctionSpec;

const REASONS = {
  init: 'FUNCTION_ERROR_INIT_FAILURE',
  capacity: 'This machine has no room for more of these environments: provisioned ones may take three quarters of --function-memory-mb',
} as const;

export function createProvisioning(compute: Compute, specOf: SpecOf): Provisioning {
  const functions = new Map<string, Kept>();
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  const keptOf = (key: string): Kept => {
    let kept = functions.get(key);
    if (!kept) {
      kept = { specs: new Map(), leaving: new Set(), work: Promise.resolve() };
      functions.set(key, kept);
    }
    return kept;
  };

  const versionKey = (place: Place, name: string, version: string) => `${functionKey(place, name)}:${version}`;

  const drop = (kept: Kept, version: string): void => {
    const spec = kept.specs.get(version);
    if (spec) compute.provision(spec, 0);
    kept.specs.delete(version);
    kept.leaving.delete(version);
  };

  /** The old environments go once the new ones are there, have failed, or lack the room that the old ones take. */
  const release = (place: Place, name: string, kept: Kept, untilMs: number, clock: Platform['clock']): void => {
    if (stopped || kept.leaving.size === 0) return;
    const coming = [...kept.specs.keys()]
      .filter((version) => !kept.leaving.has(version))
      .map((version) => compute.provisioned(versionKey(place, name, version)));
    const ready = coming.every((one) => !one || one.failure || one.allocated >= one.requested);
    if (ready || clock.mono() >= untilMs) {
      const again = coming.some((one) => one?.failure === 'capacity');
      for (const version of [...kept.leaving]) drop(kept, version);
      for (const spec of again ? kept.specs.values() : []) compute.provision(spec, compute.provisioned(spec.key)?.requested ?? 0);
      return;
    }
    later(() => release(place, name, kept, untilMs, clock), PROVISION_LOOK_MS);
  };

  const later = (what: () => void, delayMs: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      what();
    }, delayMs);
    timer.unref();
    timers.add(timer);
  };

  const bring = async (platform: Platform, place: Place, name: string, kept: Kept): Promise<void> => {
    if (stopped) return;
    const fn = await getFunctionRow(platform.store, place, name);
    const wanted = fn ? wantedOf(fn, await aliasesOf(platform, place, fn)) : new Map<string, number>();
    let asked = 0;
    for (const [version, count] of wanted) {
      const row = fn && (await getVersionRow(platform.store, place, name, version));
      if (!fn || !row || count === 0 || stopped) continue;
      const spec = kept.specs.get(version) ?? specOf(platform, place, fn, row);
      kept.specs.set(version, spec);
      kept.leaving.delete(version);
      compute.provision(spec, count);
      asked++;
    }
    for (const version of kept.specs.keys()) if (!wanted.get(version)) kept.leaving.add(version);
    if (asked === 0) for (const version of [...kept.leaving]) drop(kept, version);
    else release(place, name, kept, platform.clock.mono() + PROVISION_MOVE_MS_MAX, platform.clock);
    if (kept.specs.size === 0) functions.delete(functionKey(place, name));
  };

  const apply: Provisioning['apply'] = (platform, place, name) => {
    const kept = keptOf(functionKey(place, name));
    // One after the other: the last to come sees the newest rows.
    const work = kept.work.then(() => bring(platform, place, name, kept));
    kept.work = work.catch(() => undefined);
    return work;
  };

  const applyQuietly = (platform: Platform, place: Place, name: string): void => {
    apply(platform, place, name).catch((error: unknown) => {
      platform.log.error({ err: error, function: name }, 'provisioned concurrency could not be applied');
    });
  };

  const partsFor = async (platform: Platform, place: Place, name: string, qualifier: string, requested: number) => {
    const alias = isVersion(qualifier) ? undefined : await getAliasRow(platform.store, place, name, qualifier);
    return alias ? sharesOf(alias, requested) : new Map([[qualifier, requested]]);
  };

  return {
    apply,
    applyLater: (platform, place, name, delayMs) => later(() => applyQuietly(platform, place, name), delayMs),
    async status(platform, place, name, qualifier, requested) {
      const kept = functions.get(functionKey(place, name));
      let allocated = 0;
      let old = 0;
      let failure: keyof typeof REASONS | undefined;
      for (const [version, share] of await partsFor(platform, place, name, qualifier, requested)) {
        const status = compute.provisioned(versionKey(place, name, version));
        allocated += Math.min(share, status?.allocated ?? 0);
        failure ??= status?.failure;
      }
      for (const version of kept?.leaving ?? []) old += compute.provisioned(versionKey(place, name, version))?.allocated ?? 0;
      if (allocated >= requested) return { status: 'READY', allocated };
      if (failure) return { status: 'FAILED', allocated, reason: REASONS[failure] };
      return { status: 'IN_PROGRESS', allocated: Math.min(requested, allocated + old) };
    },
    async utilization(platform, place, name, qualifier) {
      const fn = await getFunctionRow(platform.store, place, name);
      const requested = fn?.provisioned?.[qualifier]?.requested;
      if (requested === undefined) return undefined;
      let used = 0;
      let allocated = 0;
      for (const version of (await partsFor(platform, place, name, qualifier, requested)).keys()) {
        const key = versionKey(place, name, version);
        allocated += compute.provisioned(key)?.allocated ?? 0;
        used += compute.takePeak(key);
      }
      return allocated === 0 ? undefined : Math.min(1, used / allocated);
    },
    async start(platform) {
      const marked = await markedFunctions(platform);
      // Environments are told this process's address: not before it has one.
      const begin = () => {
        if (platform.address().port === 0) later(begin, PROVISION_LOOK_MS);
        else for (const { place, name } of marked) applyQuietly(platform, place, name);
      };
      if (marked.length > 0) later(begin, PROVISION_DELAY_MS);
    },
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...functions.values()].map(({ work }) => work));
    },
  };
}

async function aliasesOf(platform: Platform, place: Place, fn: FunctionRow): Promise<ReadonlyMap<string, AliasRow>> {
  const aliases = new Map<string, AliasRow>();
  for (const qualifier of Object.keys(fn.provisioned ?? {})) {
    const alias = isVersion(qualifier) ? undefined : await getAliasRow(platform.store, place, fn.name, qualifier);
    if (alias) aliases.set(qualifier, alias);
  }
  return aliases;
}

async function markedFunctions(platform: Platform): Promise<{ readonly place: Place; readonly name: string }[]> {
  const { from: first, to } = under(keys.provisionedMarks());
  const found: { place: Place; name: string }[] = [];
  for (let from = first; ; ) {
    const page = await platform.store.range({ from, to });
    for (const [key] of page.entries) {
      const [, , account = '', region = '', name = ''] = partsOf(key);
      found.push({ place: { account, region }, name });
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) return found;
    from = `${last[0]}\x00`;
  }
}
