import { invalidReceiptHandle } from '../errors.ts';

/** What a receipt handle says: opaque to everyone else. */
export interface Receipt {
  /** Generation of the queue's contents. */
  readonly contents: string;
  readonly seq: number;
  /** Tells one receipt of a message from the next. */
  readonly token: string;
  readonly group: string;
}

const VERSION = 1;
const CONTENTS_CHARS = 16;
const TOKEN_BYTES = 8;
const HEADER_BYTES = 1 + CONTENTS_CHARS + 8 + TOKEN_BYTES;
/** Room for the largest group id. */
export const HANDLE_CHARS_MAX = 1024;

/** Version, contents, sequence number, token, group; a first byte that no text begins with. */
export function encodeHandle(receipt: Receipt): string {
  const group = Buffer.from(receipt.group, 'utf8');
  const out = Buffer.allocUnsafe(HEADER_BYTES + group.length);
  out.writeUInt8(VERSION, 0);
  out.write(receipt.contents, 1, CONTENTS_CHARS, 'latin1');
  out.writeBigUInt64BE(BigInt(receipt.seq), 1 + CONTENTS_CHARS);
  out.write(receipt.token, 1 + CONTENTS_CHARS + 8, TOKEN_BYTES, 'hex');
  group.copy(out, HEADER_BYTES);
  return out.toString('base64');
}

/** Reads back {@link encodeHandle}; throws ReceiptHandleIsInvalid. */
export function decodeHandle(handle: string): Receipt {
  const bytes = Buffer.from(handle.length <= HANDLE_CHARS_MAX ? handle : '', 'base64');
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION || bytes.toString('base64') !== handle) throw invalidReceiptHandle(handle);
  const contents = bytes.toString('latin1', 1, 1 + CONTENTS_CHARS);
  const seq = bytes.readBigUInt64BE(1 + CONTENTS_CHARS);
  if (!/^[a-z0-9]{16}$/.test(contents) || seq > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidReceiptHandle(handle);
  return {
    contents,
    seq: Number(seq),
    token: bytes.toString('hex', 1 + CONTENTS_CHARS + 8, HEADER_BYTES),
    group: bytes.toString('utf8', HEADER_BYTES),
  };
}
