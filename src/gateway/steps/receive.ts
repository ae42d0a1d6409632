import { queryParameter } from '../../identity/scope.ts';
import type { EndpointKind } from '../../services/service.ts';
import { collect } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { RouteError, unknownOperation } from '../route.ts';
import { enterService } from './route.ts';

/** Endpoints whose bodies may be of any size. */
const STREAMED: ReadonlySet<EndpointKind> = new Set(['s3-form', 'registry']);

/** The body, whole, unless the operation streams it. A query protocol's body then says what is asked for. */
export function receive(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  // Only S3 lets a body be signed before it is known: elsewhere its hash is part of the signature, and so all of it is needed first.
  exchange.streamed = exchange.operation?.streams === true && (parts.options.auth === 'off' || exchange.codec === 'restXml');
  if (exchange.endpoint && STREAMED.has(exchange.endpoint.endpoint)) exchange.streamed = true;
  if (exchange.streamed) return undefined;
  const body = collect(exchange, parts.options.maxBodyBytes);
  return body instanceof Promise ? body.then((whole) => received(parts, exchange, whole)) : received(parts, exchange, body);
}

function received(parts: GatewayParts, exchange: Exchange, body: Buffer): Promise<void> | void {
  exchange.body = body;
  if (exchange.api && !exchange.operation) return nameQueryOperation(parts, exchange, exchange.api.service);
  return undefined;
}

async function nameQueryOperation(parts: GatewayParts, exchange: Exchange, routed: string): Promise<void> {
  const { api } = exchange;
  if (!api) return;
  const text = exchange.body.toString('latin1');
  const action = queryParameter(text, 'Action') ?? queryParameter(exchange.query, 'Action');
  const version = queryParameter(text, 'Version') ?? queryParameter(exchange.query, 'Version');
  const service = routed !== '' ? routed : parts.router.byQueryBody(action, version);
  if (service === undefined || action === undefined || action === '') throw new RouteError(unknownOperation(api.codec, action), api.codec, service);
  const named = { ...api, service, operation: action };
  exchange.api = named;
  enterService(exchange, named, parts.services.loaded(service) ?? (await parts.services.load(service)));
}
