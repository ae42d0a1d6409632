import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RESPONSE_BYTES_MAX } from './limits.ts';

/** Called by the Runtime API as the runtime of one environment goes on. All are synchronous and must not throw. */
export interface RuntimeListener {
  /** The runtime asks for an event: it is ready. */
  onNext(): void;
  /** The runtime begins to answer its event. */
  onAnswering(): void;
  onAnswer(answer: RuntimeAnswer): void;
  /** The runtime streams its answer; true where somebody reads it. `onAnswer` follows at its end. */
  onStream(body: IncomingMessage, contentType: string): boolean;
  /** The runtime could not initialise; the body as it was posted. */
  onInitError(body: Buffer, errorType: string): void;
  /** A request of another API of the execution environment (extensions, telemetry); false where nobody knows it. */
  onOther(request: IncomingMessage, response: ServerResponse): boolean;
}

/** What the runtime posted for an invocation. */
export interface RuntimeAnswer {
  readonly requestId: string;
  readonly kind: 'response' | 'error';
  readonly body: Buffer;
  /** The body was longer than a synchronous answer may be, and was dropped. */
  readonly tooLarge: boolean;
}

/** One event for the runtime. */
export interface RuntimeEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
}

const BASE = '/2018-06-01/runtime';
const PING = '/2018-06-01/ping';
/** Bodies of errors that carry their cause for X-Ray, which is no part of the answer. */
const WITH_CAUSE_TYPE = 'application/vnd.aws.lambda.error.cause+json';
const JSON_TYPE = 'application/json';
const ACCEPTED = Buffer.from('{"status":"OK"}\n');

/**
 * The Runtime API ("Using the Lambda runtime API for custom runtimes"), for every environment of the process: one HTTP parser, and
 * a session for each environment, bound to the connections of that environment's own listener. So an environment cannot name,
 * reach or steal an event of another, and a late request of a killed one finds its connection gone.
 */
export class RuntimeApi {
  #server: Server;
  #sessions = new WeakMap<Socket, RuntimeSession>();

  constructor() {
    // Events are waited for, without limit, on connections that live as long as their environment.
    this.#server = createServer(
      { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, connectionsCheckingInterval: 2 ** 31 - 1 },
      (request, response) => {
        const session = this.#sessions.get(request.socket);
        if (session) session.handle(request, response);
        else request.socket.destroy();
      },
    );
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** A session for connections handed to {@link RuntimeSession.connect}. */
  open(listener: RuntimeListener): RuntimeSession {
    return new RuntimeSession(listener, (socket, session) => {
      this.#sessions.set(socket, session);
      socket.setNoDelay(true);
      this.#server.emit('connection', socket);
    });
  }
}

/** The state of one environment's runtime. */
export class RuntimeSession {
  #listener: RuntimeListener;
  #accept: (socket: Socket, session: RuntimeSession) => void;
  #sockets = new Set<Socket>();
  #waiting: ServerResponse | undefined;
  #event: RuntimeEvent | undefined;
  #current: string | undefined;
  /** Posts whose bodies are still arriving: a `next` that was sent right behind one is heard after it. */
  #posting = 0;

  constructor(listener: RuntimeListener, accept: (socket: Socket, session: RuntimeSession) => void) {
    this.#listener = listener;
    this.#accept = accept;
  }

  connect(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    this.#accept(socket, this);
  }

  /** Gives the runtime its next event, now or when it asks. */
  deliver(requestId: string, event: RuntimeEvent): void {
    this.#current = requestId;
    this.#event = event;
    this.#send();
  }

