import type { ServiceModel, ShapeRef } from '../../models/model.ts';
import { shapeOf } from '../compiled.ts';

/** AWS names a member with its first letter lower-case. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** A value as AWS prints it in a validation message: Java's `toString` of the value. */
export function printValue(model: ServiceModel, ref: ShapeRef, value: unknown): string {
  if (value === undefined || value === null) return 'null';
  const shape = shapeOf(model, ref);
  if (shape.sensitive) return '***Sensitive Data Redacted***';
  switch (shape.type) {
    case 'structure': {
      const record = value as Record<string, unknown>;
      const members = Object.entries(shape.members ?? {}).map(([name, member]) => `${lowerFirst(name)}=${printValue(model, member, record[name])}`);
      for (const name of shape.hiddenMembers ?? []) members.push(`${name}=null`);
      return `${ref.shape}(${members.join(', ')})`;
    }
    case 'list': {
      const member = shape.member as ShapeRef;
      return `[${(value as unknown[]).map((item) => printValue(model, member, item)).join(', ')}]`;
    }
    case 'map': {
      const member = shape.value as ShapeRef;
      return `{${Object.entries(value as object)
        .map(([key, inner]) => `${key}=${printValue(model, member, inner)}`)
        .join(', ')}}`;
    }
    case 'blob': {
      const bytes = (value as Uint8Array).length;
      return `java.nio.HeapByteBuffer[pos=0 lim=${bytes} cap=${bytes}]`;
    }
    case 'timestamp':
      return javaDate(value as Date);
    case 'float':
    case 'double':
      return javaDouble(value as number);
    default:
      return String(value);
  }
}

/** Java prints a whole double with `.0`. */
export function javaDouble(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** `Mon Jan 02 15:04:05 UTC 2006`. */
function javaDate(date: Date): string {
  const [weekday = '', day, month, year, time] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}

const ENUM_BUCKETS = 32;

/**
 * The order in which AWS prints an enum's values: that of a hash table of 32 buckets over Java's `String.hashCode`, the
 * latest entry of a bucket first. It holds for every recorded message that lists a whole enum.
 */
export function enumOrder(values: readonly string[]): string[] {
  const buckets: string[][] = Array.from({ length: ENUM_BUCKETS }, () => []);
  for (const value of values) {
    let hash = 0;
    for (let i = 0; i < value.length; i++) hash = (Math.imul(31, hash) + value.charCodeAt(i)) | 0;
    buckets[hash & (ENUM_BUCKETS - 1)]?.unshift(value);
  }
  return buckets.flat();
}
