import type { WireResponse } from '../../../protocol/wire.ts';
import { INTEGRATION_TIMEOUT_MS_DEFAULT, PAYLOAD_BYTES_MAX } from '../limits.ts';
import { GatewayError, integrationFailure, integrationTimeout, internalError } from './gateway-error.ts';
import { headerValues, type Invocation, templateScope } from './invocation.ts';
import { withStageVariables } from './lambda.ts';
import { remapped } from './lambda-proxy.ts';
import { mapResponse, requestBody, selectResponse } from './mapping.ts';
import { overridden } from './template.ts';

interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** "Set up HTTP integrations": the request to the backend, or what is mapped of it, and its answer. */
export async function http(call: Invocation): Promise<WireResponse> {
  const integration = call.method.methodIntegration ?? {};
  const proxy = integration.type === 'HTTP_PROXY';
  const body = proxy ? call.body : requestBody(call);
  // The template may override what was mapped, so it runs first.
  const mapped = mappedParameters(call);
  const url = targetUrl(call, mapped, proxy);
  const method = integration.httpMethod === 'ANY' || integration.httpMethod === undefined ? call.request.method : integration.httpMethod;
  const headers = requestHeaders(call, mapped.header, proxy);
  const answer = await exchange(url, { method, headers, body }, integration.timeoutInMillis ?? INTEGRATION_TIMEOUT_MS_DEFAULT);
  if (proxy) return passThrough(answer);
  const response = selectResponse(integration, String(answer.status));
  const flat = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
  return mapResponse(call, response, { body: answer.body, headers: flat });
}

/** Parameters of the integration request. */
export interface Mapped {
  readonly path: Record<string, string>;
  querystring: [string, string][];
  header: [string, string][];
}

/** Headers that no mapping may set; the calls that AWS signs have more of them. */
const RESERVED: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);
const RESERVED_BY_AWS: ReadonlySet<string> = new Set([...RESERVED, 'authorization', 'connection', 'expect', 'proxy-authenticate', 'te']);
/** Mapped headers that are left out: they belong to the connection. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'expect', 'keep-alive', 'proxy-authenticate', 'te', 'upgrade', 'via']);

/** Throws where the integration maps a reserved header. */
export function refuseReserved(call: Invocation): void {
  const { type, requestParameters } = call.method.methodIntegration ?? {};
  const reserved = type?.startsWith('AWS') ? RESERVED_BY_AWS : RESERVED;
  for (const name of Object.keys(requestParameters ?? {})) {
    const header = /^integration\.request\.header\.(.+)$/.exec(name)?.[1];
    if (header !== undefined && reserved.has(header.toLowerCase())) throw internalError(500);
  }
}

/** `integration.request.path|querystring|header.NAME` with the values that their expressions have. */
export function mappedParameters(call: Invocation): Mapped {
  refuseReserved(call);
  const scope = templateScope(call);
  const mapped: Mapped = { path: {}, querystring: [], header: [] };
  for (const [name, expression] of Object.entries(call.method.methodIntegration?.requestParameters ?? {})) {
    const match = /^integration\.request\.(path|querystring|header)\.(.+)$/.exec(name);
    const value = match ? scope.mapping(expression) : undefined;
    if (!match || value === undefined) continue;
    const key = match[2] ?? '';
    if (match[1] === 'path') mapped.path[key] = value;
    else mapped[match[1] as 'header' | 'querystring'].push([key, value]);
  }
  for (const [name, value] of overridden(call.overrides.request, 'path')) mapped.path[name] = value;
  for (const kind of ['header', 'querystring'] as const) {
    for (const [name, value] of overridden(call.overrides.request, kind)) {
      mapped[kind] = [...mapped[kind].filter(([other]) => other.toLowerCase() !== name.toLowerCase()), [name, value]];
    }
  }
  return mapped;
}

function targetUrl(call: Invocation, mapped: Mapped, proxy: boolean): string {
  const template = withStageVariables(call.method.methodIntegration?.uri ?? '', call.stage.variables);
  const filled = template.replace(/\{([^{}]+?)\+?\}/g, (_all, name: string) => mapped.path[name] ?? '');
  let url: URL;
  try {
    url = new URL(filled);
  } catch (cause) {
    throw integrationFailure(500, cause);
  }
  if (proxy) for (const [name, values] of call.query) for (const value of values) url.searchParams.append(name, value);
  for (const [name, value] of mapped.querystring) url.searchParams.append(name, value);
  return url.href;
}

function requestHeaders(call: Invocation, mapped: readonly [string, string][], proxy: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  if (proxy) {
    for (const [name, value] of call.headers) {
      if (/^(host|content-encoding|via)$/i.test(name)) continue;
      const lower = name.toLowerCase();
      headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
    }
  } else {
    const contentType = headerValues(call.headers, 'content-type').at(-1);
    headers['content-type'] = contentType ?? 'application/json';
    headers['accept'] = 'application/json';
    headers['user-agent'] = `AmazonAPIGateway_${call.apiId}`;
    headers['x-amzn-trace-id'] = headerValues(call.headers, 'x-amzn-trace-id').at(-1) ?? '';
  }
  headers['x-amzn-apigateway-api-id'] = call.apiId;
  for (const [name, value] of mapped) if (!HOP_BY_HOP.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  return headers;
}

async function exchange(url: string, request: { method: string; headers: Record<string, string>; body: Buffer }, timeoutMs: number): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    // Loaded by the first integration that needs it: most servers have none, and it is a third of what a start would load.
    const { default: undici } = await import('undici');
    const { statusCode, headers, body } = await undici.request(url, {
      method: request.method as 'GET',
      headers: request.headers,
      body: request.body.length > 0 && request.method !== 'GET' && request.method !== 'HEAD' ? request.body : null,
      signal,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > PAYLOAD_BYTES_MAX) throw integrationFailure(500);
      chunks.push(chunk);
    }
    return { status: statusCode, headers: headers as Record<string, string | string[]>, body: Buffer.concat(chunks) };
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (signal.aborted) throw integrationTimeout();
    throw integrationFailure(500, error);
  }
}

const DROPPED = new Set(['content-encoding', 'via', 'keep-alive']);

function passThrough(answer: HttpAnswer): WireResponse {
  const headers: Record<string, string> = {};
  const multiHeaders: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    const target = DROPPED.has(name) ? undefined : remapped(name);
    if (target === undefined) continue;
    if (Array.isArray(value)) multiHeaders[target] = value;
    else headers[target] = value;
  }
  return { status: answer.status, headers, multiHeaders, body: answer.body };
}
