/** The connection to the platform: the Runtime API, and the lifeline that ends this process with it. */
import net from 'node:net';

const API = '/2018-06-01/runtime';

/** A connection that was made ahead of the function. */
let waiting;

export function connect(address) {
  const colon = address.lastIndexOf(':');
  return net.connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
}

/** Has the Runtime API use a connection that is there. */
export function useConnection(socket) {
  waiting = socket;
}

/** One kept-alive connection to the Runtime API. The platform gone means that this process has no purpose: it exits. */
export class RuntimeApi {
  #socket;
  #host;
  #received = Buffer.alloc(0);
  /** What waits for the answers still to come, in order. */
  #waiting = [];

  constructor(address) {
    this.#host = address;
    this.#socket = waiting ?? connect(address);
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', () => process.exit(0));
    this.#socket.on('close', () => process.exit(0));
  }

  /** While a handler runs, the connection must not keep the event loop from being empty. */
  hold(held) {
    if (held) this.#socket.ref();
    else this.#socket.unref();
  }

  #answer() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #head(method, route, headers) {
    const lines = [`${method} ${API}${route} HTTP/1.1`, `Host: ${this.#host}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  next() {
    this.#socket.write(this.#head('GET', '/invocation/next', {}));
    return this.#answer();
  }

  post(route, body, headers) {
    const bytes = Buffer.from(body);
    this.#socket.cork();
    this.#socket.write(this.#head('POST', route, { ...headers, 'Content-Length': bytes.length }));
    this.#socket.write(bytes);
    process.nextTick(() => this.#socket.uncork());
    return this.#answer();
  }

  /** A chunked request, for streamed answers. */
  stream(route, headers) {
    const socket = this.#socket;
    let started = false;
    const start = () => {
      if (!started) socket.write(this.#head('POST', route, { ...headers, 'Transfer-Encoding': 'chunked' }));
      started = true;
    };
    return {
      setHeader: (name, value) => {
        headers[name] = value;
      },
      write: (bytes, done) => {
        start();
        if (bytes.length === 0) return done();
        socket.write(`${bytes.length.toString(16)}\r\n`);
        socket.write(bytes);
        return socket.write('\r\n', done);
      },
      end: (trailers) => {
        start();
        const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`0\r\n${lines.join('')}\r\n`);
        return this.#answer();
      },
    };
  }

  #receive(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const headers = {};
      for (const line of this.#received.toString('latin1', 0, end).split('\r\n').slice(1)) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
      }
      const length = Number(headers['content-length'] ?? 0);
      const total = end + 4 + length;
      if (this.#received.length < total) {
        this.#reserve(total);
        return;
      }
      const body = this.#received.subarray(end + 4, total);
      this.#received = this.#received.subarray(total);
      this.#waiting.shift()?.({ headers, body });
    }
  }

  /** A large event: its chunks are gathered in place instead of being joined again and again. */
  #reserve(total) {
    const whole = Buffer.allocUnsafe(total);
    let filled = this.#received.copy(whole);
    const listeners = this.#socket.listeners('data');
    this.#socket.removeAllListeners('data');
    const gather = (chunk) => {
      const taken = chunk.copy(whole, filled);
      filled += taken;
      if (filled < total) return;
      this.#socket.off('data', gather);
      for (const listener of listeners) this.#socket.on('data', listener);
      this.#received = Buffer.alloc(0);
      this.#receive(taken < chunk.length ? Buffer.concat([whole, chunk.subarray(taken)]) : whole);
    };
    this.#socket.on('data', gather);
  }
}

/** Ends this process when the platform dies, even by SIGKILL: it holds the other end of the descriptor. */
export function watchLifeline(fd) {
  if (!(fd >= 0)) return;
  const line = new net.Socket({ fd, readable: true, writable: false });
  line.on('error', () => process.exit(0));
  line.on('close', () => process.exit(0));
  line.resume();
  line.unref();
}
