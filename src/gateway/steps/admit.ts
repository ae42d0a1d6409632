import { refuseForeign } from '../browser.ts';
import { askBucket } from '../bucket-cors.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';

/** Bounds what is under way, and keeps web pages from elsewhere out while nothing is verified. */
export function admit(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  const asking = askBucket(parts, exchange);
  return asking ? asking.then(() => enter(parts, exchange)) : enter(parts, exchange);
}

function enter(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  // What of Croft's own API answers this machine only is never for web pages from elsewhere.
  if (parts.options.auth === 'off' || (exchange.path.startsWith('/_croft/') && exchange.path !== '/_croft/health')) refuseForeign(parts.options, exchange);
  // An overloaded process must still say how it is.
  if (exchange.answer || exchange.path === '/metrics' || /^\/_(croft|localstack)\//.test(exchange.path)) return undefined;
  const waiting = parts.admission.enter();
  if (waiting === undefined) {
    exchange.admitted = true;
    return undefined;
  }
  return waiting.then(() => {
    exchange.admitted = true;
  });
}

/** Work that waits for something else (a function, a message) is bounded there: it holds no place among the requests that keep this process busy. */
export function giveBackPlace(parts: GatewayParts, exchange: Exchange): void {
  if (!exchange.admitted) return;
  exchange.admitted = false;
  parts.admission.leave();
}
