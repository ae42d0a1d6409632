import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import { Guests } from './guests.ts';
import type { DebugSession } from './session.ts';
import { adapterSniffer, inspectorSniffer, type Sniffer } from './sniff.ts';

/** A port that debuggers attach to, the same over all environments of a language. */
export interface Door {
  readonly port: number;
  readonly guests: Guests;
  close(): Promise<void>;
}

/** Bytes both ways; what the debugger is sent is listened to. */
function splice(guest: Socket, inside: Socket, sniffer: Sniffer): void {
  inside.on('data', (chunk: Buffer) => sniffer.feed(chunk));
  inside.pipe(guest);
  guest.pipe(inside);
  inside.on('error', () => guest.destroy());
  inside.once('close', () => guest.destroy());
  guest.once('close', () => inside.destroy());
}

async function open(server: Server | HttpServer, port: number, guests: Guests): Promise<Door> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? new Error(`port ${port}, where debuggers attach, is taken`) : error;
  });
  server.unref();
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    guests,
    async close() {
      guests.closeAll();
      if ('closeAllConnections' in server) server.closeAllConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** Python: debugpy's clients speak first, so what they say is kept until there is somebody to say it to. */
export function pythonDoor(port: number, clock: Clock): Promise<Door> {
  const guests = new Guests(clock);
  const admit = async (guest: Socket): Promise<void> => {
    const session = await guests.session(guest);
    const inside = await session?.connect();
    if (!session || !inside) {
      guest.destroy();
      return;
    }
    guests.enter(guest, session);
    splice(
      guest,
      inside,
      adapterSniffer((now) => session.paused(now)),
    );
  };
  const server = createServer({ pauseOnConnect: true }, (guest) => {
    guest.on('error', () => guest.destroy());
    void admit(guest);
  });
  return open(server, port, guests);
}

/** Node.js: one target that is always there under one address, whatever runtime stands behind it. */
export function nodeDoor(port: number, clock: Clock): Promise<Door> {
  const guests = new Guests(clock);
  const id = 'croft';
  const server = createHttpServer((request, response) => {
    const url = `ws://${request.headers.host ?? `127.0.0.1:${port}`}/${id}`;
    const target = { id, type: 'node', title: 'Lambda functions in Croft', description: 'node.js instance', url: 'file://', webSocketDebuggerUrl: url };
    const isVersion = request.url?.startsWith('/json/version') ?? false;
    response.setHeader('Content-Type', 'application/json; charset=UTF-8');
    response.end(JSON.stringify(isVersion ? { Browser: `node.js/${process.version}`, 'Protocol-Version': '1.1' } : [target]));
  });
  const admit = async (request: IncomingMessage, guest: Socket, head: Buffer): Promise<void> => {
    const session = await guests.session(guest);
    const path = session && (await targetPath(session));
    const inside = path === undefined ? undefined : await session?.connect();
    if (!session || !inside) {
      guest.destroy();
      return;
    }
    guests.enter(guest, session);
    const key = request.headers['sec-websocket-key'] ?? '';
    inside.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${session.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    if (head.length > 0) inside.write(head);
    splice(guest, inside, afterHead(inspectorSniffer((now) => session.paused(now))));
  };
  server.on('upgrade', (request: IncomingMessage, guest: Socket, head: Buffer) => {
    guest.on('error', () => guest.destroy());
    void admit(request, guest, head);
  });
  return open(server, port, guests);
}

/** The frames begin behind the head of the HTTP answer. */
function afterHead(sniffer: Sniffer): Sniffer {
  let head: Buffer | undefined = Buffer.alloc(0);
  return {
    feed(chunk) {
      if (!head) {
        sniffer.feed(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const rest = head.subarray(end + 4);
      head = undefined;
      sniffer.feed(rest);
    },
  };
}

/** The inspector's own name for its only target. */
async function targetPath(session: DebugSession): Promise<string | undefined> {
  const socket = await session.connect();
  if (!socket) return undefined;
  const asked = httpRequest({ host: '127.0.0.1', port: session.port, path: '/json/list', agent: false, createConnection: () => socket });
  asked.end();
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const [target] = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { id?: string }[];
    return target?.id === undefined ? undefined : `/${target.id}`;
  } catch {
    // The runtime has just ended.
    return undefined;
  }
}
