import type { Target } from '@aws-sdk/client-scheduler';
import { decodeJson } from '../../kit/json.ts';
import { type Key, keyOf, partsOf, utf8 } from '../../kit/key.ts';
import type { KeyRange, Store, Tx } from '../../store/store.ts';
import { claimKey, rangeOf, load as read, read as txRead, unclaimKey, write } from '../rows.ts';
import { DEFAULT_GROUP, type Scope } from './domain/names.ts';
import type { Timing } from './domain/timing.ts';

export interface GroupRow {
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly state: 'ACTIVE' | 'DELETING';
  readonly tags: Readonly<Record<string, string>>;
  /** Of the request that made it. */
  readonly clientToken?: string;
}

export interface ScheduleRow {
  readonly name: string;
  readonly group: string;
  readonly timing: Timing;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly description?: string;
  readonly kmsKeyArn?: string;
  readonly target: Target;
  readonly flexibleMode: 'OFF' | 'FLEXIBLE';
  readonly windowMinutes?: number;
  readonly afterCompletion: 'NONE' | 'DELETE';
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** The schedule's only timer that counts. */
  readonly timer: string;
  readonly clientToken?: string;
}

const base = ({ account, region }: Scope): Key => keyOf('sch', account, region);

export const keys = {
  groups: (scope: Scope): Key => base(scope) + keyOf('g'),
  group: (scope: Scope, name: string): Key => base(scope) + keyOf('g', name),
  schedules: (scope: Scope): Key => base(scope) + keyOf('s'),
  groupSchedules: (scope: Scope, group: string): Key => base(scope) + keyOf('s', group),
  schedule: (scope: Scope, group: string, name: string): Key => base(scope) + keyOf('s', group, name),
  /** The stack operation that made a resource. */
  claim: (scope: Scope, what: string): Key => base(scope) + keyOf('t', what),
};

export { rangeOf, read, txRead, write };
/** A prefix of a name is a prefix of its key without the terminator. */
export const namePrefixRange = (parent: Key, prefix: string): KeyRange => rangeOf(prefix === '' ? parent : parent + utf8(prefix));

const unmade = (name: string, nowMs: number): GroupRow | undefined =>
  name === DEFAULT_GROUP ? { name, createdMs: nowMs, modifiedMs: nowMs, state: 'ACTIVE', tags: {} } : undefined;

/** The default group is there without having been made: until it is looked at, it has no row. */
export const txGroup = (tx: Tx, scope: Scope, name: string, nowMs: number): GroupRow | undefined =>
  txRead<GroupRow>(tx, keys.group(scope, name)) ?? unmade(name, nowMs);

export interface Listing<T> {
  readonly rows: T[];
  /** Where the last row stands, where more follow: the parts of its key after the parent's. */
  readonly next?: string;
}

/** Rows of a range below `parent`, by key, after the place `after`. */
export async function listRows<T>(
  store: Store,
  parent: Key,
  range: KeyRange,
  { after, limit, wanted = () => true }: { after?: string | undefined; limit: number; wanted?: (row: T) => boolean },
): Promise<Listing<T>> {
  const start = after === undefined ? range.from : `${parent}${keyOf(...after.split('/'))}\x00`;
  // biome-ignore lint/complexity/useMathMinMax: keys are text
  let from = start > range.from ? start : range.from;
  const rows: T[] = [];
  let place = '';
  while (from < range.to) {
    const page = await store.range({ from, to: range.to, limit: Math.max(limit + 1, 50) });
    for (const [key, value] of page.entries) {
      const row = decodeJson<T>(value);
      if (!wanted(row)) continue;
      if (rows.length === limit) return { rows, next: place };
      rows.push(row);
      place = partsOf(key.slice(parent.length)).join('/');
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) break;
    from = `${last[0]}\x00`;
  }
  return { rows };
}

/** See {@link claimKey}. `taken` says whether it is there. */
export const claim = (store: Store, scope: Scope, what: string, token: string, taken: (tx: Tx) => boolean): Promise<boolean> =>
  claimKey(store, keys.claim(scope, what), token, taken);

export const unclaim = (store: Store, scope: Scope, what: string): Promise<void> => unclaimKey(store, keys.claim(scope, what));
