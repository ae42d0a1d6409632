import { decodeJson } from '../../../kit/json.ts';
import { type Key, keyOf, prefixEnd } from '../../../kit/key.ts';
import type { Store } from '../../../store/store.ts';
import type { Place } from '../domain/names.ts';

export type MappingState = 'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting';

/** What a mapping is set to. Streams have all of it, queues the first part. */
export interface MappingSettings {
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly filters?: readonly string[];
  readonly partialFailures: boolean;
  readonly concurrencyMax?: number;
  readonly pollers?: { readonly min: number; readonly max: number };
  readonly kmsKeyArn?: string;
  /** Recorded. */
  readonly metrics?: readonly string[];
  readonly startingPosition?: 'TRIM_HORIZON' | 'LATEST';
  readonly parallelization?: number;
  readonly bisect?: boolean;
  /** -1: for ever. */
  readonly retriesMax?: number;
  /** -1: for ever. */
  readonly ageSecondsMax?: number;
  readonly tumblingSeconds?: number;
  readonly onFailure?: string;
}

export interface MappingRow extends Place {
  readonly uuid: string;
  readonly kind: 'sqs' | 'dynamodb';
  readonly sourceArn: string;
  readonly functionName: string;
  /** As it was given; absent: the function itself. */
  readonly qualifier?: string;
  readonly settings: MappingSettings;
  readonly state: MappingState;
  /** Whether it runs once its transition is over. */
  readonly enabled: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Changes with every update: pollers of an older one end. */
  readonly revision: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** How far a shard has been processed. */
export interface CheckpointRow {
  /** All records up to this sequence number are done. Absent: none, and `iterator` or `sinceMs` say where to begin. */
  readonly after?: string;
  /** Lanes that are further than `after`, by their numbers. */
  readonly lanes?: Readonly<Record<string, string>>;
  /** Where LATEST was when the mapping was made; its life ends, and then `sinceMs` says the same by the second. */
  readonly iterator?: string;
  readonly sinceMs?: number;
  /** The tumbling window that is open in each lane, and its state. */
  readonly windows?: Readonly<Record<string, WindowRow>>;
}

export interface WindowRow {
  readonly startMs: number;
  readonly state: unknown;
}

/** What the last batch came to; apart from the mapping, which its users change. */
export interface ResultRow {
  readonly result: string;
}

const ROOM = 'lambda';

export const mappingKeys = {
  mapping: (place: Place, uuid: string): Key => keyOf(ROOM, 'esm', place.account, place.region, uuid),
  mappings: (place: Place): Key => keyOf(ROOM, 'esm', place.account, place.region),
  everywhere: keyOf(ROOM, 'esm'),
  /** A function has one mapping of a source: which. */
  pair: (place: Place, sourceArn: string, functionArn: string): Key => keyOf(ROOM, 'esm-pair', place.account, place.region, sourceArn, functionArn),
  checkpoint: (uuid: string, shardId: string): Key => keyOf(ROOM, 'esm-at', uuid, shardId),
  checkpoints: (uuid: string): Key => keyOf(ROOM, 'esm-at', uuid),
  result: (uuid: string): Key => keyOf(ROOM, 'esm-result', uuid),
};

export async function getMapping(store: Store, place: Place, uuid: string): Promise<MappingRow | undefined> {
  const value = await store.get(mappingKeys.mapping(place, uuid));
  return value && decodeJson<MappingRow>(value);
}

export async function getResult(store: Store, uuid: string): Promise<string | undefined> {
  const value = await store.get(mappingKeys.result(uuid));
  return value && decodeJson<ResultRow>(value).result;
}

/** Every mapping of every account, in pages. */
export async function* allMappings(store: Store): AsyncGenerator<MappingRow, void> {
  let from = mappingKeys.everywhere;
  for (;;) {
    const page = await store.range({ from, to: prefixEnd(mappingKeys.everywhere) });
    for (const [, value] of page.entries) yield decodeJson<MappingRow>(value);
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    from = `${last[0]}\x00`;
  }
}
