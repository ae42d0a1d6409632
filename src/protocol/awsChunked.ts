import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { AwsError } from '../kit/errors.ts';

/** Only the last chunk with data may be shorter; "Signature calculations: transferring payload in multiple chunks". */
const CHUNK_BYTES_MIN = 8192;
const CHUNK_HEADER_BYTES_MAX = 1024;
const TRAILER_BYTES_MAX = 8192;
const TRAILERS_MAX = 32;

type Headers = Readonly<Record<string, string | undefined>>;

/** Checks of a signed stream, in order; each throws the {@link AwsError} that ends the request. */
export interface ChunkHooks {
  /** After each chunk, the last (empty) one included: its `chunk-signature` and the hex SHA-256 of its data. */
  verifyChunk?(signature: string | undefined, sha256: string): void;
  /** After the trailers: `x-amz-trailer-signature` and the hex SHA-256 of the canonical trailers (`name:value\n` each). */
  verifyTrailers?(signature: string | undefined, sha256: string): void;
}

export interface DecodedBody {
  /** The payload without its framing. Errors of framing, length and signature surface here. */
  readonly body: Readable;
  /** Trailers by lower-case name; complete once `body` has ended. */
  readonly trailers: () => Readonly<Record<string, string>>;
}

/** Whether the request's body is framed: `x-amz-content-sha256: STREAMING-…`, or `Content-Encoding: aws-chunked` with a decoded length. */
export function isAwsChunked(headers: Headers): boolean {
  if (headers['x-amz-content-sha256']?.startsWith('STREAMING-')) return true;
  return headers['x-amz-decoded-content-length'] !== undefined && /(^|,)\s*aws-chunked\s*(,|$)/i.test(headers['content-encoding'] ?? '');
}

const trailersByBody = new WeakMap<object, () => Readonly<Record<string, string>>>();

/** The trailers that followed `body`, once it has ended; none where it was not framed. */
export function trailersOf(body: unknown): Readonly<Record<string, string>> {
  return (typeof body === 'object' && body !== null ? trailersByBody.get(body)?.() : undefined) ?? {};
}

/**
 * Takes the `aws-chunked` framing off a body: `<hex size>[;chunk-signature=…]\r\n<data>\r\n` repeated, an empty chunk, trailers. Streams with
 * back-pressure; holds one line at most. The gateway calls it in its decode step, so that an operation's `input.Body` is plain data;
 * the operation reads checksums in trailers by {@link trailersOf} after it has consumed the body.
 *
 * @param headers lower-case names. Throws `MissingContentLength` where `x-amz-decoded-content-length` is absent.
 * The body fails with `IncompleteBody`, `InvalidChunkSizeError`, `MalformedTrailerError`, or what a hook throws.
 * AWS: "Signature calculations for the Authorization header: including trailing headers (chunked upload)".
 */
export function decodeAwsChunked(source: AsyncIterable<Uint8Array>, headers: Headers, hooks: ChunkHooks = {}): DecodedBody {
  const declared = headers['x-amz-decoded-content-length'];
  if (declared === undefined || !/^\d{1,15}$/.test(declared)) {
    throw new AwsError('MissingContentLength', 'You must provide the Content-Length HTTP header.', { status: 411 });
  }
  const decoder = new Decoder(Number(declared), declaredTrailers(headers), headers['x-amz-content-sha256']?.endsWith('-TRAILER') ?? false, hooks);
  const body = Readable.from(decode(source, decoder), { objectMode: false });
  const trailers = () => decoder.trailers;
  trailersByBody.set(body, trailers);
  return { body, trailers };
}

async function* decode(source: AsyncIterable<Uint8Array>, decoder: Decoder): AsyncGenerator<Uint8Array> {
  for await (const input of source) yield* decoder.feed(Buffer.from(input.buffer, input.byteOffset, input.byteLength));
  decoder.end();
}

