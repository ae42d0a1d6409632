import { refuseForeign } from '../browser.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';

/** Bounds what is under way, and keeps web pages from elsewhere out while nothing is verified. */
export function admit(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  if (parts.options.auth === 'off') refuseForeign(parts.options, exchange);
  if (exchange.answer) return undefined;
  const waiting = parts.admission.enter();
  if (waiting === undefined) {
    exchange.admitted = true;
    return undefined;
  }
  return waiting.then(() => {
    exchange.admitted = true;
  });
}
