import type { WireResponse } from '../../protocol/wire.ts';
import { OPENMETRICS_TYPE } from '../../telemetry/index.ts';
import { isLoopback } from '../browser.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { jsonAnswer, Refusal } from '../refusal.ts';
import { advance, freeze, readClock, release } from './clock.ts';
import { coverageOf } from './coverage.ts';

/** One request to Croft's own API, taken apart. */
export interface AdminRequest {
  readonly parts: GatewayParts;
  /** The query's parameters that this path knows. */
  readonly query: Readonly<Record<string, string>>;
  /** The JSON body; `{}` where there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

interface AdminRoute {
  readonly method: 'GET' | 'POST';
  readonly parameters?: readonly string[];
  /** Answered to anybody, also with `--auth verify` and from another machine. */
  readonly open?: boolean;
  readonly answer: (request: AdminRequest) => Promise<unknown> | unknown;
}

/** Croft's own API. Everything is JSON but the metrics. */
const ROUTES: Readonly<Record<string, AdminRoute>> = {
  '/_croft/health': { method: 'GET', open: true, answer: health },
  '/_localstack/health': { method: 'GET', open: true, answer: localstackHealth },
  '/metrics': { method: 'GET', open: true, answer: metrics },
  '/_croft/clock': { method: 'GET', answer: readClock },
  '/_croft/clock/freeze': { method: 'POST', answer: freeze },
  '/_croft/clock/advance': { method: 'POST', answer: advance },
  '/_croft/clock/release': { method: 'POST', answer: release },
  '/_croft/meters': { method: 'GET', parameters: ['account', 'region', 'service'], answer: meters },
  '/_croft/lineage': { method: 'GET', parameters: ['trace', 'request'], answer: lineage },
  '/_croft/access': { method: 'GET', parameters: ['action', 'principal', 'limit'], answer: access },
  '/_croft/coverage': { method: 'GET', answer: coverage },
  '/_croft/backup': { method: 'POST', answer: backup },
};

/** Answers one admin request; throws {@link Refusal}. */
export async function answerAdminRequest(parts: GatewayParts, exchange: Exchange): Promise<WireResponse> {
  const route = Object.hasOwn(ROUTES, exchange.path) ? ROUTES[exchange.path] : undefined;
  if (!route) throw new Refusal(404, 'NotFound', `there is nothing at ${exchange.path}; known are ${Object.keys(ROUTES).join(', ')}`);
  if (!route.open && parts.options.auth === 'verify' && !isLoopback(exchange.sourceIp)) {
    throw new Refusal(403, 'Forbidden', `${exchange.path} answers only this machine: ask from the host that Croft runs on`);
  }
  const method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
  if (method !== route.method)
    throw new Refusal(405, 'MethodNotAllowed', `${exchange.path} takes ${route.method}, not ${exchange.method}`, { Allow: route.method });
  const answer = await route.answer({ parts, query: queryOf(exchange, route), body: route.method === 'POST' ? bodyOf(exchange) : {} });
  return typeof answer === 'string' ? { status: 200, headers: { 'Content-Type': OPENMETRICS_TYPE }, body: answer } : jsonAnswer(200, answer);
}

function queryOf(exchange: Exchange, { parameters = [] }: AdminRoute): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(exchange.query)) {
    if (!parameters.includes(name)) {
      const known = parameters.length > 0 ? `; known are ${parameters.join(', ')}` : '';
      throw new Refusal(400, 'BadRequest', `${exchange.path} has no parameter ${JSON.stringify(name)}${known}`);
    }
    query[name] = value;
  }
  return query;
}

function bodyOf(exchange: Exchange): Record<string, unknown> {
  if (exchange.body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(exchange.body.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(400, 'BadRequest', 'the body must be one JSON object');
  return value as Record<string, unknown>;
}

async function health({ parts }: AdminRequest): Promise<unknown> {
  return { status: 'running', version: parts.admin.version, ...(await parts.admin.health?.()), services: servicesOf(parts) };
}

/** What tools written for LocalStack look for. */
function localstackHealth({ parts }: AdminRequest): unknown {
  return { services: servicesOf(parts), edition: 'community', version: parts.admin.version };
}

function servicesOf(parts: GatewayParts): Record<string, string> {
  const built = new Set(parts.rooms.map((room) => room.name));
  return Object.fromEntries(parts.services.all.map(({ service }) => [service, built.has(service) ? 'running' : 'disabled']));
}

function metrics({ parts }: AdminRequest): Promise<string> {
  return parts.telemetry.metrics.render();
}

async function meters({ parts, query }: AdminRequest): Promise<unknown> {
  return { meters: await parts.telemetry.meters.read(query) };
}

async function lineage({ parts, query }: AdminRequest): Promise<unknown> {
  const { trace, request } = query;
  if (request !== undefined && trace === undefined) return { request, spans: await parts.telemetry.lineage.commitsOf(request) };
  if (trace === undefined || !/^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(trace)) {
    throw new Refusal(
      400,
      'BadRequest',
      'name a trace: ?trace=1-<8 hex digits>-<24 hex digits>, the Root of an X-Amzn-Trace-Id; or a request: ?request=<its id>',
    );
  }
  return { trace, spans: await parts.telemetry.lineage.read(trace) };
}

function access({ parts, query }: AdminRequest): unknown {
  const { limit, ...filter } = query;
  if (limit !== undefined && !/^[1-9]\d{0,4}$/.test(limit)) throw new Refusal(400, 'BadRequest', 'limit must be a whole number from 1');
  return { enforced: false, calls: parts.telemetry.access.read({ ...filter, ...(limit === undefined ? {} : { limit: Number(limit) }) }) };
}

function coverage({ parts }: AdminRequest): unknown {
  return parts.admin.coverage?.() ?? coverageOf(parts.services.all, parts.rooms);
}

async function backup({ parts, body }: AdminRequest): Promise<unknown> {
  const { folder } = body;
  if (!parts.admin.backup) throw new Refusal(501, 'NotImplemented', 'this Croft cannot be backed up while it runs');
  if (typeof folder !== 'string' || folder === '')
    throw new Refusal(400, 'BadRequest', 'name the folder to write to: {"folder": "/path/that/is/not/there/yet"}');
  try {
    return await parts.admin.backup(folder);
  } catch (error) {
    // What stands in the way of a backup is for its caller to know: a folder that exists, a full disk.
    throw new Refusal(500, 'BackupFailed', error instanceof Error ? error.message : String(error));
  }
}
