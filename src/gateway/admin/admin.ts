import type { WireResponse } from '../../protocol/wire.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { jsonAnswer, Refusal } from '../refusal.ts';

/** Answers one admin request; throws {@link Refusal}. */
export async function answerAdminRequest(parts: GatewayParts, exchange: Exchange): Promise<WireResponse> {
  if (exchange.path === '/_croft/health' || exchange.path === '/_localstack/health') {
    const services = Object.fromEntries(parts.rooms.map((room) => [room.name, 'running']));
    return jsonAnswer(200, { services, edition: 'croft', version: parts.admin.version });
  }
  throw new Refusal(404, 'NotFound', `there is nothing at ${exchange.path}`);
}
