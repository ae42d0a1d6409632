import type { Principal } from '../../identity/principal.ts';
import { queryParameter } from '../../identity/scope.ts';
import { parseTrace } from '../../kit/trace.ts';
import { ClientGone } from '../body.ts';
import { CallContext } from '../context.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayParts } from '../parts.ts';
import { verify } from '../verify.ts';

/** Who calls, in which region; with them the call's context is made. */
export function authenticate(parts: GatewayParts, exchange: Exchange): Promise<void> | void {
  if (parts.options.auth === 'verify') return verify(parts, exchange).then((principal) => enter(parts, exchange, principal));
  const claimed = exchange.credential;
  if (!claimed) return enter(parts, exchange, parts.callers.anonymous);
  const token = exchange.headers['x-amz-security-token'] ?? (claimed.source === 'query' ? queryParameter(exchange.query, 'X-Amz-Security-Token') : undefined);
  const principal = parts.callers.presume(claimed.accessKeyId, token);
  if (principal instanceof Promise) return principal.then((found) => enter(parts, exchange, found));
  return enter(parts, exchange, principal);
}

function enter(parts: GatewayParts, exchange: Exchange, principal: Principal): void {
  const region = regionOf(parts, exchange);
  exchange.principal = principal;
  exchange.region = region;
  const { headers } = exchange;
  const ctx = new CallContext(
    parts.contexts,
    { account: principal.account, region, principal, service: exchange.service?.index.service ?? exchange.endpoint?.endpoint ?? 'croft' },
    {
      http: new HttpFacts(exchange),
      cause: headers['x-amzn-trace-id'] === undefined ? undefined : parseTrace(headers['x-amzn-trace-id']),
    },
  );
  exchange.ctx = ctx;
  if (exchange.clientGone) ctx.abort(new ClientGone());
}

/** Region names are part of keys and ARNs: anything that is not shaped like a name is not used. */
const REGION = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;

function regionOf(parts: GatewayParts, exchange: Exchange): string {
  const scope = exchange.credential?.region;
  const region = scope || exchange.api?.region || exchange.endpoint?.region || parts.options.region;
  if (region === 'aws-global') return 'us-east-1';
  return REGION.test(region) ? region : parts.options.region;
}

/** `ctx.http`, without work until something is asked for. */
class HttpFacts {
  readonly #exchange: Exchange;
  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }
  get host(): string {
    return this.#exchange.host;
  }
  get sourceIp(): string {
    return this.#exchange.sourceIp;
  }
  get userAgent(): string {
    return this.#exchange.headers['user-agent'] ?? '';
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#exchange.headers;
  }
}
