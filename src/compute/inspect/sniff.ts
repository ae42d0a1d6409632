/** Finds out from what a debugger is sent whether the program stands still. Fed with bytes, in order, whatever their pieces. */
export interface Sniffer {
  feed(chunk: Buffer): void;
}

/** No message that matters is longer. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const TEXT = 1;
/** How much of a message is looked at: the method stands first in what Node.js writes. */
const HEAD_BYTES = 200;

/** Node.js's inspector: WebSocket frames of a server (unmasked, uncompressed), with the Chrome DevTools Protocol in them. */
export function inspectorSniffer(paused: (now: boolean) => void): Sniffer {
  let buffer: Buffer = Buffer.alloc(0);
  let skip = 0;
  const one = (): boolean => {
    if (buffer.length < 2) return false;
    const opcode = (buffer[0] ?? 0) & 0x0f;
    const short = (buffer[1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (buffer.length < head) return false;
    const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
    const seen = Math.min(length, HEAD_BYTES);
    if (buffer.length < head + seen) return false;
    if (opcode === TEXT) {
      const text = buffer.toString('latin1', head, head + seen);
      if (text.includes('"method":"Debugger.paused"')) paused(true);
      else if (text.includes('"method":"Debugger.resumed"')) paused(false);
    }
    const end = head + length;
    skip = Math.max(0, end - buffer.length);
    buffer = buffer.subarray(Math.min(end, buffer.length));
    return buffer.length > 0;
  };
  return {
    feed(chunk) {
      const rest = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - rest.length;
      if (rest.length === 0) return;
      buffer = buffer.length === 0 ? rest : Buffer.concat([buffer, rest]);
      while (one());
    },
  };
}

/** Commands after which a program that stood still goes on. */
const RESUMING = new Set(['continue', 'next', 'stepIn', 'stepOut', 'disconnect']);

/** debugpy: messages of the Debug Adapter Protocol, each behind its `Content-Length`. */
export function adapterSniffer(paused: (now: boolean) => void): Sniffer {
  let buffer: Buffer = Buffer.alloc(0);
  const one = (): boolean => {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.toString('latin1', 0, end))?.[1] ?? Number.NaN);
    if (!(length <= MESSAGE_BYTES_MAX)) {
      buffer = Buffer.alloc(0);
      return false;
    }
    const start = end + 4;
    if (buffer.length < start + length) return false;
    const message = JSON.parse(buffer.toString('utf8', start, start + length)) as { type?: string; event?: string; command?: string };
    if (message.type === 'event' && message.event === 'stopped') paused(true);
    else if (message.type === 'event' && message.event === 'continued') paused(false);
    else if (message.type === 'response' && RESUMING.has(message.command ?? '')) paused(false);
    buffer = buffer.subarray(start + length);
    return buffer.length > 0;
  };
  return {
    feed(chunk) {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
      while (one());
    },
  };
}
