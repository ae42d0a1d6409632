import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ClientGone } from './body.ts';
import { travel } from './chain.ts';
import { Exchange } from './exchange.ts';
import { CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADERS_MAX, HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS } from './limits.ts';
import type { GatewayParts } from './parts.ts';

/** The sockets under the chain. */
export interface Sockets {
  listen(): Promise<{ port: number }>;
  /** Stops accepting, lets requests under way finish for up to `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
  readonly exchanges: ReadonlySet<Exchange>;
}

export function createSockets(parts: GatewayParts): Sockets {
  const exchanges = new Set<Exchange>();
  const { mono } = parts.platform.clock;
  const onRequest = (scheme: 'http' | 'https', expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const exchange = new Exchange(request, response, scheme, mono(), expectsContinue);
    exchanges.add(exchange);
    response.on('close', () => {
      exchanges.delete(exchange);
      if (response.writableFinished) return;
      exchange.clientGone ??= new ClientGone();
      exchange.ctx?.abort(exchange.clientGone);
    });
    void travel(parts, exchange);
  };
  const server = prepare(createServer(SERVER_OPTIONS), onRequest, 'http');
  return {
    exchanges,
    listen() {
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port: parts.options.port, host: parts.options.host, backlog: 1024 }, () => {
          server.off('error', reject);
          resolve({ port: (server.address() as AddressInfo).port });
        });
      });
    },
    close(graceMs) {
      return new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
  };
}

const SERVER_OPTIONS = {
  keepAlive: true,
  noDelay: true,
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: HEADERS_TIMEOUT_MS,
  // Bodies of many gigabytes take their time: an idle one is cut by `watchIdle` instead.
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: 5000,
} as const;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function prepare<S extends Server>(server: S, listener: (scheme: 'http' | 'https', expectsContinue: boolean) => Listener, scheme: 'http' | 'https'): S {
  server.maxHeadersCount = HEADERS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  server.on('request', listener(scheme, false));
  server.on('checkContinue', listener(scheme, true));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
  return server;
}
