import { imageOfRow, itemOfImage, itemOfText, itemText } from './encoding.ts';
import type { Item } from './value.ts';

export type StreamViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';
export const STREAM_VIEW_TYPES: readonly StreamViewType[] = ['NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'KEYS_ONLY'];

const EVENTS = ['INSERT', 'MODIFY', 'REMOVE'] as const;
export type StreamEvent = (typeof EVENTS)[number];

/** A change of an item, as its stream tells it. Images are there as the view type has them. */
export interface StreamChange {
  readonly event: StreamEvent;
  readonly createdMs: number;
  /** Bytes of keys and images as AWS counts them. */
  readonly sizeBytes: number;
  /** Removed by time to live. */
  readonly expired: boolean;
  readonly keys: Item;
  readonly newImage: Item | undefined;
  readonly oldImage: Item | undefined;
}

/** The same before it is written: images are rows of the items, whose JSON is taken over as it is. */
export interface NewStreamChange extends Omit<StreamChange, 'newImage' | 'oldImage'> {
  readonly newRow: Uint8Array | undefined;
  readonly oldRow: Uint8Array | undefined;
}

const VERSION = 1;
const HEADER_BYTES = 27;
const EXPIRED = 1;
const HAS_NEW = 2;
const NEW_BINARY = 4;
const HAS_OLD = 8;
const OLD_BINARY = 16;
const NEW_DEFLATED = 32;
const OLD_DEFLATED = 64;
const AT = { version: 0, event: 1, flags: 2, createdMs: 3, sizeBytes: 11, keys: 15, newImage: 19, oldImage: 23 } as const;

/** A record: version, event, flags, time (8 bytes), size, lengths of keys and images (4 each), keys, new image, old image. */
export function encodeChange(change: NewStreamChange): Buffer {
  const keys = Buffer.from(itemText(change.keys), 'utf8');
  const fresh = change.newRow && imageOfRow(change.newRow);
  const old = change.oldRow && imageOfRow(change.oldRow);
  const header = Buffer.alloc(HEADER_BYTES);
  header[AT.version] = VERSION;
  header[AT.event] = EVENTS.indexOf(change.event);
  header[AT.flags] =
    (change.expired ? EXPIRED : 0) |
    (fresh ? HAS_NEW | (fresh.binary ? NEW_BINARY : 0) | (fresh.deflated ? NEW_DEFLATED : 0) : 0) |
    (old ? HAS_OLD | (old.binary ? OLD_BINARY : 0) | (old.deflated ? OLD_DEFLATED : 0) : 0);
  header.writeDoubleBE(change.createdMs, AT.createdMs);
  header.writeUInt32BE(change.sizeBytes, AT.sizeBytes);
  header.writeUInt32BE(keys.length, AT.keys);
  header.writeUInt32BE(fresh?.json.length ?? 0, AT.newImage);
  header.writeUInt32BE(old?.json.length ?? 0, AT.oldImage);
  return Buffer.concat([header, keys, ...(fresh ? [fresh.json] : []), ...(old ? [old.json] : [])]);
}

/** Bytes of the whole record, by its header. */
export function changeLength(record: Uint8Array): number {
  const header = asBuffer(record);
  return HEADER_BYTES + header.readUInt32BE(AT.keys) + header.readUInt32BE(AT.newImage) + header.readUInt32BE(AT.oldImage);
}

/** When it was written, in virtual milliseconds. */
export function changeCreatedMs(record: Uint8Array): number {
  return asBuffer(record).readDoubleBE(AT.createdMs);
}

export function changeSizeBytes(record: Uint8Array): number {
  return asBuffer(record).readUInt32BE(AT.sizeBytes);
}

export function decodeChange(record: Uint8Array): StreamChange {
  const buffer = asBuffer(record);
  const flags = buffer[AT.flags] ?? 0;
  const keysEnd = HEADER_BYTES + buffer.readUInt32BE(AT.keys);
  const newEnd = keysEnd + buffer.readUInt32BE(AT.newImage);
  const image = (has: number, binary: number, deflated: number, from: number, to: number) =>
    (flags & has) === 0 ? undefined : itemOfImage({ binary: (flags & binary) !== 0, deflated: (flags & deflated) !== 0, json: buffer.subarray(from, to) });
  return {
    event: EVENTS[buffer[AT.event] ?? 0] ?? 'MODIFY',
    createdMs: changeCreatedMs(buffer),
    sizeBytes: changeSizeBytes(buffer),
    expired: (flags & EXPIRED) !== 0,
    keys: itemOfText(buffer.toString('utf8', HEADER_BYTES, keysEnd)),
    newImage: image(HAS_NEW, NEW_BINARY, NEW_DEFLATED, keysEnd, newEnd),
    oldImage: image(HAS_OLD, OLD_BINARY, OLD_DEFLATED, newEnd, newEnd + buffer.readUInt32BE(AT.oldImage)),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
