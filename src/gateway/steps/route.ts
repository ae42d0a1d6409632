import { claimedCredential } from '../../identity/scope.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { type ApiRoute, RouteError, unknownOperation } from '../route.ts';
import type { LoadedService } from '../services.ts';

/** Names service, protocol and operation as far as the head tells. */
export function route(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  exchange.credential = claimedCredential(exchange.headers, exchange.query);
  const found = parts.router.route(exchange);
  exchange.route = found;
  if (found.kind === 'endpoint') {
    exchange.endpoint = found;
    if (found.endpoint === 's3-form' || found.endpoint === 's3-website') exchange.codec = 'restXml';
  }
  if (found.kind !== 'api') return undefined;
  exchange.api = found;
  exchange.codec = found.codec;
  if (found.service === '') return undefined;
  const loaded = parts.services.loaded(found.service);
  if (loaded) return enterService(exchange, found, loaded);
  return parts.services.load(found.service).then((service) => enterService(exchange, found, service));
}

function unknown(api: ApiRoute, { room }: LoadedService): RouteError {
  const error = unknownOperation(api.codec, api.operation);
  const code = api.operation === undefined ? undefined : room?.wording?.unknownOperationCode;
  const message = api.operation !== undefined && api.codec === 'awsQuery' ? room?.wording?.unknownOperationMessage?.(api.operation) : undefined;
  if (message !== undefined) return new RouteError(new AwsError(code ?? error.code, message, { status: error.status }), api.codec, api.service);
  return new RouteError(code === undefined ? error : new AwsError(code, error.message, { status: error.status }), api.codec, api.service);
}

/** Finds the operation in the service, unless its name is still to come with the body. */
export function enterService(exchange: Exchange, api: ApiRoute, service: LoadedService): void {
  exchange.service = service;
  if (api.operation !== undefined) {
    exchange.operation = service.operation(api.operation);
    if (!exchange.operation) throw unknown(api, service);
    return;
  }
  switch (api.codec) {
    case 'restJson':
    case 'restXml': {
      const model = service.rest({ method: exchange.method, path: api.path ?? exchange.path, query: exchange.query, headers: exchange.headers });
      exchange.operation = model && service.operation(model.name);
      if (!exchange.operation) throw unknown(api, service);
      return;
    }
    case 'awsJson1_0':
    case 'awsJson1_1':
    case 'rpcv2Cbor':
      throw unknown(api, service);
    default:
  }
}
