import { decodeJson } from '../../kit/json.ts';
import { type Key, keyOf, readUint64, uint64, utf8 } from '../../kit/key.ts';
import type { KeyRange, Store, Tx } from '../../store/store.ts';
import { claimKey, rangeOf, load as read, read as txRead, unclaimKey, write } from '../rows.ts';
import { type BusAddress, DEFAULT_BUS, type Scope } from './domain/names.ts';
import type { Archive, AuthParameters, LogConfig, Replay, Target } from './types.ts';

type Tags = Readonly<Record<string, string>>;

export interface BusRow {
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly description?: string;
  readonly kmsKeyIdentifier?: string;
  readonly deadLetterArn?: string;
  readonly logConfig?: LogConfig;
  /** The resource policy's JSON text. */
  readonly policy?: string;
  readonly tags: Tags;
}

export interface RuleRow {
  readonly name: string;
  readonly bus: string;
  readonly createdBy: string;
  readonly pattern?: string;
  readonly schedule?: string;
  readonly state: string;
  readonly description?: string;
  readonly roleArn?: string;
  /** The service that made it for itself: nobody else changes it. */
  readonly managedBy?: string;
  /** The archive that the rule fills. */
  readonly archive?: string;
  readonly tags: Tags;
  /** In order of their making. */
  readonly targets: readonly Target[];
  /** The schedule's only timer that counts, and where its rate is counted from. */
  readonly timer?: { readonly token: string; readonly anchorMs: number };
  /** Of the stack operation that made it. */
  readonly token?: string;
}

export interface ArchiveRow {
  readonly name: string;
  /** Of its events; never used again. */
  readonly id: string;
  readonly bus: string;
  readonly sourceArn: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly retentionDays: number;
  readonly kmsKeyIdentifier?: string;
  readonly createdMs: number;
  readonly state: NonNullable<Archive['State']>;
}

export interface ReplayRow {
  readonly name: string;
  readonly archive: string;
  readonly archiveId: string;
  readonly archiveArn: string;
  readonly description?: string;
  readonly destinationArn: string;
  readonly filterArns?: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  readonly state: NonNullable<Replay['State']>;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly lastReplayedMs?: number;
}

export interface ConnectionRow {
  readonly name: string;
  readonly id: string;
  readonly secretName: string;
  readonly secretSuffix: string;
  readonly description?: string;
  readonly authorizationType: string;
  readonly kmsKeyIdentifier?: string;
  /** With its secrets. */
  readonly auth: AuthParameters;
  readonly state: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly authorizedMs?: number;
}

export interface DestinationRow {
  readonly name: string;
  readonly id: string;
  readonly description?: string;
  readonly connectionArn: string;
  readonly endpoint: string;
  readonly method: string;
  readonly ratePerSecond: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const base = ({ account, region }: Scope): Key => keyOf('evb', account, region);

export const keys = {
  buses: (scope: Scope): Key => base(scope) + keyOf('b'),
  bus: (scope: Scope, name: string): Key => base(scope) + keyOf('b', name),
  rules: (bus: BusAddress): Key => base(bus) + keyOf('r', bus.name),
  rule: (bus: BusAddress, name: string): Key => base(bus) + keyOf('r', bus.name, name),
  archives: (scope: Scope): Key => base(scope) + keyOf('a'),
  archive: (scope: Scope, name: string): Key => base(scope) + keyOf('a', name),
  archived: (scope: Scope, archiveId: string): Key => base(scope) + keyOf('e', archiveId),
  archivedAt: (scope: Scope, archiveId: string, ms: number, eventId: string): Key => base(scope) + keyOf('e', archiveId) + uint64(ms) + utf8(eventId),
  /** Archived events by when they came in: empty of the event, with the key that has it. */
  ingested: (scope: Scope, archiveId: string): Key => base(scope) + keyOf('i', archiveId),
  ingestedAt: (scope: Scope, archiveId: string, ms: number, eventId: string): Key => base(scope) + keyOf('i', archiveId) + uint64(ms) + utf8(eventId),
  archivedCount: (scope: Scope, archiveId: string): Key => base(scope) + keyOf('n', archiveId),
  archivedBytes: (scope: Scope, archiveId: string): Key => base(scope) + keyOf('s', archiveId),
  replays: (scope: Scope): Key => base(scope) + keyOf('p'),
  replay: (scope: Scope, name: string): Key => base(scope) + keyOf('p', name),
  connections: (scope: Scope): Key => base(scope) + keyOf('c'),
  connection: (scope: Scope, name: string): Key => base(scope) + keyOf('c', name),
  destinations: (scope: Scope): Key => base(scope) + keyOf('d'),
  destination: (scope: Scope, name: string): Key => base(scope) + keyOf('d', name),
  /** The stack operation that made a resource. */
  claim: (scope: Scope, what: string): Key => base(scope) + keyOf('t', what),
};

export { rangeOf, read, txRead, write };
/** A prefix of a name is a prefix of its key without the terminator. */
export const namePrefixRange = (parent: Key, prefix: string): KeyRange => rangeOf(prefix === '' ? parent : parent + utf8(prefix));
/** The time of an archived event. */
export const archivedMs = (prefix: Key, key: Key): number => Number(readUint64(key, prefix.length));
/** Archived events from `fromMs` to before `toMs`. */
export const archivedBetween = (prefix: Key, fromMs: number, toMs: number): KeyRange => ({ from: prefix + uint64(fromMs), to: prefix + uint64(toMs) });

/** The default bus is there without having been made: until something about it is set, it has no row. */
export function txBus(tx: Tx, address: BusAddress, nowMs: number): BusRow | undefined {
  return txRead<BusRow>(tx, keys.bus(address, address.name)) ?? unmade(address.name, nowMs);
}

export async function findBus(store: Store, address: BusAddress, nowMs: number): Promise<BusRow | undefined> {
  return (await read<BusRow>(store, keys.bus(address, address.name))) ?? unmade(address.name, nowMs);
}

const unmade = (name: string, nowMs: number): BusRow | undefined =>
  name === DEFAULT_BUS ? { name, createdMs: nowMs, modifiedMs: nowMs, tags: {} } : undefined;

/** A counter's value. */
export const counted = (value: Uint8Array | undefined): number => (value ? Math.max(0, Number(Buffer.from(value).readBigInt64BE(0))) : 0);

export interface Listing<T> {
  readonly rows: T[];
  /** Name of the last row, where more follow. */
  readonly next?: string;
}

/** Rows under `parent` whose names begin with `prefix`, by name, after the name `after`. */
export async function listRows<T extends { readonly name: string }>(
  store: Store,
  parent: Key,
  { prefix = '', after, limit, wanted = () => true }: { prefix?: string; after?: string | undefined; limit: number; wanted?: (row: T) => boolean },
): Promise<Listing<T>> {
  const range = namePrefixRange(parent, prefix);
  const start = after === undefined ? range.from : `${parent}${keyOf(after)}\x00`;
  // biome-ignore lint/complexity/useMathMinMax: keys are text
  let from = start > range.from ? start : range.from;
  const rows: T[] = [];
  while (from < range.to) {
    const page = await store.range({ from, to: range.to, limit: Math.max(limit + 1, 50) });
    for (const [, value] of page.entries) {
      const row = decodeJson<T>(value);
      if (!wanted(row)) continue;
      if (rows.length === limit) return { rows, next: rows.at(-1)?.name ?? '' };
      rows.push(row);
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
