import type { Readable } from 'node:stream';
import { LOG_BACKLOG_BYTES_MAX, LOG_DRAIN_TURNS_MAX, LOG_EVENT_BYTES_MAX, LOG_TAIL_BYTES_MAX } from './limits.ts';
import { FrameSplitter, type LogLevel } from './log-frames.ts';
import { isWanted } from './log-levels.ts';
import type { FunctionLogging, LogSink } from './types.ts';

/** Bytes that no UTF-8 text contains, written by our bootstraps: a new line inside one event, and an event without its final one. */
const MESSAGE_NEWLINE = Buffer.from([0xff, 0x8a]);
const NO_FINAL_NEWLINE = Buffer.from([0xff, 0x8b]);
const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into log events: one a line, longer ones at the event limit. Linear in its input; holds at most one event.
 */
export class LineSplitter {
  #emit: (message: string) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(emit: (message: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    let start = 0;
    while (start < chunk.length) {
      const room = LOG_EVENT_BYTES_MAX - this.#heldBytes;
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline + 1;
      const cut = Math.min(end, start + room);
      this.#held.push(chunk.subarray(start, cut));
      this.#heldBytes += cut - start;
      start = cut;
      if (this.#heldBytes >= LOG_EVENT_BYTES_MAX || cut === newline + 1) this.flush();
    }
  }

  /** Emits what is held, ended by a newline or not. */
  flush(): void {
    if (this.#heldBytes === 0) return;
    const [only] = this.#held;
    const bytes = this.#held.length === 1 && only ? only : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#emit(textOf(bytes));
  }
}

function textOf(bytes: Buffer): string {
  if (!bytes.includes(0xff)) return bytes.toString('utf8');
  let end = bytes.length;
  if (end > 2 && bytes[end - 1] === NEWLINE && bytes[end - 2] === NO_FINAL_NEWLINE[1] && bytes[end - 3] === NO_FINAL_NEWLINE[0]) end -= 3;
  const parts: string[] = [];
  let at = 0;
  while (at < end) {
    const next = bytes.indexOf(MESSAGE_NEWLINE, at);
    const until = next < 0 || next >= end ? end : next;
    parts.push(bytes.toString('utf8', at, until));
    at = until + MESSAGE_NEWLINE.length;
  }
  return parts.join('\n');
}

/** Who wrote a line. */
export type LogOrigin = 'function' | 'extension';

export interface LogOptions {
  /** Absent: text, nothing filtered. */
  readonly logging?: FunctionLogging | undefined;
  /** Told of every line of the function and its extensions, as it comes and before it is filtered. */
  readonly onLine?: (origin: LogOrigin, message: string) => void;
}

/** The log of one environment: the function's output and the platform's lines, in order, with back-pressure. */
export class EnvironmentLog {
  #sink: LogSink;
  #now: () => number;
  #options: LogOptions;
  #streams = new Set<Readable>();
  #splitters: { flush(): void }[] = [];
  #arrivals = 0;
  #paused = false;
  #tail: string[] | undefined;
  #tailBytes = 0;

  constructor(sink: LogSink, now: () => number, options: LogOptions = {}) {
    this.#sink = sink;
    this.#now = now;
    this.#options = options;
  }

  /** Follows the output of a process until it ends. */
  follow(streams: readonly Readable[], origin: LogOrigin = 'function'): void {
    for (const stream of streams) this.#follow(stream, new LineSplitter((message) => this.#line(origin, message)));
  }

  /** Follows the log frames of a runtime until it ends. */
  followFrames(stream: Readable): void {
    this.#follow(stream, new FrameSplitter((message, level) => this.#line('function', message, level)));
  }

  #follow(stream: Readable, splitter: LineSplitter | FrameSplitter): void {
    this.#splitters.push(splitter);
    this.#streams.add(stream);
    stream.on('data', (chunk: Buffer) => {
      this.#arrivals++;
      splitter.push(chunk);
      this.#holdBack();
    });
    // A killed process may reset its end; what was read stays.
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      splitter.flush();
      this.#splitters = this.#splitters.filter((one) => one !== splitter);
      this.#streams.delete(stream);
    });
  }

  #line(origin: LogOrigin, message: string, level?: LogLevel): void {
    this.#options.onLine?.(origin, message);
    if (isWanted(message, level, this.#options.logging)) this.write(message);
  }

  write(message: string): void {
    if (message.length === 0) return;
    this.#sink.write({ timestampMs: this.#now(), message });
    if (!this.#tail) return;
    this.#tail.push(message);
    this.#tailBytes += message.length;
    while (this.#tail.length > 1 && this.#tailBytes - (this.#tail[0]?.length ?? 0) > LOG_TAIL_BYTES_MAX) this.#tailBytes -= this.#tail.shift()?.length ?? 0;
  }

  /** Reads what the function wrote before it answered: it is in the pipes already. */
  async drain(): Promise<void> {
    for (let turn = 0, seen = -1; turn < LOG_DRAIN_TURNS_MAX && seen !== this.#arrivals; turn++) {
      seen = this.#arrivals;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    for (const splitter of this.#splitters) splitter.flush();
  }

  startTail(): void {
    this.#tail = [];
    this.#tailBytes = 0;
  }

  /** The last 4 KB since {@link startTail}, in base64. */
  takeTail(): string | undefined {
    if (!this.#tail) return undefined;
    const bytes = Buffer.from(this.#tail.join(''), 'utf8');
    this.#tail = undefined;
    return bytes.subarray(Math.max(0, bytes.length - LOG_TAIL_BYTES_MAX)).toString('base64');
  }

  close(): void {
    for (const splitter of this.#splitters) splitter.flush();
    for (const stream of this.#streams) stream.destroy();
    this.#sink.close();
  }

  /** A function that writes faster than its log is stored waits, as it would on a full pipe. */
  #holdBack(): void {
    if (this.#paused || this.#sink.backlogBytes < LOG_BACKLOG_BYTES_MAX) return;
    this.#paused = true;
    for (const stream of this.#streams) stream.pause();
    this.#sink.onDrained(() => {
      this.#paused = false;
      for (const stream of this.#streams) stream.resume();
    });
  }
}
