import { isIPv4 } from 'node:net';
import type { Exchange } from './exchange.ts';
import { hostnameOf, readHost } from './hosts.ts';
import type { ResolvedOptions } from './parts.ts';
import { Refusal } from './refusal.ts';

/** Whether a host name or address is this machine's own. */
export function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (name.startsWith('127.') && isIPv4(name));
}

/** Names that only ever mean this machine, whoever asks. `amazonaws.com` is here because nobody but AWS can point it anywhere. */
const OWN_DOMAINS = ['.localhost', '.localhost.localstack.cloud', '.amazonaws.com', '.amazonaws.com.cn'] as const;

function isOwnName(name: string): boolean {
  return isLoopback(name) || name === 'localhost.localstack.cloud' || OWN_DOMAINS.some((domain) => name.endsWith(domain));
}

/**
 * With auth off anybody who can open a connection may do anything, so what a web page from elsewhere could send is refused: a Host that
 * is not ours (DNS rebinding), a foreign Origin, and what a browser marks as cross-site. Throws {@link Refusal} with a sentence.
 * Answers the CORS preflights of pages that are allowed.
 */
export function refuseForeign(options: ResolvedOptions, exchange: Exchange): void {
  const { headers } = exchange;
  const host = headers['host'];
  if (host !== undefined && !knownHost(options, host)) {
    throw refusal(`the Host ${JSON.stringify(host)} is not this server's; use localhost, *.localhost or *.localhost.localstack.cloud`);
  }
  // The bucket's owner lets the page in.
  if (exchange.bucketCors === 'allows') return;
  const origin = headers['origin'];
  const site = headers['sec-fetch-site'];
  if (origin === undefined && (site === undefined || site === 'same-origin' || site === 'same-site' || site === 'none')) return;
  // Functions are called by web pages, and answer by CORS rules of their own.
  if (isFunctionEndpoint(exchange)) return;
  if (origin === undefined) throw refusal('a web page from another site must not call a cloud that verifies nothing');
  // No browser sends anything but `null` or scheme://host: this is some other client.
  if (origin !== 'null' && !origin.includes('://')) return;
  if (!isKnownOrigin(options, origin)) {
    throw refusal(`the web page at ${JSON.stringify(origin)} must not call a cloud that verifies nothing; pages of localhost may`);
  }
  // A bucket with rules of its own is read by the pages that these allow.
  if (exchange.bucketCors === 'silent') return;
  exchange.corsHeaders = corsHeaders(origin, headers);
  if (exchange.method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
    exchange.answer = { status: 204, headers: { ...exchange.corsHeaders }, body: '' };
  }
}

/** Whether the request names this server by a name that only this server has. */
export function hasKnownHost(options: ResolvedOptions, exchange: Exchange): boolean {
  const host = exchange.headers['host'];
  return host === undefined || knownHost(options, host);
}

const hosts = new Map<string, boolean>();
const HOSTS_MAX = 1000;

function knownHost(options: ResolvedOptions, host: string): boolean {
  let known = hosts.get(host);
  if (known === undefined) {
    known = isOwnName(hostnameOf(host));
    if (hosts.size >= HOSTS_MAX) hosts.clear();
    hosts.set(host, known);
  }
  return known || options.allowedHosts.includes(hostnameOf(host));
}

/** Whether a web page of `origin` is one of this machine's, or of those that were let in. */
export function isKnownOrigin(options: ResolvedOptions, origin: string): boolean {
  if (options.allowedOrigins.includes(origin)) return true;
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false;
  const name = hostnameOf(new URL(origin).host);
  return isLoopback(name) || name.endsWith('.localhost') || name === 'localhost.localstack.cloud' || name.endsWith('.localhost.localstack.cloud');
}

function isFunctionEndpoint(exchange: Exchange): boolean {
  return (
    readHost(exchange.host).endpoint !== undefined ||
    exchange.path.startsWith('/_aws/execute-api/') ||
    /^\/restapis\/[^/]+\/[^/]+\/_user_request_(\/|$)/.test(exchange.path)
  );
}

function corsHeaders(origin: string, headers: Exchange['headers']): Record<string, string> {
  const cors: Record<string, string> = {
    'Access-Control-Allow-Origin': origin,
    Vary: 'Origin',
    'Access-Control-Expose-Headers': '*, ETag, x-amzn-requestid, x-amz-request-id, x-amz-version-id',
  };
  if (headers['access-control-request-method'] === undefined) return cors;
  cors['Access-Control-Allow-Methods'] = 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS';
  cors['Access-Control-Allow-Headers'] = headers['access-control-request-headers'] ?? '*';
  cors['Access-Control-Max-Age'] = '600';
  return cors;
}

function refusal(sentence: string): Refusal {
  return new Refusal(403, 'Forbidden', `${sentence}. Start Croft with --auth verify to serve others.`);
}
