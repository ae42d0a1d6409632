import type { EndpointKind, EndpointRequest, HttpEndpoint } from '../../services/service.ts';
import { answerAdminRequest } from '../admin/admin.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { jsonAnswer } from '../refusal.ts';
import { giveBackPlace } from './admit.ts';

/** Hands a request to the room that answers such endpoints. */
export async function answerEndpoint(parts: GatewayParts, exchange: Exchange): Promise<void> {
  const { endpoint, ctx } = exchange;
  if (!endpoint || !ctx) throw new Error('no endpoint to answer');
  giveBackPlace(parts, exchange);
  const handler = handlerOf(parts, endpoint.endpoint);
  exchange.answer = handler
    ? await handler(ctx, endpointRequest(exchange, endpoint))
    : jsonAnswer(404, { message: `no service here answers ${endpoint.endpoint} requests` });
}

function handlerOf(parts: GatewayParts, kind: EndpointKind): HttpEndpoint | undefined {
  for (const room of parts.rooms) {
    const handler = room.endpoints?.[kind];
    if (handler) return handler;
  }
  return undefined;
}

function endpointRequest(exchange: Exchange, endpoint: NonNullable<Exchange['endpoint']>): EndpointRequest {
  const { request } = exchange;
  if (exchange.streamed) exchange.sendContinue();
  const rawHeaders: [string, string][] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) rawHeaders.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '']);
  return {
    method: exchange.method,
    path: endpoint.path,
    query: exchange.query,
    headers: exchange.headers,
    body: exchange.streamed ? request : exchange.body,
    id: endpoint.id,
    ...(endpoint.stage === undefined ? {} : { stage: endpoint.stage }),
    rawHeaders,
    host: exchange.host,
    scheme: exchange.scheme,
    httpVersion: request.httpVersion,
    sourceIp: exchange.sourceIp,
  };
}

/** Croft's own API. */
export async function answerAdmin(parts: GatewayParts, exchange: Exchange): Promise<void> {
  exchange.answer = await answerAdminRequest(parts, exchange);
}