function declaredTrailers(headers: Headers): readonly string[] {
  return (headers['x-amz-trailer'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

function incomplete(): AwsError {
  return new AwsError('IncompleteBody', 'The request body terminated unexpectedly');
}

function wrongLength(): AwsError {
  return new AwsError('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
}

function malformedTrailer(): AwsError {
  return new AwsError('MalformedTrailerError', 'The request contained trailing data that was not well-formed or did not conform to our published schema.');
}

const CR = 0x0d;
const LF = 0x0a;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

/** The state machine between two reads. Every input byte is looked at once. */
class Decoder {
  readonly trailers: Record<string, string> = Object.create(null) as Record<string, string>;
  readonly #expectedBytes: number;
  readonly #declared: readonly string[];
  readonly #trailing: boolean;
  readonly #hooks: ChunkHooks;
  #state: 'size' | 'data' | 'data-end' | 'trailers' | 'end' = 'size';
  /** The start of a line whose end has not come yet. */
  #line = '';
  #dataLeft = 0;
  #decodedBytes = 0;
  #chunk = 0;
  #previousSize: number | undefined;
  #signature: string | undefined;
  #hash: Hash | undefined;
  #canonicalTrailers = '';
  #trailerSignature: string | undefined;
  #trailerCount = 0;

  constructor(expectedBytes: number, declared: readonly string[], trailing: boolean, hooks: ChunkHooks) {
    this.#expectedBytes = expectedBytes;
    this.#declared = declared;
    this.#trailing = trailing;
    this.#hooks = hooks;
  }

  *feed(input: Buffer): Generator<Uint8Array> {
    let at = 0;
    while (at < input.length) {
      if (this.#state === 'data') {
        const data = input.subarray(at, at + this.#dataLeft);
        at += data.length;
        this.#take(data);
        yield data;
      } else {
        const lineEnd = input.indexOf(LF, at);
        const end = lineEnd < 0 ? input.length : lineEnd + 1;
        const limit = this.#state === 'trailers' ? TRAILER_BYTES_MAX : CHUNK_HEADER_BYTES_MAX;
        if (this.#line.length + end - at > limit) throw this.#state === 'trailers' ? malformedTrailer() : incomplete();
        this.#line += input.toString('latin1', at, end);
        at = end;
        if (lineEnd >= 0) this.#endLine();
      }
    }
  }

  /** The source has ended: so must the framing have. */
  end(): void {
    // Some signers leave out the empty line after the last chunk.
    if (this.#state === 'trailers' && this.#line === '' && this.#declared.length === 0) this.#endTrailers();
    if (this.#state !== 'end') throw incomplete();
  }

  #take(data: Buffer): void {
    this.#hash?.update(data);
    this.#dataLeft -= data.length;
    if (this.#dataLeft > 0) return;
    this.#verifyChunk();
    this.#state = 'data-end';
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    const text = line.endsWith('\r\n') ? line.slice(0, -2) : line.slice(0, -1);
    const crlf = line.length >= 2 && line.charCodeAt(line.length - 2) === CR;
    switch (this.#state) {
      case 'size':
        if (!crlf) throw incomplete();
        this.#startChunk(text);
        break;
      case 'data-end':
        if (text !== '' || !crlf) throw incomplete();
        this.#state = 'size';
        break;
      case 'trailers':
        this.#trailerLine(text);
        break;
      default:
        throw incomplete();
    }
  }

  #startChunk(header: string): void {
    const match = /^([0-9a-fA-F]{1,13})[ \t]*(?:;[ \t]*chunk-signature=([0-9a-f]{1,256}))?[ \t]*$/.exec(header);
    if (!match) throw incomplete();
    const size = Number.parseInt(match[1] ?? '', 16);
    this.#chunk++;
    if (size > 0 && this.#previousSize !== undefined && this.#previousSize < CHUNK_BYTES_MIN) {
      throw new AwsError('InvalidChunkSizeError', 'Only the last chunk is allowed to have a size less than 8192 bytes', {
        members: { Chunk: this.#chunk - 1, BadChunkSize: this.#previousSize },
      });
    }
    this.#previousSize = size;
    this.#decodedBytes += size;
    if (this.#decodedBytes > this.#expectedBytes) throw wrongLength();
    this.#signature = match[2];
    if (this.#hooks.verifyChunk) this.#hash = createHash('sha256');
    this.#dataLeft = size;
    if (size > 0) {
      this.#state = 'data';
      return;
    }
    if (this.#decodedBytes !== this.#expectedBytes) throw wrongLength();
    this.#verifyChunk();
    this.#state = 'trailers';
  }

  #verifyChunk(): void {
    if (this.#hash) this.#hooks.verifyChunk?.(this.#signature, this.#hash.digest('hex'));
    this.#hash = undefined;
  }

  #trailerLine(line: string): void {
    if (line === '') {
      // Signed trailers may stand in a part of their own, with the signature after an empty line.
      if (this.#trailing && this.#hooks.verifyTrailers && this.#trailerCount > 0 && this.#trailerSignature === undefined) return;
      this.#endTrailers();
      return;
    }
    const colon = line.indexOf(':');
    if (colon <= 0 || ++this.#trailerCount > TRAILERS_MAX) throw malformedTrailer();
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === TRAILER_SIGNATURE) {
      this.#trailerSignature = value;
      return;
    }
    if (!this.#declared.includes(name) || name in this.trailers) throw malformedTrailer();
    this.trailers[name] = value;
    this.#canonicalTrailers += `${name}:${value}\n`;
  }

  #endTrailers(): void {
    if (this.#trailing && this.#declared.some((name) => !(name in this.trailers))) throw malformedTrailer();
    if (this.#trailing && this.#hooks.verifyTrailers) {
      this.#hooks.verifyTrailers(this.#trailerSignature, createHash('sha256').update(this.#canonicalTrailers, 'latin1').digest('hex'));
    }
    this.#state = 'end';
  }
}
