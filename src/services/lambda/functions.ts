import type { Compute } from '../../compute/compute.ts';
import { resolveRuntime, substituteWarning } from '../../compute/runtimes.ts';
import type { AwsError } from '../../kit/errors.ts';
import type { Platform } from '../service.ts';
import { type FunctionReference, functionArn, isVersion, type Place } from './domain/names.ts';
import type { Waits } from './durable/invoke.ts';
import { functionNotFound } from './errors.ts';
import type { Provisioning } from './provisioning.ts';
import type { FunctionRunner } from './runner.ts';
import type { Snapshots } from './snapshots.ts';
import { type AliasRow, type FunctionRow, getAliasRow, getFunctionRow, getVersionRow, type VersionRow } from './store.ts';

/** What the operations share: one of it in a process. */
export interface LambdaRoom {
  readonly compute: Compute;
  readonly runner: FunctionRunner;
  readonly provisioning: Provisioning;
  readonly snapshots: Snapshots;
  /** Wakes those who wait for a function's creation or update. */
  readonly settled: Settled;
  /** Tells who waits for durable executions. */
  readonly durable: Waits;
  /** Makes and reads the links of GetFunction. */
  readonly links: CodeLinks;
}

export interface CodeLinks {
  make(platform: Platform, blobId: string): string;
}

export interface Settled {
  wait(key: string, waitMs: number): Promise<void>;
  tell(key: string): void;
}

export function createSettled(): Settled {
  const waiting = new Map<string, Set<() => void>>();
  return {
    wait(key, waitMs) {
      return new Promise((resolve) => {
        const all = waiting.get(key) ?? new Set();
        waiting.set(key, all);
        const done = () => {
          clearTimeout(timer);
          all.delete(done);
          if (all.size === 0) waiting.delete(key);
          resolve();
        };
        const timer = setTimeout(done, waitMs);
        all.add(done);
      });
    },
    tell(key) {
      for (const done of waiting.get(key) ?? []) done();
    },
  };
}

/** One configuration of a function, found by name and qualifier. */
export interface Found {
  readonly fn: FunctionRow;
  readonly row: VersionRow;
  readonly alias?: AliasRow;
}

/** `Function not found`, with the qualifier as it was asked for. */
export function missing(place: Place, { name, qualifier }: FunctionReference): AwsError {
  return functionNotFound(functionArn(place, name, qualifier));
}

export async function requireFunction(platform: Platform, place: Place, name: string): Promise<FunctionRow> {
  const fn = await getFunctionRow(platform.store, place, name);
  if (!fn) throw functionNotFound(functionArn(place, name));
  return fn;
}

/** The configuration that a reference means. Throws ResourceNotFoundException. An alias with weights gives its main version. */
export async function find(platform: Platform, place: Place, reference: FunctionReference): Promise<Found> {
  const { name, qualifier } = reference;
  const fn = await getFunctionRow(platform.store, place, name);
  if (!fn) throw missing(place, reference);
  if (qualifier === undefined || qualifier === '$LATEST') return { fn, row: fn.latest };
  const alias = isVersion(qualifier) ? undefined : await getAliasRow(platform.store, place, name, qualifier);
  if (!isVersion(qualifier) && !alias) throw missing(place, reference);
  const row = await versionOf(platform, place, fn, alias?.functionVersion ?? qualifier);
  if (!row) throw missing(place, reference);
  return { fn, row, ...(alias ? { alias } : {}) };
}

export async function versionOf(platform: Platform, place: Place, fn: FunctionRow, version: string): Promise<VersionRow | undefined> {
  return version === '$LATEST' ? fn.latest : getVersionRow(platform.store, place, fn.name, version);
}

/** What is said of a runtime that another version stands in for; undefined where the machine has it. */
export async function runtimeWarning({ runtime, image }: VersionRow): Promise<string | undefined> {
  if (image) return undefined;
  try {
    return substituteWarning(await resolveRuntime(runtime));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `account:region:name`. */
export function functionKey(place: Place, name: string): string {
  return `${place.account}:${place.region}:${name}`;
}
