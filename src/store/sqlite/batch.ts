import type { Key } from '../../kit/key.ts';

/** What one group commit writes. A value of undefined deletes. */
export interface BatchWrites {
  readonly values: ReadonlyMap<Key, Uint8Array | undefined>;
  readonly sequences: ReadonlyMap<Key, bigint>;
  readonly commitIds: readonly string[];
}

export const OP_PUT = 1;
export const OP_DELETE = 2;
export const OP_SEQUENCE = 3;
export const OP_OUTCOME = 4;

const HEADER_BYTES = 7;

/**
 * A batch as one buffer that is transferred to the writer, not copied: records of
 * operation (1 byte), name length (2), value length (4), name, value. Structured clone of thousands of small objects costs more than the commit.
 */
export function encodeBatch(writes: BatchWrites): ArrayBuffer {
  let size = 0;
  for (const [key, value] of writes.values) size += HEADER_BYTES + key.length + (value?.byteLength ?? 0);
  for (const shard of writes.sequences.keys()) size += HEADER_BYTES + shard.length + 8;
  const ids = writes.commitIds.map((id) => Buffer.from(id, 'utf8'));
  for (const id of ids) size += HEADER_BYTES + id.length;

  const buffer = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  const header = (op: number, nameBytes: number, valueBytes: number) => {
    buffer.writeUInt8(op, at);
    buffer.writeUInt16BE(nameBytes, at + 1);
    buffer.writeUInt32BE(valueBytes, at + 3);
    at += HEADER_BYTES;
  };
  for (const [key, value] of writes.values) {
    header(value ? OP_PUT : OP_DELETE, key.length, value?.byteLength ?? 0);
    at += buffer.write(key, at, 'latin1');
    if (value) {
      buffer.set(value, at);
      at += value.byteLength;
    }
  }
  for (const [shard, last] of writes.sequences) {
    header(OP_SEQUENCE, shard.length, 8);
    at += buffer.write(shard, at, 'latin1');
    at = buffer.writeBigUInt64BE(last, at);
  }
  for (const id of ids) {
    header(OP_OUTCOME, id.length, 0);
    buffer.set(id, at);
    at += id.length;
  }
  return buffer.buffer as ArrayBuffer;
}

export interface BatchRecord {
  readonly op: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** The records of {@link encodeBatch}, in their order: views into the buffer. */
export function* decodeBatch(data: ArrayBuffer): Generator<BatchRecord, void> {
  const buffer = Buffer.from(data);
  for (let at = 0; at < buffer.length; ) {
    const op = buffer.readUInt8(at);
    const nameAt = at + HEADER_BYTES;
    const valueAt = nameAt + buffer.readUInt16BE(at + 1);
    const end = valueAt + buffer.readUInt32BE(at + 3);
    yield { op, name: buffer.subarray(nameAt, valueAt), value: buffer.subarray(valueAt, end) };
    at = end;
  }
}
