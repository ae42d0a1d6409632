import { claimedCredential } from '../../identity/scope.ts';
import { AwsError } from '../../kit/errors.ts';
import { ClientGone, Overload } from '../body.ts';
import type { Call } from '../chain.ts';
import { bareError, internalFailure, throttlingOf } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { RouteError } from '../route.ts';

/** Whatever was thrown becomes the answer. */
export function fail(parts: GatewayParts, exchange: Exchange, thrown: unknown): void {
  if (thrown instanceof ClientGone) {
    exchange.clientGone ??= thrown;
    return;
  }
  if (thrown instanceof Refusal) {
    exchange.answer = thrown.answer();
    return;
  }
  if (thrown instanceof RouteError) exchange.codec ??= thrown.codec;
  const error = wordOf(parts, exchange, thrown instanceof RouteError ? thrown.error : thrown);
  if (error.status >= 500 && error.status !== 501 && error.status !== 503) logBug(parts, exchange, thrown);
  exchange.errorCode = error.code;
  try {
    exchange.answer = encodeError(parts, exchange, thrown instanceof RouteError ? thrown.service : undefined, error);
  } catch (broken) {
    logBug(parts, exchange, broken);
    exchange.answer = bareError(exchange.codec ?? 'restJson', internalFailure(broken), requestIdOf(parts, exchange), exchange.method);
  }
}

function wordOf(parts: GatewayParts, exchange: Exchange, thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown;
  if (!(thrown instanceof Overload)) return internalFailure(thrown);
  if (!exchange.codec) nameProtocol(parts, exchange);
  return throttlingOf(exchange.api?.service, exchange.codec);
}

/** Overload is met before routing: what the client speaks is found here, so that it understands the answer. */
function nameProtocol(parts: GatewayParts, exchange: Exchange): void {
  try {
    exchange.credential = claimedCredential(exchange.headers, exchange.query);
    const route = parts.router.route(exchange);
    if (route.kind !== 'api') return;
    exchange.api = route;
    exchange.codec = route.codec;
    exchange.service = parts.services.loaded(route.service);
  } catch (error) {
    if (error instanceof RouteError) exchange.codec = error.codec;
    else throw error;
  }
}

/** What a room's call of another room rejects with. */
export function failInside(parts: GatewayParts, call: Call, thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown;
  parts.platform.log.error({ err: thrown, operation: call.operation?.action, requestId: call.ctx?.requestId }, 'a call between services failed inside Croft');
  return internalFailure(thrown);
}

function encodeError(parts: GatewayParts, exchange: Exchange, named: string | undefined, error: AwsError) {
  const requestId = requestIdOf(parts, exchange);
  const service = exchange.service ?? (named === undefined ? undefined : parts.services.loaded(named));
  const codec = exchange.codec ?? 'restJson';
  const { method } = exchange;
  const queryMode = exchange.headers['x-amzn-query-mode'] === 'true';
  return service
    ? service.codec(codec).encodeError(exchange.operation?.model, error, { requestId, method, queryMode })
    : bareError(codec, error, requestId, method);
}

function requestIdOf(parts: GatewayParts, exchange: Exchange): string {
  return exchange.ctx?.requestId ?? parts.platform.ids.uuid();
}

function logBug(parts: GatewayParts, exchange: Exchange, thrown: unknown): void {
  parts.platform.log.error(
    { err: thrown, service: exchange.service?.index.service, operation: exchange.operation?.model.name, requestId: exchange.ctx?.requestId },
    'a request failed inside Croft',
  );
}
