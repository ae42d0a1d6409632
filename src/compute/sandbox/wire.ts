/** The frames to the helper: `native/sandboxd/sandboxd.h` has the same numbers. */
export const OP = {
  create: 1,
  destroy: 2,
  limit: 3,
  freeze: 4,
  thaw: 5,
  mount: 16,
  spawn: 17,
  signal: 18,
  connect: 19,
} as const;

export type Op = (typeof OP)[keyof typeof OP];

const HEADER_BYTES = 12;

/** Builds the body of a frame: numbers of 32 bits, and texts with their length in front and a NUL at their end. */
export class FrameWriter {
  #parts: Buffer[] = [];
  #length = 0;

  number(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32LE(value);
    return this.#add(bytes);
  }

  /** Throws where the text holds a NUL, which would end it early. */
  text(value: string): this {
    if (value.includes('\0')) throw new RangeError('a path, an argument or a variable with a NUL byte');
    const size = Buffer.byteLength(value) + 1;
    const bytes = Buffer.allocUnsafe(4 + size);
    bytes.writeUInt32LE(size);
    bytes.write(value, 4);
    bytes[3 + size] = 0;
    return this.#add(bytes);
  }

  texts(values: readonly string[]): this {
    this.number(values.length);
    for (const value of values) this.text(value);
    return this;
  }

  numbers(values: readonly number[]): this {
    this.number(values.length);
    for (const value of values) this.number(value);
    return this;
  }

  /** The whole frame. */
  frame(op: Op, id: number): Buffer {
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32LE(this.#length, 0);
    header.writeUInt32LE(op, 4);
    header.writeUInt32LE(id, 8);
    return Buffer.concat([header, ...this.#parts], HEADER_BYTES + this.#length);
  }

  #add(bytes: Buffer): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}

/** What the helper tells, by its `ipc` channel. */
export interface HelperEvent {
  readonly id: number;
  readonly event: 'hello' | 'note' | 'place' | 'listener' | 'ready' | 'output' | 'spawned' | 'connected' | 'mounted' | 'failed' | 'exited' | 'died' | 'gone';
  /** What it answers to. */
  readonly ref: number;
  readonly a: number;
  readonly b: number;
  readonly text: string;
}
