import type { Readable } from 'node:stream';

/** A request as it came: header names lower-case, `path` and `query` still percent-encoded (`query` without its `?`). */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body, or its stream where the operation's input streams. */
  readonly body: Buffer | Readable;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Headers that repeat (`Set-Cookie`), beside {@link headers}. */
  readonly multiHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer | string | Readable | AsyncIterable<Uint8Array>;
}
