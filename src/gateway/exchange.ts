import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import type { ChunkSigner } from '../identity/chunks.ts';
import type { Principal } from '../identity/principal.ts';
import type { ClaimedCredential } from '../identity/scope.ts';
import type { CodecName } from '../protocol/codec.ts';
import type { WireResponse } from '../protocol/wire.ts';
import type { CallContext } from './context.ts';
import type { ApiRoute, EndpointRoute, Route } from './route.ts';
import type { BoundOperation, LoadedService } from './services.ts';

export const EMPTY = Buffer.alloc(0);

/**
 * One request on its way through the chain: every step reads what earlier ones found and adds its own. One object a request,
 * all fields there from the start.
 */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly scheme: 'http' | 'https';
  /** Monotonic time of the request's head. */
  readonly startedMs: number;
  readonly method: string;
  /** As it came, percent-encoded: what was signed. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;

  // admit
  admitted = false;
  /** The bucket's own CORS rules allow, or have nothing to say to, the page that asks. */
  bucketCors: 'allows' | 'silent' | undefined = undefined;
  /** Headers that a browser needs to read the answer. */
  corsHeaders: Readonly<Record<string, string>> | undefined = undefined;
  // route
  route: Route | undefined = undefined;
  api: ApiRoute | undefined = undefined;
  endpoint: EndpointRoute | undefined = undefined;
  credential: ClaimedCredential | undefined = undefined;
  service: LoadedService | undefined = undefined;
  codec: CodecName | undefined = undefined;
  operation: BoundOperation | undefined = undefined;
  // receive
  /** The client waits for `100 Continue` before it sends its body. */
  expectsContinue: boolean;
  body: Buffer = EMPTY;
  /** The operation reads the body while it arrives; `body` stays empty. */
  streamed = false;
  bodyBytesHeld = 0;
  /** Bytes of the connection at the last look, and when they last grew. */
  progressBytes = -1;
  progressMs = 0;
  // authenticate
  principal: Principal | undefined = undefined;
  region = '';
  chunkSigner: ChunkSigner | undefined = undefined;
  /** What a streamed body passes through, so that its hash is compared with the signed one at its end. */
  bodyCheck: Transform | undefined = undefined;
  ctx: CallContext | undefined = undefined;
  clientGone: Error | undefined = undefined;
  // decode, operation
  input: Record<string, unknown> = {};
  output: Record<string, unknown> = {};
  resources: readonly string[] | undefined = undefined;
  // encode
  answer: WireResponse | undefined = undefined;
  errorCode: string | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse, scheme: 'http' | 'https', startedMs: number, expectsContinue: boolean) {
    this.request = request;
    this.response = response;
    this.scheme = scheme;
    this.startedMs = startedMs;
    this.expectsContinue = expectsContinue;
    this.method = request.method ?? 'GET';
    const url = originForm(request.url ?? '/');
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    // Node joins repeated headers with ', ', all but one, which no request should have.
    const { headers } = request;
    const cookies = headers['set-cookie'];
    this.headers = (cookies === undefined ? headers : { ...headers, 'set-cookie': cookies.join(', ') }) as Readonly<Record<string, string>>;
  }

  get host(): string {
    return this.headers['host'] ?? '';
  }

  get sourceIp(): string {
    return (this.request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  }

  /** Lets a waiting client send its body. */
  sendContinue(): void {
    if (!this.expectsContinue) return;
    this.expectsContinue = false;
    if (!this.response.headersSent) this.response.writeContinue();
  }
}

/** A proxy's client names the whole URL in the request line. */
function originForm(url: string): string {
  if (url.charCodeAt(0) === 0x2f) return url;
  const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(url);
  const rest = absolute?.[1] ?? '';
  if (rest.startsWith('?')) return `/${rest}`;
  return rest === '' ? '/' : rest;
}
