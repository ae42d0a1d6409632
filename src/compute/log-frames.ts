import { LOG_EVENT_BYTES_MAX } from './limits.ts';

/** The levels of log messages, least first. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The first three bytes of every frame's type. */
const MARK = [0xa5, 0x5a, 0x00] as const;
/** A frame of the first version: its header ends with the length. */
const UNTIMED = 0x01;
const UNTIMED_HEADER_BYTES = 8;
const HEADER_BYTES = 16;

/**
 * Cuts what a runtime writes to its log descriptor into messages. A frame: 4 bytes of type (`A5 5A 00`, then two bits that say
 * text or JSON under the level), 4 of length, 8 of time (microseconds), the message; all big-endian. Longer messages than an event may
 * have are cut. Linear in its input; holds at most one event. What is no frame ends it: nothing after that is read.
 */
export class FrameSplitter {
  #emit: (message: string, level: LogLevel | undefined) => void;
  #held = Buffer.alloc(0);
  #leftBytes = 0;
  #level: LogLevel | undefined;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #broken = false;

  constructor(emit: (message: string, level: LogLevel | undefined) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    while (rest.length > 0 && !this.#broken) {
      if (this.#leftBytes > 0) {
        rest = this.#take(rest);
        continue;
      }
      const headerBytes = rest[3] === UNTIMED ? UNTIMED_HEADER_BYTES : HEADER_BYTES;
      if (rest.length < UNTIMED_HEADER_BYTES || rest.length < headerBytes) {
        // Copied, so that a small rest does not keep a large chunk.
        this.#held = Buffer.from(rest);
        return;
      }
      this.#begin(rest);
      rest = rest.subarray(headerBytes);
    }
  }

  /** Emits what a runtime that ended left unfinished. */
  flush(): void {
    if (this.#partBytes > 0) this.#end();
  }

  #begin(header: Buffer): void {
    if (MARK.some((byte, index) => header[index] !== byte)) {
      this.#broken = true;
      return;
    }
    this.#level = LOG_LEVELS[((header[3] ?? 0) >> 2) - 1];
    this.#leftBytes = header.readUInt32BE(4);
  }

  #take(rest: Buffer): Buffer {
    const cut = Math.min(rest.length, this.#leftBytes, LOG_EVENT_BYTES_MAX - this.#partBytes);
    this.#parts.push(rest.subarray(0, cut));
    this.#partBytes += cut;
    this.#leftBytes -= cut;
    if (this.#leftBytes === 0 || this.#partBytes >= LOG_EVENT_BYTES_MAX) this.#end();
    return rest.subarray(cut);
  }

  #end(): void {
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    this.#emit(bytes.toString('utf8'), this.#level);
  }
}
