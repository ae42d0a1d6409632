import type { Capacity, ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { READ_UNIT_BYTES } from '../limits.ts';
import type { Index, Table } from './table.ts';

/** Write units that one item's write took, of the table and of each index that it changed. */
export interface WriteUnits {
  readonly table: number;
  readonly indexes: ReadonlyMap<Index, number>;
}

/** "DynamoDB read and write operations": a read unit is 4 KB read consistently, or twice that read eventually. */
export function readUnits(bytes: number, consistent: boolean | undefined): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (consistent ? 1 : 0.5);
}

/** Units of one table and its indexes in one request. */
export class Units {
  table = 0;
  readonly local = new Map<string, number>();
  readonly global = new Map<string, number>();

  addIndex(global: boolean, name: string, units: number): void {
    const map = global ? this.global : this.local;
    map.set(name, (map.get(name) ?? 0) + units);
  }

  add(other: Units): void {
    this.table += other.table;
    for (const [name, units] of other.local) this.addIndex(false, name, units);
    for (const [name, units] of other.global) this.addIndex(true, name, units);
  }

  addWrite(write: WriteUnits, factor = 1): void {
    this.table += write.table * factor;
    for (const [index, units] of write.indexes) this.addIndex(index.global, index.name, units * factor);
  }

  get total(): number {
    let total = this.table;
    for (const units of this.local.values()) total += units;
    for (const units of this.global.values()) total += units;
    return total;
  }
}

/** `ConsumedCapacity` as asked for; transactions state the kind of unit as well. */
export function consumedCapacity(
  wanted: string | undefined,
  table: Table,
  units: Units,
  kind?: 'ReadCapacityUnits' | 'WriteCapacityUnits',
): ConsumedCapacity | undefined {
  if (wanted !== 'TOTAL' && wanted !== 'INDEXES') return undefined;
  const stated = (count: number): Capacity => (kind ? { CapacityUnits: count, [kind]: count } : { CapacityUnits: count });
  const capacity: ConsumedCapacity = { TableName: table.name, ...stated(units.total) };
  if (wanted === 'TOTAL') return capacity;
  const indexes = (map: ReadonlyMap<string, number>) => Object.fromEntries([...map].map(([name, count]) => [name, stated(count)]));
  return {
    ...capacity,
    Table: stated(units.table),
    ...(units.local.size > 0 ? { LocalSecondaryIndexes: indexes(units.local) } : {}),
    ...(units.global.size > 0 ? { GlobalSecondaryIndexes: indexes(units.global) } : {}),
  };
}
