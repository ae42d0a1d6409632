/**
 * Every error that a caller may see is an {@link AwsError}: AWS's own code, wording and HTTP status.
 * Codecs turn it into the wire form of the protocol in use; anything else that is thrown becomes a logged
 * `InternalFailure` (500), which is always a bug in Croft.
 */
export class AwsError extends Error {
  /** The modelled error code, e.g. `ResourceNotFoundException`. */
  readonly code: string;
  /** HTTP status, e.g. 400. */
  readonly status: number;
  /** `client` (Sender) or `server` (Receiver) fault, as query and CBOR protocols state it. */
  readonly fault: 'client' | 'server';
  /** Modelled members beside the message (e.g. `Item` of ConditionalCheckFailedException), encoded by the error's shape. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Extra response headers, e.g. `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    options: { status?: number; fault?: 'client' | 'server'; members?: Record<string, unknown>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.status = options.status ?? 400;
    this.fault = options.fault ?? (this.status >= 500 ? 'server' : 'client');
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

/** What Croft does not support fails loudly: HTTP 501 `NotImplemented`, naming the thing. */
export function notImplemented(what: string): AwsError {
  return new AwsError('NotImplemented', `${what} is not implemented by Croft`, { status: 501 });
}

/** A broken invariant: always a bug in Croft, never a caller's mistake. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
