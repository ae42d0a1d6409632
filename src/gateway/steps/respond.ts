import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { releaseBody } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import { DISCARD_BYTES_MAX } from '../limits.ts';
import type { GatewayParts } from '../parts.ts';
import { recordSpan } from '../span.ts';
import { giveBackPlace } from './admit.ts';

/** Writes the answer, ends what the request held, and counts it. Never rejects. */
export async function respond(parts: GatewayParts, exchange: Exchange): Promise<void> {
  try {
    const { answer, response } = exchange;
    if (!answer || exchange.clientGone || response.destroyed) {
      response.destroy();
      return;
    }
    if (parts.admission.closing) {
      response.shouldKeepAlive = false;
      delete answer.headers['Connection'];
    }
    const { body } = answer;
    if (answer.multiHeaders) Object.assign(answer.headers, answer.multiHeaders);
    if (typeof body === 'string' || body instanceof Uint8Array) writeWhole(exchange, answer.status, answer.headers, body);
    else await writeStream(parts, exchange, answer.status, answer.headers, body);
  } catch (error) {
    parts.platform.log.error({ err: error }, 'an answer could not be written');
    giveUp(exchange);
  } finally {
    finish(parts, exchange);
  }
}

/** A status or header that HTTP does not have: say at least that something went wrong. */
function giveUp({ response, answer }: Exchange): void {
  if (response.headersSent || answer === undefined) {
    response.destroy();
    return;
  }
  // node:http keeps the failed attempt's Content-Length unless it is given another.
  const body = '{"message":"Internal server error"}\n';
  response.writeHead(500, { 'Content-Type': 'application/json', 'Content-Length': String(body.length), Connection: 'close' }).end(body);
}

/** Head and body leave in one write. */
function writeWhole(exchange: Exchange, status: number, headers: Record<string, string>, body: string | Uint8Array): void {
  const { response } = exchange;
  addOwnHeaders(exchange, headers);
  if (headers['Content-Length'] === undefined && headers['content-length'] === undefined && exchange.method !== 'HEAD' && status !== 204 && status !== 304) {
    headers['Content-Length'] = String(typeof body === 'string' ? Buffer.byteLength(body) : body.length);
  }
  leaveUnreadBody(exchange, headers);
  response.writeHead(status, headers);
  endTogether(response, exchange.method === 'HEAD' || body.length === 0 ? undefined : body);
}

interface Ending {
  readonly response: Exchange['response'];
  readonly body: string | Uint8Array | undefined;
}
let endings: Ending[] = [];

/**
 * Answers that become ready in one turn of the event loop are written one after the other at its end. Each write wakes the client, and
 * that is the dearest thing in a small answer's life: a client that is awake already, because the last answer woke it, costs a fraction.
 */
function endTogether(response: Exchange['response'], body: string | Uint8Array | undefined): void {
  if (endings.push({ response, body }) === 1) setImmediate(endAll);
}

function endAll(): void {
  const ready = endings;
  endings = [];
  for (const { response, body } of ready) response.end(body);
}

async function writeStream(
  parts: GatewayParts,
  exchange: Exchange,
  status: number,
  headers: Record<string, string>,
  body: Readable | AsyncIterable<Uint8Array>,
): Promise<void> {
  const { response } = exchange;
  addOwnHeaders(exchange, headers);
  leaveUnreadBody(exchange, headers);
  response.writeHead(status, headers);
  const source = body instanceof Readable ? body : Readable.from(body, { objectMode: false });
  if (exchange.method === 'HEAD') {
    source.destroy();
    response.end();
    return;
  }
  // A stream without a known length may take its time to begin: the head goes ahead.
  if (headers['Content-Length'] === undefined && headers['content-length'] === undefined) response.flushHeaders();
  try {
    await pipeline(source, response);
  } catch (error) {
    // The head is out, so a broken answer can only be cut short; a client that left is nobody's fault.
    if (!exchange.clientGone) parts.platform.log.warn({ err: error }, 'an answer broke off');
    response.destroy();
  }
}

function addOwnHeaders(exchange: Exchange, headers: Record<string, string>): void {
  if (exchange.corsHeaders) Object.assign(headers, exchange.corsHeaders);
  stateConnection(exchange, headers);
}

/** As AWS does: `Connection` without the `Keep-Alive` that node:http would add, and S3 without either. */
function stateConnection({ response, request, codec }: Exchange, headers: Record<string, string>): void {
  if (headers['Connection'] !== undefined) return;
  if (!response.shouldKeepAlive) headers['Connection'] = 'close';
  else if (codec === 'restXml' && request.httpVersion === '1.1') response.removeHeader('Connection');
  else headers['Connection'] = 'keep-alive';
}

/**
 * An answer before the end of the request's body: what is still to come is read away up to a bound, so that the client gets to see
 * the answer instead of a reset; beyond it the connection ends.
 */
function leaveUnreadBody(exchange: Exchange, headers: Record<string, string>): void {
  const { request } = exchange;
  if (request.complete || request.readableEnded) return;
  const length = Number(exchange.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (exchange.expectsContinue || length > DISCARD_BYTES_MAX) headers['Connection'] = 'close';
  let seen = 0;
  request.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > DISCARD_BYTES_MAX) request.destroy();
  });
  request.on('error', () => {});
  request.resume();
}

function finish(parts: GatewayParts, exchange: Exchange): void {
  releaseBody(exchange);
  giveBackPlace(parts, exchange);
  const { operation, endpoint, ctx, startedMs } = exchange;
  const status = exchange.answer?.status ?? CLIENT_GONE;
  if (operation) {
    operation.latency.observe((parts.platform.clock.mono() - startedMs) / 1000);
    operation.answered(status).add();
  } else if (endpoint) {
    parts.telemetry.metrics
      .counter('croft_endpoint_requests', 'Requests to users’ own endpoints.', { endpoint: endpoint.endpoint, status: String(status) })
      .add();
  }
  if (ctx)
    recordSpan(parts, ctx, {
      kind: 'request',
      name: operation?.action ?? endpoint?.endpoint ?? '',
      startedMs,
      status,
      error: exchange.errorCode,
      resources: exchange.resources,
    });
}

/** nginx's number for a client that left before its answer; it is never sent. */
const CLIENT_GONE = 499;
