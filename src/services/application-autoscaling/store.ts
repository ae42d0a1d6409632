import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd } from '../../kit/key.ts';
import type { Store, Tx } from '../../store/store.ts';
import type { Target } from './domain/target.ts';

interface Place {
  readonly account: string;
  readonly region: string;
}

export interface Suspended {
  readonly in: boolean;
  readonly out: boolean;
  readonly scheduled: boolean;
}

export interface TargetRow extends Target {
  /** The end of its ARN. */
  readonly id: string;
  readonly min: number;
  readonly max: number;
  readonly role: string;
  readonly suspended: Suspended;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdMs: number;
  /** Counts down: newest activities first. */
  readonly activities: number;
  /** The delivery that looks at its policies; absent: nobody does. */
  readonly loop?: string;
  /** Utilization of the last minutes, newest last. */
  readonly samples?: readonly number[];
  readonly scaledOutMs?: number;
  readonly scaledInMs?: number;
}

export interface PolicyRow {
  readonly name: string;
  readonly id: string;
  readonly createdMs: number;
  /** The model's `TargetTrackingScalingPolicyConfiguration`, as it was given. */
  readonly tracking: Readonly<Record<string, unknown>>;
}

export interface ActionRow {
  readonly name: string;
  readonly id: string;
  /** Changes with each Put: deliveries of an earlier one do nothing. */
  readonly revision: string;
  readonly schedule: string;
  readonly timeZone?: string;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly min?: number;
  readonly max?: number;
  readonly createdMs: number;
}

export interface ActivityRow {
  readonly id: string;
  readonly description: string;
  readonly cause: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: 'Successful' | 'Failed';
  readonly message: string;
}

type Row = TargetRow | PolicyRow | ActionRow | ActivityRow | Target;

/** More than a target can have activities, in as many digits as its keys have. */
export const ACTIVITY_FIRST = 999_999_999_999;

const ROOM = 'aas';
const of = ({ account, region }: Place, kind: string, ...rest: string[]): Key => keyOf(ROOM, account, region, kind, ...rest);
const parts = ({ namespace, resource, dimension }: Target): string[] => [namespace, resource, dimension];

export const keys = {
  target: (place: Place, target: Target): Key => of(place, 'target', ...parts(target)),
  targets: (place: Place, ...narrower: string[]): Key => of(place, 'target', ...narrower),
  policy: (place: Place, target: Target, name: string): Key => of(place, 'policy', ...parts(target), name),
  policies: (place: Place, target: Target): Key => of(place, 'policy', ...parts(target)),
  action: (place: Place, target: Target, name: string): Key => of(place, 'action', ...parts(target), name),
  actions: (place: Place, target: Target): Key => of(place, 'action', ...parts(target)),
  activity: (place: Place, target: Target, number: number): Key => of(place, 'activity', ...parts(target), String(number).padStart(12, '0')),
  activities: (place: Place, target: Target): Key => of(place, 'activity', ...parts(target)),
  /** Rows of one kind under a namespace, and where given a resource and a dimension. */
  listed: (place: Place, kind: 'target' | 'policy' | 'action' | 'activity', ...narrower: string[]): Key => of(place, kind, ...narrower),
  arn: (place: Place, id: string): Key => of(place, 'arn', id),
};

export const under = (prefix: Key): { readonly from: Key; readonly to: Key } => ({ from: prefix, to: prefixEnd(prefix) });

export function read<T>(tx: Tx, key: Key): T | undefined {
  const value = tx.get(key);
  return value && decodeJson<T>(value);
}

export function write(tx: Tx, key: Key, row: Row): void {
  tx.put(key, encodeJson(row));
}

/** Every row under `prefix`, in a transaction. */
export function readAll<T>(tx: Tx, prefix: Key): { readonly key: Key; readonly row: T }[] {
  const rows: { key: Key; row: T }[] = [];
  for (let from = prefix; ; ) {
    const page = tx.range({ from, to: prefixEnd(prefix) });
    for (const [key, value] of page.entries) rows.push({ key, row: decodeJson<T>(value) });
    const last = page.entries.at(-1);
    if (!page.more || !last) return rows;
    from = `${last[0]}\x00`;
  }
}

export async function get<T>(store: Store, key: Key): Promise<T | undefined> {
  const value = await store.get(key);
  return value && decodeJson<T>(value);
}

/** Rows under `prefix` after the key `after`, as many as `limit` of those that `wanted` takes. */
export async function list<T>(
  store: Store,
  prefix: Key,
  limit: number,
  { after, wanted = () => true }: { readonly after?: Key; readonly wanted?: (row: T) => boolean },
): Promise<{ readonly rows: readonly { readonly key: Key; readonly row: T }[]; readonly more: boolean }> {
  const rows: { key: Key; row: T }[] = [];
  for (let from = after === undefined ? prefix : `${after}\x00`; ; ) {
    const page = await store.range({ from, to: prefixEnd(prefix) });
    for (const [key, value] of page.entries) {
      const row = decodeJson<T>(value);
      if (!wanted(row)) continue;
      if (rows.length >= limit) return { rows, more: true };
      rows.push({ key, row });
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) return { rows, more: false };
    from = `${last[0]}\x00`;
  }
}
