import { AwsError } from '../../kit/errors.ts';
import { FORM_FIELDS_BYTES_MAX, FORM_HEADER_BYTES_MAX } from './limits.ts';

/** A form as a browser posts it: fields up to the file, then the file. */
export interface PostForm {
  /** By lower-case name; of a repeated one the last counts. */
  readonly fields: ReadonlyMap<string, string>;
  /** Absent where the form has none. Fields after it are not looked at, as S3 says. */
  readonly file: { readonly name: string; readonly type: string | undefined; readonly chunks: AsyncGenerator<Uint8Array> } | undefined;
}

const malformed = () => new AwsError('MalformedPOSTRequest', 'The body of your POST request is not well-formed multipart/form-data.');
const tooLarge = () => new AwsError('MaxPostPreDataLengthExceededError', 'Your POST request fields preceding the upload file were too large.');

/** The boundary that a `multipart/form-data` type names. Throws `MalformedPOSTRequest`. */
export function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw malformed();
  return boundary;
}

/** Bytes of a stream, looked through for delimiters. Holds what has come and was not taken yet. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer;

  constructor(source: AsyncIterable<Uint8Array>, first: Buffer) {
    this.#source = source[Symbol.asyncIterator]();
    this.#held = first;
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.#held = this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value]);
    return true;
  }

  /** What stands before `delimiter`, which is taken too. Throws beyond `max` bytes. */
  async until(delimiter: Buffer, max: number, beyond: () => AwsError): Promise<Buffer> {
    for (let from = 0; ; ) {
      const at = this.#held.indexOf(delimiter, from);
      if (at > max || (at < 0 && this.#held.length > max + delimiter.length)) throw beyond();
      if (at >= 0) {
        const found = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + delimiter.length);
        return found;
      }
      from = Math.max(0, this.#held.length - delimiter.length + 1);
      if (!(await this.#more())) throw malformed();
    }
  }

  async take(bytes: number): Promise<Buffer> {
    while (this.#held.length < bytes) if (!(await this.#more())) throw malformed();
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }

  /** Streams what stands before `delimiter`; of each look only as much is held back as could be the delimiter's beginning. */
  async *streamUntil(delimiter: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#held.indexOf(delimiter);
      const end = at >= 0 ? at : this.#held.length - delimiter.length + 1;
      if (end > 0) {
        yield this.#held.subarray(0, end);
        this.#held = this.#held.subarray(end);
      }
      if (at >= 0) break;
      if (!(await this.#more())) throw malformed();
    }
    // The client waits for its answer only once all that it sends is read.
    for (let next = await this.#source.next(); !next.done; next = await this.#source.next());
  }
}

/** Reads a form up to its file, which then streams. Throws `MalformedPOSTRequest`, `MaxPostPreDataLengthExceededError`. */
export async function readForm(source: AsyncIterable<Uint8Array>, boundary: string): Promise<PostForm> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first delimiter has no line before it.
  const reader = new Reader(source, Buffer.from('\r\n'));
  const fields = new Map<string, string>();
  let left = FORM_FIELDS_BYTES_MAX;
  await reader.until(delimiter, FORM_HEADER_BYTES_MAX, malformed);
  for (;;) {
    const end = (await reader.take(2)).toString('latin1');
    if (end === '--') return { fields, file: undefined };
    if (end !== '\r\n') throw malformed();
    const header = (await reader.until(Buffer.from('\r\n\r\n'), FORM_HEADER_BYTES_MAX, malformed)).toString('utf8');
    const name = parameter(header, 'name');
    if (name === undefined) throw malformed();
    if (name.toLowerCase() === 'file') {
      const type = /^content-type:[ \t]*(.*?)[ \t]*$/im.exec(header)?.[1];
      return { fields, file: { name: parameter(header, 'filename') ?? '', type, chunks: reader.streamUntil(delimiter) } };
    }
    const value = await reader.until(delimiter, left, tooLarge);
    left -= value.length + name.length;
    if (left < 0) throw tooLarge();
    fields.set(name.toLowerCase(), value.toString('utf8'));
  }
}

function parameter(header: string, name: string): string | undefined {
  const line = header.split('\r\n').find((one) => /^content-disposition:/i.test(one));
  const match = line === undefined ? undefined : new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s;]+))`, 'i').exec(line);
  return match?.[1] ?? match?.[2];
}
