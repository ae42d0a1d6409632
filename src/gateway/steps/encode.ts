import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';

/** The output becomes the protocol's wire form. */
export function encode(_parts: GatewayParts, exchange: Exchange): void {
  const { operation, service, codec, ctx, method } = exchange;
  if (!operation || !service || !codec || !ctx) throw new Error('encode without an operation');
  const answer = service.codec(codec).encode(operation.model, exchange.output, { requestId: ctx.requestId, method });
  exchange.answer = operation.entry?.respond ? operation.entry.respond(ctx, exchange.output, answer) : answer;
}
