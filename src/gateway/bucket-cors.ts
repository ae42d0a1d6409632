import { claimedCredential } from '../identity/scope.ts';
import { hostId } from '../protocol/restXml.ts';
import type { BucketCorsVerdict } from '../services/service.ts';
import { hasKnownHost, isKnownOrigin } from './browser.ts';
import type { Exchange } from './exchange.ts';
import { readHost } from './hosts.ts';
import type { GatewayParts } from './parts.ts';
import { RouteError } from './route.ts';

/**
 * Lets the bucket that a web page asks decide by its own CORS rules, before the gateway's guard: answers preflights, and marks the requests that the
 * rules allow. Undefined where no bucket has to be asked, which is nearly always.
 */
export function askBucket(parts: GatewayParts, exchange: Exchange): Promise<void> | undefined {
  const isPreflight = exchange.method === 'OPTIONS';
  if (exchange.headers['origin'] === undefined && !isPreflight) return undefined;
  // A name that is not ours is a page's trick to look like one of our own: the guard says so.
  if (parts.options.auth === 'off' && !hasKnownHost(parts.options, exchange)) return undefined;
  const target = bucketOf(parts, exchange);
  const room = target && parts.rooms.find(({ name }) => name === 's3');
  if (!target || !room?.cors) return undefined;
  const { headers, method } = exchange;
  return room.cors(parts.platform, { ...target, method, origin: headers['origin'], headers }).then((verdict) => apply(parts, exchange, target, verdict));
}

interface Target {
  readonly bucket: string;
  readonly hasKey: boolean;
}

async function apply(parts: GatewayParts, exchange: Exchange, target: Target, verdict: BucketCorsVerdict): Promise<void> {
  const origin = exchange.headers['origin'];
  const isTrusted = parts.options.auth === 'verify' || (origin !== undefined && isKnownOrigin(parts.options, origin));
  if (verdict.headers && (isTrusted || staysWithObjects(exchange, target))) {
    exchange.bucketCors = 'allows';
    exchange.corsHeaders = verdict.headers;
    exchange.codec = 'restXml';
    if (exchange.method === 'OPTIONS') exchange.answer = { status: 200, headers: { ...idHeaders(parts), ...verdict.headers }, body: '' };
    return;
  }
  // Without rules, pages of this machine are let in as everywhere else.
  if (!verdict.configured && origin !== undefined && parts.options.auth === 'off' && isKnownOrigin(parts.options, origin)) return;
  exchange.bucketCors = 'silent';
  if (exchange.method !== 'OPTIONS' || verdict.headers) return;
  exchange.codec = 'restXml';
  exchange.service = parts.services.loaded('s3') ?? (await parts.services.load('s3'));
  throw verdict.refusal;
}

/**
 * Where nothing is verified, a bucket's rules open its objects to foreign pages, not its configuration, and no other bucket through a copy: on AWS the
 * page would need credentials for that.
 */
function staysWithObjects({ method, headers }: Exchange, { hasKey }: Target): boolean {
  if (headers['x-amz-copy-source'] !== undefined) return false;
  const asked = method === 'OPTIONS' ? headers['access-control-request-method'] : method;
  return hasKey || asked === 'GET' || asked === 'HEAD' || asked === 'POST';
}

function idHeaders(parts: GatewayParts): Record<string, string> {
  const requestId = parts.platform.ids.uuid();
  return { Server: 'AmazonS3', 'x-amz-request-id': requestId, 'x-amz-id-2': hostId(requestId) };
}

/** The bucket of a request that is S3's. */
function bucketOf(parts: GatewayParts, exchange: Exchange): Target | undefined {
  const host = readHost(exchange.host);
  if (host.endpoint === 's3-website' && host.id) return { bucket: host.id, hasKey: exchange.path !== '/' };
  if (exchange.path.startsWith('/_')) return undefined;
  exchange.credential = claimedCredential(exchange.headers, exchange.query);
  const path = s3Path(parts, exchange);
  const [, bucket = '', ...key] = path?.split('/') ?? [];
  // Queues' URLs, too, are asked about before a query's or header's service is known.
  if (bucket === '' || /^\d{12}$/.test(bucket)) return undefined;
  return { bucket, hasKey: key.join('/') !== '' };
}

function s3Path(parts: GatewayParts, exchange: Exchange): string | undefined {
  try {
    const route = parts.router.route(exchange);
    if (route.kind === 'endpoint') return route.endpoint === 's3-form' ? `/${route.id}` : undefined;
    return route.kind === 'api' && route.service === 's3' ? (route.path ?? exchange.path) : undefined;
  } catch (error) {
    if (error instanceof RouteError) return undefined;
    throw error;
  }
}