  /** Cuts every connection: what they still send is never read. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    this.#waiting = undefined;
    this.#event = undefined;
    this.#current = undefined;
    this.#posting = 0;
  }

  /** What the runtime still sends for its invocation comes too late. */
  abandon(): void {
    this.#event = undefined;
    this.#current = undefined;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    if (!path.startsWith(`${BASE}/`) && this.#listener.onOther(request, response)) return;
    if (path === PING) {
      request.resume();
      response.end('pong');
      return;
    }
    if (request.method === 'GET' && path === `${BASE}/invocation/next`) {
      this.#next(request, response);
      return;
    }
    const match = /^\/2018-06-01\/runtime\/(?:invocation\/([^/]+)\/(response|error)|init\/error)$/.exec(path);
    if (request.method !== 'POST' || !match) {
      const restore = path.startsWith(`${BASE}/restore/`);
      request.resume();
      refuse(
        response,
        restore ? 403 : 404,
        restore ? 'InvalidStateTransition' : 'NotFound',
        restore ? 'This environment was not restored from a snapshot' : 'Page not found',
      );
      return;
    }
    const [, requestId, kind] = match;
    const mode = request.headers['lambda-runtime-function-response-mode'];
    if (kind === 'response' && mode !== undefined && mode !== 'streaming' && requestId !== undefined && requestId === this.#current) {
      request.resume();
      this.#current = undefined;
      refuse(response, 400, 'InvalidFunctionResponseMode', 'Invalid function response mode');
      this.#listener.onAnswer({ requestId, kind: 'error', body: Buffer.alloc(0), tooLarge: false });
      return;
    }
    this.#posting++;
    if (requestId !== undefined && requestId === this.#current) this.#listener.onAnswering();
    const streamed = kind === 'response' && requestId === this.#current && isStreamed(request);
    const read = streamed && this.#listener.onStream(request, request.headers['content-type'] ?? '') ? ended : collect;
    read(request, (body, tooLarge) => {
      if (this.#posting > 0) this.#posting--;
      if (requestId === undefined) this.#initError(request, response, body);
      else if (kind === 'error') this.#answer(request, response, { requestId, kind, body: withoutCause(request, body), tooLarge });
      else this.#answer(request, response, { requestId, kind: 'response', body, tooLarge });
      if (this.#posting === 0 && this.#waiting) this.#ready();
    });
  }

  #next(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (this.#waiting) {
      refuse(response, 403, 'InvalidStateTransition', 'Transition from Ready to Ready is not allowed for runtime. State: Ready');
      return;
    }
    this.#waiting = response;
    response.on('close', () => {
      if (this.#waiting === response) this.#waiting = undefined;
    });
    if (this.#posting === 0) this.#ready();
  }

  #ready(): void {
    this.#listener.onNext();
    this.#send();
  }

  #send(): void {
    const response = this.#waiting;
    const event = this.#event;
    if (!response || !event) return;
    this.#waiting = undefined;
    this.#event = undefined;
    response.writeHead(200, { ...event.headers, 'Content-Type': JSON_TYPE, 'Content-Length': event.payload.length });
    response.end(event.payload);
  }

  #answer(request: IncomingMessage, response: ServerResponse, answer: RuntimeAnswer): void {
    if (answer.requestId !== this.#current) {
      refuse(response, 400, 'InvalidRequestID', 'Invalid request ID');
      return;
    }
    this.#current = undefined;
    if (answer.tooLarge) refuse(response, 413, 'RequestEntityTooLarge', `Exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`);
    else accept(response);
    this.#listener.onAnswer(streamFailure(request, answer));
  }

  #initError(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    accept(response);
    this.#listener.onInitError(body, errorTypeOf(request.headers['lambda-runtime-function-error-type']));
  }
}

/** The error type that a runtime gives, where it is one of AWS's form. */
function errorTypeOf(type: string | string[] | undefined): string {
  if (typeof type !== 'string') return 'Runtime.Unknown';
  if (/(Runtime|Function)\.[A-Z][a-zA-Z]+/.test(type)) return type;
  return type.startsWith('Function.') ? 'Function.Unknown' : 'Runtime.Unknown';
}

/** An error body without the cause that it may carry for X-Ray. */
function withoutCause(request: IncomingMessage, body: Buffer): Buffer {
  if (request.headers['content-type'] !== WITH_CAUSE_TYPE) return body;
  try {
    const { errorMessage = '', errorType = '', stackTrace } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    return Buffer.from(JSON.stringify({ errorMessage, errorType, ...(Array.isArray(stackTrace) && stackTrace.length > 0 ? { stackTrace } : {}) }));
  } catch {
    return Buffer.from('"Invalid error body"');
  }
}

/** A streamed answer may end in an error, told by its trailers. */
function streamFailure(request: IncomingMessage, answer: RuntimeAnswer): RuntimeAnswer {
  const type = request.trailers['lambda-runtime-function-error-type'];
  if (!type) return answer;
  const body = Buffer.from(request.trailers['lambda-runtime-function-error-body'] ?? '', 'base64');
  return { ...answer, kind: 'error', body, tooLarge: false };
}

function isStreamed(request: IncomingMessage): boolean {
  return request.headers['lambda-runtime-function-response-mode'] === 'streaming';
}

/** Waits for the end of a body that somebody else reads, or has stopped reading. */
function ended(request: IncomingMessage, done: (body: Buffer, tooLarge: boolean) => void): void {
  request.on('end', () => done(Buffer.alloc(0), false));
}

/** Reads a body up to the limit; of a longer one, the rest is read and dropped. */
function collect(request: IncomingMessage, done: (body: Buffer, tooLarge: boolean) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= RESPONSE_BYTES_MAX) chunks.push(chunk);
    else chunks = [];
  });
  request.on('end', () => {
    const [only] = chunks;
    done(chunks.length === 1 && only ? only : Buffer.concat(chunks), size > RESPONSE_BYTES_MAX);
  });
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { 'Content-Type': JSON_TYPE, 'Content-Length': ACCEPTED.length });
  response.end(ACCEPTED);
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  const body = JSON.stringify({ errorMessage, errorType });
  response.writeHead(status, { 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
