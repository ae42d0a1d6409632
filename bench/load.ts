/**
 * A load generator in a process of its own: `connections` keep-alive sockets, each with one request under way. It writes prepared bytes and
 * looks only for the end of each answer, so that it costs far less than the server that it measures.
 *
 * Usage: node bench/load.ts '<json LoadPlan>' — prints one JSON LoadResult.
 */
import { connect } from 'node:net';

export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Request line and headers without content-length, each line ended by \r\n. */
  readonly head: string;
  /** `{n}` becomes a number that differs in every request, `{k}` one that goes around 0 to 9,999 out of order. */
  readonly body: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  readonly firstError?: string;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
const latencies: number[] = [];
let counter = 0;
let errors = 0;
let firstError: string | undefined;
const beganMs = performance.now();
const fromMs = beganMs + plan.warmupSeconds * 1000;
const untilMs = fromMs + plan.seconds * 1000;

function nextRequest(): Buffer {
  const n = counter++;
  // 7,919 is prime: every one of the 10,000 comes, and neighbours are far apart.
  const body = plan.body.replace('{n}', String(n)).replace('{k}', String((n * 7919) % 10_000));
  return Buffer.from(`${plan.head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function client(): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true });
    let sentMs = 0;
    let answer = '';
    const send = () => {
      sentMs = performance.now();
      if (sentMs >= untilMs) {
        socket.destroy();
        return done();
      }
      socket.write(nextRequest());
    };
    socket.on('connect', send);
    socket.on('error', fail);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const headEnd = answer.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = /content-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1];
      const whole = length !== undefined ? answer.length >= headEnd + 4 + Number(length) : answer.endsWith('0\r\n\r\n');
      if (!whole) return;
      if (!answer.startsWith('HTTP/1.1 2')) {
        errors++;
        firstError ??= answer.slice(0, 500);
      }
      if (sentMs >= fromMs) latencies.push(performance.now() - sentMs);
      answer = '';
      send();
    });
  });
}

await Promise.all(Array.from({ length: plan.connections }, client));
latencies.sort((a, b) => a - b);
const at = (share: number) => Number((latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(3));
const result: LoadResult = {
  requests: latencies.length,
  perSecond: Math.round(latencies.length / plan.seconds),
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  errors,
  ...(firstError ? { firstError } : {}),
};
console.log(JSON.stringify(result));
