import { Writable } from 'node:stream';
import pino from 'pino';
import type { Log } from '../kit/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** `text` for people, `json` one object a line; default: text where stderr is a terminal. */
  readonly format?: 'text' | 'json';
  /** Where lines go; default stderr. Standard output belongs to the command line. */
  readonly destination?: Writable;
}

/** Croft's own log. */
export function createLog(options: LogOptions): Log {
  const format = options.format ?? (process.stderr.isTTY ? 'text' : 'json');
  const destination = options.destination ?? (format === 'json' ? pino.destination({ dest: 2, sync: false }) : process.stderr);
  const stream = format === 'text' ? textStream(destination as NodeJS.WritableStream) : destination;
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: pino.stdSerializers.err } }, stream);
}

const NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** Turns pino's lines into `12:34:56.789 warn  message field=value`. */
function textStream(destination: NodeJS.WritableStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      destination.write(textLine(chunk.toString('utf8')), () => done());
    },
  });
}

/** One line of the text form; what is not JSON passes through. */
export function textLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, msg, err, ...fields } = entry;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${String(time).slice(11, 23)} ${(NAMES[Number(level)] ?? String(level)).padEnd(5)} ${String(msg ?? '')}${rest.join('')}${stack}\n`;
}
