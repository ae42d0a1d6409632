import { formatTrace, type Trace } from '../../../kit/trace.ts';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { EndpointRequest } from '../../service.ts';
import type { UrlCors } from '../store.ts';

/** What the event says of the request beside the request itself. */
export interface UrlCall {
  readonly request: EndpointRequest;
  readonly requestId: string;
  readonly trace: Trace;
  /** Virtual time. */
  readonly nowMs: number;
  /** Who signed the request, where the URL asks for that. */
  readonly caller?: { readonly account: string; readonly accessKeyId: string; readonly arn: string; readonly userId: string };
}

/** Headers of one connection: not the function's. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'proxy-connection', 'cookie']);
const TEXT_TYPE = /^(text\/|application\/(json|javascript|xml|graphql)|[^;]+\+(json|xml))/i;

/** Where a function's URL is served. */
export function urlOf(id: string, region: string, { scheme, port }: { readonly scheme: string; readonly port: number }): string {
  return `${scheme}://${id}.lambda-url.${region}.localhost.localstack.cloud:${port}/`;
}

/** The event of payload format 2.0; "Invoking Lambda function URLs", "Request payload format". */
export function urlEvent({ request, requestId, trace, nowMs, caller }: UrlCall): Record<string, unknown> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const cookies = request.headers['cookie']?.split(/;\s*/);
  const query = parametersOf(request.query);
  const isText = TEXT_TYPE.test(request.headers['content-type'] ?? '');
  const path = decodedPath(request.path);
  const domainName = request.host.replace(/:\d+$/, '');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: request.query,
    ...(cookies ? { cookies } : {}),
    headers: headersOf(request, trace),
    ...(Object.keys(query).length > 0 ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: caller?.account ?? 'anonymous',
      apiId: request.id,
      ...(caller ? { authorizer: { iam: authorizerOf(caller) } } : {}),
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: commonLogTime(nowMs),
      timeEpoch: nowMs,
    },
    ...(body.length > 0 ? { body: body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/** As recorded: slashes that lead are one, and what is percent-encoded is decoded, where it can be. */
function decodedPath(path: string): string {
  const single = path.replace(/^\/{2,}/, '/');
  try {
    return decodeURIComponent(single);
  } catch {
    return single;
  }
}

function authorizerOf(caller: NonNullable<UrlCall['caller']>): Record<string, unknown> {
  return {
    accessKey: caller.accessKeyId,
    accountId: caller.account,
    callerId: caller.userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: caller.arn,
    userId: caller.userId,
  };
}

/** Names in lower case, repeated ones joined, what the front door knows added. */
function headersOf(request: EndpointRequest, trace: Trace): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [rawName, value] of request.rawHeaders) {
    const name = rawName.toLowerCase();
    if (HOP_BY_HOP.has(name)) continue;
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return {
    ...headers,
    'x-amzn-trace-id': formatTrace(trace),
    'x-forwarded-for': request.sourceIp,
    'x-forwarded-port': /:(\d+)$/.exec(request.host)?.[1] ?? (request.scheme === 'https' ? '443' : '80'),
    'x-forwarded-proto': request.scheme,
  };
}

function parametersOf(query: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    parameters[name] = parameters[name] === undefined ? value : `${parameters[name]},${value}`;
  }
  return parameters;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000`. */
function commonLogTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** What the function's answer says of the response; undefined where it cannot be one. "Response payload format". */
export function urlResponse(payload: Buffer): WireResponse | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  const fields = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  if (fields['statusCode'] === undefined) {
    const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(body, 'utf8') };
  }
  const head = responseHead(fields);
  if (!head) return undefined;
  const { body } = fields;
  const text = body === undefined || body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  return { ...head, body: Buffer.from(text, fields['isBase64Encoded'] === true ? 'base64' : 'utf8') };
}

/** Status, headers and cookies, as buffered answers and the head of streamed ones say them. */
export function responseHead(fields: Readonly<Record<string, unknown>>): Omit<WireResponse, 'body'> | undefined {
  const status = Number(fields['statusCode'] ?? 200);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((fields['headers'] ?? {}) as Record<string, unknown>)) {
    // A name or value that HTTP cannot carry would be a fault of ours on the wire.
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(String(value))) return undefined;
    if (!HOP_BY_HOP.has(name.toLowerCase()) && name.toLowerCase() !== 'content-length') headers[name] = String(value);
  }
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) headers['Content-Type'] = 'application/json';
  const cookies = Array.isArray(fields['cookies']) ? fields['cookies'].map(String) : [];
  return { status, headers, ...(cookies.length > 0 ? { multiHeaders: { 'Set-Cookie': cookies } } : {}) };
}

/** What the URL's own configuration adds to every answer; it wins over what the function says. "Cross-origin resource sharing (CORS)". */
export function corsHeaders(cors: UrlCors | undefined, origin: string | undefined): Record<string, string> {
  if (!cors || origin === undefined) return {};
  const origins = cors.AllowOrigins ?? [];
  if (!origins.some((allowed) => allowed === '*' || sameOrigin(allowed, origin))) return {};
  return {
    'Access-Control-Allow-Origin': origins.includes('*') && !cors.AllowCredentials ? '*' : origin,
    ...(cors.AllowCredentials ? { 'Access-Control-Allow-Credentials': 'true' } : {}),
    ...(cors.ExposeHeaders?.length ? { 'Access-Control-Expose-Headers': cors.ExposeHeaders.join(',') } : {}),
    Vary: 'Origin',
  };
}

/** One pattern of an origin may have a wildcard before its host: `https://*.example.com`. */
function sameOrigin(allowed: string, origin: string): boolean {
  if (!allowed.includes('*')) return allowed.toLowerCase() === origin.toLowerCase();
  const [before = '', after = ''] = allowed.toLowerCase().split('*', 2);
  const text = origin.toLowerCase();
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

/** The answer to a browser's question before the request, given without the function. */
export function preflight(cors: UrlCors | undefined, request: EndpointRequest): WireResponse | undefined {
  if (!cors || request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return undefined;
  const allowed = corsHeaders(cors, request.headers['origin']);
  const headers = {
    ...allowed,
    ...(Object.keys(allowed).length > 0
      ? {
          ...(cors.AllowMethods?.length ? { 'Access-Control-Allow-Methods': cors.AllowMethods.join(',') } : {}),
          ...(cors.AllowHeaders?.length ? { 'Access-Control-Allow-Headers': cors.AllowHeaders.join(',') } : {}),
          ...(cors.MaxAge === undefined ? {} : { 'Access-Control-Max-Age': String(cors.MaxAge) }),
        }
      : {}),
  };
  return { status: 200, headers, body: '' };
}
