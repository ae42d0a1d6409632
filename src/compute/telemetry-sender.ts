import { request } from 'node:http';
import type { Socket } from 'node:net';
import { TELEMETRY_ATTEMPTS_MAX, TELEMETRY_RETRY_MS, TELEMETRY_SEND_MS_MAX } from './limits.ts';
import type { Destination } from './telemetry-subscription.ts';

/** Brings batches to where a subscriber listens. */
export interface Sender {
  /** Whether the batch was delivered; it is tried again for a while, until `stopped`. Never rejects. */
  send(items: readonly string[], stopped: () => boolean): Promise<boolean>;
  close(): void;
}

export function createSender(destination: Destination, connect: (port: number) => Promise<Socket>): Sender {
  const attempt = destination.protocol === 'HTTP' ? httpSender(destination, connect) : tcpSender(destination.port, connect);
  return {
    async send(items, stopped) {
      for (let tries = 0, pauseMs = TELEMETRY_RETRY_MS; tries < TELEMETRY_ATTEMPTS_MAX && !stopped(); tries++, pauseMs *= 2) {
        if (tries > 0) await new Promise<void>((resolve) => void setTimeout(resolve, pauseMs).unref());
        try {
          await attempt.post(items);
          return true;
        } catch {
          // Nobody listens yet, or what listens failed: the next try, or the count of what was dropped, tells.
        }
      }
      return false;
    },
    close: attempt.close,
  };
}

interface Attempt {
  post(items: readonly string[]): Promise<void>;
  close(): void;
}

/** Batches as JSON arrays, each in a request of its own. */
function httpSender(destination: Extract<Destination, { protocol: 'HTTP' }>, connect: (port: number) => Promise<Socket>): Attempt {
  const open = new Set<Socket>();
  return {
    async post(items) {
      const socket = await connect(destination.port);
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      try {
        await exchange(socket, destination, Buffer.from(`[${items.join(',')}]`));
      } finally {
        socket.destroy();
      }
    },
    close: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

function exchange(socket: Socket, { port, path, method }: Extract<Destination, { protocol: 'HTTP' }>, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { Host: `sandbox.localdomain:${port}`, 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' };
    const outgoing = request({ createConnection: () => socket, method, path, headers, timeout: TELEMETRY_SEND_MS_MAX }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve();
        else reject(new Error(`the subscriber answered ${status}`));
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('the subscriber did not answer')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Events as lines of one connection that stays. */
function tcpSender(port: number, connect: (port: number) => Promise<Socket>): Attempt {
  let line: Socket | undefined;
  return {
    async post(items) {
      if (!line || line.destroyed || !line.writable) {
        const socket = await connect(port);
        socket.on('error', () => socket.destroy());
        socket.resume();
        socket.unref();
        line = socket;
      }
      const socket = line;
      await new Promise<void>((resolve, reject) => {
        socket.write(`${items.join('\n')}\n`, (error) => (error ? reject(error) : resolve()));
      });
    },
    close: () => line?.destroy(),
  };
}
