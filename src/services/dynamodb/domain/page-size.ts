import { numberSize } from './number.ts';
import { type AttributeValue, attributeOf, type Item, textSize } from './value.ts';

/**
 * How much of a page's megabyte an item takes. It is not the size that is billed: AWS counts its stored form, in which names are
 * short, lengths are kept, and the sort key comes again with every 3 KB. Worked out by others from where AWS ends its pages
 * (dynalite's tests, recorded on AWS).
 */
export function pageSize(item: Item, sortKeyName: string | undefined): number {
  const sortKey = sortKeyName === undefined ? undefined : attributeOf(item, sortKeyName);
  const size = storedMap(item) - (sortKey ? NAME_BYTES + storedSize(sortKey) : 0);
  const chunks = 1 + Math.floor((1 + size) / CHUNK_BYTES);
  return ROW_BYTES + size + chunks * (CHUNK_HEADER_BYTES + (sortKey ? plainSize(sortKey) : 0));
}

const ROW_BYTES = 2;
const NAME_BYTES = 1;
const CHUNK_BYTES = 3072;
const CHUNK_HEADER_BYTES = 18;
const CONTAINER_BYTES = 3;

function storedMap(map: Item): number {
  let size = 0;
  for (const name in map) size += NAME_BYTES + storedSize(map[name] as AttributeValue);
  return size;
}

function lengthBytes(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : 3;
}

function storedSize(value: AttributeValue): number {
  if (value.S !== undefined) {
    const length = textSize(value.S);
    return length + lengthBytes(length);
  }
  if (value.M !== undefined) return CONTAINER_BYTES + Object.keys(value.M).length + storedMap(value.M);
  if (value.L !== undefined) return CONTAINER_BYTES + value.L.reduce((sum, element) => sum + 1 + storedSize(element), 0);
  if (value.NULL !== undefined) return 0;
  if (value.BOOL !== undefined) return 1;
  const members = value.SS ?? value.NS ?? value.BS;
  return plainSize(value) + 1 + (members?.length ?? 0);
}

function plainSize(value: AttributeValue): number {
  if (value.S !== undefined) return textSize(value.S);
  if (value.N !== undefined) return numberSize(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.SS !== undefined) return value.SS.reduce((sum, text) => sum + textSize(text), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, number) => sum + numberSize(number), 0);
  return (value.BS ?? []).reduce((sum, bytes) => sum + bytes.length, 0);
}
