import { AwsError } from '../../kit/errors.ts';
import { ClientGone } from '../body.ts';
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
  const error = wordOf(exchange, thrown instanceof RouteError ? thrown.error : thrown);
  if (error.status >= 500 && error.status !== 501 && error.status !== 503) logBug(parts, exchange, thrown);
  exchange.errorCode = error.code;
  try {
    exchange.answer = encodeError(parts, exchange, thrown instanceof RouteError ? thrown.service : undefined, error);
  } catch (broken) {
    logBug(parts, exchange, broken);
    exchange.answer = bareError(exchange.codec ?? 'restJson', internalFailure(broken), requestIdOf(parts, exchange), exchange.method);
  }
}

function wordOf(exchange: Exchange, thrown: unknown): AwsError {
  if (!(thrown instanceof AwsError)) return internalFailure(thrown);
  const { service, codec, operation } = exchange;
  // The platform's own throttling, not a room's.
  if (thrown.code === 'ThrottlingException' && !operation) return throttlingOf(service?.index.service, codec);
  return thrown;
}

function encodeError(parts: GatewayParts, exchange: Exchange, named: string | undefined, error: AwsError) {
  const requestId = requestIdOf(parts, exchange);
  const service = exchange.service ?? (named === undefined ? undefined : parts.services.loaded(named));
  const codec = exchange.codec ?? 'restJson';
  const { method } = exchange;
  return service ? service.codec(codec).encodeError(exchange.operation?.model, error, { requestId, method }) : bareError(codec, error, requestId, method);
}

export function requestIdOf(parts: GatewayParts, exchange: Exchange): string {
  return exchange.ctx?.requestId ?? parts.platform.ids.uuid();
}

function logBug(parts: GatewayParts, exchange: Exchange, thrown: unknown): void {
  parts.platform.log.error(
    { err: thrown, service: exchange.service?.index.service, operation: exchange.operation?.model.name, requestId: exchange.ctx?.requestId },
    'a request failed inside Croft',
  );
}
