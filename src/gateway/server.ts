import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { ClientGone } from './body.ts';
import { travel } from './chain.ts';
import { Exchange } from './exchange.ts';
import {
  CHECK_INTERVAL_MS,
  CONNECTIONS_MAX,
  FIRST_BYTE_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
} from './limits.ts';
import type { GatewayLimits } from './options.ts';
import type { GatewayParts } from './parts.ts';
import { Slots } from './slots.ts';
import type { Tls } from './tls.ts';

/** The sockets under the chain. */
export interface Sockets {
  listen(): Promise<{ port: number }>;
  /** Serves a connection that was not accepted here. */
  accept(socket: Socket): void;
  /** Stops accepting, lets requests under way finish for up to `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
  readonly connections: () => number;
}

type Scheme = 'http' | 'https';

export function createSockets(parts: GatewayParts): Sockets {
  const exchanges = new Slots<Exchange>();
  const { limits } = parts.options;
  const settings = serverOptions(limits);
  const http = prepare(createServer(settings), parts, exchanges, 'http');
  const { tls } = parts.options;
  const https = tls && prepare(createTlsServer({ ...settings, ...tlsOptions(tls) }), parts, exchanges, 'https');
  let pair = tls?.standard();
  /** The server, with the certificate of today. */
  const rotated = (server: HttpsServer): HttpsServer => {
    const current = tls?.standard();
    if (current && current !== pair) server.setSecureContext(current);
    pair = current;
    return server;
  };
  const front: NetServer = https ? sniffing(http, () => rotated(https)) : http;
  front.maxConnections = CONNECTIONS_MAX;
  const sockets = new Set<Socket>();
  front.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const idle = watchIdle(exchanges, parts.platform.clock.mono, limits.bodyIdleTimeoutMs);
  return {
    connections: () => sockets.size,
    accept(socket) {
      if (parts.admission.closing || sockets.size >= CONNECTIONS_MAX) socket.destroy();
      else front.emit('connection', socket.setNoDelay(true));
    },
    listen() {
      return new Promise((resolve, reject) => {
        front.once('error', reject);
        // Behind the front, nobody listens: this starts their watch over slow headers.
        if (https) for (const server of [http, https]) server.emit('listening');
        front.listen({ port: parts.options.port, host: parts.options.host, backlog: 1024 }, () => {
          front.off('error', reject);
          resolve({ port: (front.address() as AddressInfo).port });
        });
      });
    },
    async close(graceMs) {
      parts.admission.closing = true;
      const closed = new Promise<void>((resolve) => front.close(() => resolve()));
      const cut = setTimeout(() => {
        for (const { ctx } of exchanges) ctx?.abort(new ClientGone());
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      // What waits between two requests ends now; every answer from here on says `Connection: close`.
      for (const server of https ? [http, https] : [http]) server.closeIdleConnections();
      const unborn = [...sockets].filter((socket) => socket.bytesRead === 0);
      for (const socket of unborn) socket.destroy();
      await closed;
      clearTimeout(cut);
      clearInterval(idle);
    },
  };
}

function serverOptions({ headersTimeoutMs }: GatewayLimits) {
  return {
    keepAlive: true,
    noDelay: true,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: headersTimeoutMs,
    // Bodies of many gigabytes take their time: one of which nothing arrives is cut by `watchIdle` instead.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, headersTimeoutMs),
  };
}

function tlsOptions(tls: Tls) {
  return {
    ...tls.standard(),
    minVersion: 'TLSv1.2' as const,
    SNICallback: (name: string, done: (error: Error | null, context?: ReturnType<Tls['context']>) => void) => done(null, tls.context(name)),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HEADERS_TIMEOUT_MS,
  };
}

function prepare<S extends Server | HttpsServer>(server: S, parts: GatewayParts, exchanges: Slots<Exchange>, scheme: Scheme): S {
  const { mono } = parts.platform.clock;
  const onRequest = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const exchange = new Exchange(request, response, scheme, mono(), expectsContinue);
    const slot = exchanges.add(exchange);
    response.on('close', () => {
      exchanges.delete(slot);
      if (parts.admission.closing) request.socket.end();
      if (response.writableFinished) return;
      exchange.clientGone ??= new ClientGone();
      exchange.ctx?.abort(exchange.clientGone);
    });
    void travel(parts, exchange);
  };
  server.maxHeadersCount = HEADERS_MAX;
  server.on('request', onRequest(false));
  server.on('checkContinue', onRequest(true));
  server.on('clientError', refuseBytes);
  return server;
}

/** What is not HTTP, too long, or too slow. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

const STATUS_OF: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** One port for both: the first byte of a TLS handshake is 22, which no HTTP method starts with. */
function sniffing(http: Server, https: () => HttpsServer): NetServer {
  return createNetServer({ noDelay: true }, (socket) => {
    const onError = () => socket.destroy();
    const timer = setTimeout(onError, FIRST_BYTE_TIMEOUT_MS);
    socket.on('error', onError);
    socket.once('close', () => clearTimeout(timer));
    socket.once('readable', () => {
      clearTimeout(timer);
      const first = socket.read() as Buffer | null;
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.off('error', onError);
      socket.unshift(first);
      (first[0] === 22 ? https() : http).emit('connection', socket);
    });
  });
}

/** Cuts connections whose request body has stopped arriving: `requestTimeout` would also cut long uploads that move. */
function watchIdle(exchanges: Slots<Exchange>, mono: () => number, idleMs: number): NodeJS.Timeout {
  const timer = setInterval(
    () => {
      const now = mono();
      for (const exchange of exchanges) {
        const { request } = exchange;
        if (request.complete || request.isPaused() || request.readableLength > 0) continue;
        const { bytesRead } = request.socket;
        if (exchange.progressBytes !== bytesRead) {
          exchange.progressBytes = bytesRead;
          exchange.progressMs = now;
        } else if (now - exchange.progressMs > idleMs) request.socket.destroy();
      }
    },
    Math.min(CHECK_INTERVAL_MS, idleMs),
  );
  timer.unref();
  return timer;
}
