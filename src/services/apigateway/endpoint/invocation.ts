import { newTrace } from '../../../kit/trace.ts';
import type { Ctx, EndpointRequest } from '../../service.ts';
import type { Scope, StageRow } from '../domain/types.ts';
import type { Compiled } from './deployments.ts';
import { jsonPath } from './json-path.ts';
import type { Match } from './router.ts';
import type { Overrides, TemplateScope } from './template.ts';

/** Everything known of one request to a deployed API. */
export interface Invocation extends Match {
  readonly ctx: Ctx;
  readonly scope: Scope;
  readonly apiId: string;
  readonly stage: StageRow;
  readonly deployment: Compiled;
  readonly request: EndpointRequest;
  /** Below the stage, one leading slash, percent-encoded. */
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** As they are passed on: hop-by-hop headers dropped, forwarding headers added. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly context: RequestContext;
  readonly overrides: Overrides;
  /** Present where the stage has a canary: whether this request goes to it. */
  readonly isCanary?: boolean;
}

/** `requestContext` of a proxy event; authorizers add to it. */
export type RequestContext = Record<string, unknown> & { requestId: string; identity: Record<string, unknown> };

/** Never passed on to an integration. */
const DROPPED = new Set([
  'connection',
  'content-length',
  'content-md5',
  'expect',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-connection',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
  'x-amzn-trace-id',
  'x-forwarded-for',
  'x-forwarded-port',
  'x-forwarded-proto',
]);
/** AWS writes these its own way whatever the client did; every other name keeps its case. */
const CANONICAL: Readonly<Record<string, string>> = { authorization: 'Authorization', 'user-agent': 'User-Agent', host: 'Host' };

export function forwardedHeaders(request: EndpointRequest, trace: string): [string, string][] {
  const headers: [string, string][] = [];
  for (const [name, value] of request.rawHeaders) {
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower)) headers.push([CANONICAL[lower] ?? name, value]);
  }
  const before = request.headers['x-forwarded-for'];
  const port = /:(\d+)$/.exec(request.host)?.[1] ?? (request.scheme === 'https' ? '443' : '80');
  headers.push(['X-Amzn-Trace-Id', trace]);
  headers.push(['X-Forwarded-For', before ? `${before}, ${request.sourceIp}` : request.sourceIp]);
  headers.push(['X-Forwarded-Port', port], ['X-Forwarded-Proto', request.scheme]);
  return headers;
}

/** Values of a header, whatever its case. */
export function headerValues(headers: Invocation['headers'], name: string): string[] {
  const lower = name.toLowerCase();
  return headers.filter(([n]) => n.toLowerCase() === lower).map(([, value]) => value);
}

/** Percent and plus decoded; a malformed escape stands for itself. */
export function parseQuery(query: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const mark = pair.indexOf('=');
    const name = decodePlus(mark === -1 ? pair : pair.slice(0, mark));
    const list = values.get(name) ?? [];
    list.push(mark === -1 ? '' : decodePlus(pair.slice(mark + 1)));
    values.set(name, list);
  }
  return values;
}

function decodePlus(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Not well-formed: kept as it came.
    return spaced;
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `21/Nov/2026:21:05:21 +0000`, Common Log Format. */
export function requestTime(atMs: number): string {
  const d = new Date(atMs);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(d.getUTCDate())}/${MONTHS[d.getUTCMonth()]}/${d.getUTCFullYear()}:${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} +0000`;
}

/** The trace that the client sent, or this request's own. */
export function traceHeaderOf(ctx: Ctx, request: EndpointRequest): string {
  const sent = request.headers['x-amzn-trace-id'] ?? '';
  const match = /Root=1-[0-9a-f]{8}-[0-9a-f]{24}/.exec(sent);
  if (!match) return `Root=${ctx.trace.root ?? newTrace(ctx.platform.ids, ctx.platform.clock.virtual()).root}`;
  const [parent, sampled] = [/Parent=[0-9a-f]{16}/.exec(sent), /Sampled=[01?]/.exec(sent)];
  return [match[0], ...(parent ?? []), ...(sampled ?? [])].join(';');
}

/** The last of each name's values, as the single-valued maps of an event have it. */
export function lastOf(values: ReadonlyMap<string, readonly string[]>): Record<string, string> | null {
  return values.size === 0 ? null : Object.fromEntries([...values].map(([name, list]) => [name, list.at(-1) ?? '']));
}

/** Header names grouped whatever their case, under the first one seen. */
export function headerMap(headers: Invocation['headers']): Map<string, string[]> {
  const byLower = new Map<string, [string, string[]]>();
  for (const [name, value] of headers) {
    const found = byLower.get(name.toLowerCase());
    if (found) found[1].push(value);
    else byLower.set(name.toLowerCase(), [name, [value]]);
  }
  return new Map(byLower.values());
}

/** What templates and mapping expressions see of a request. */
export function templateScope(call: Invocation): TemplateScope {
  const body = call.body.toString('utf8');
  const mapping = (expression: string): string | undefined => {
    const literal = /^'(.*)'$/s.exec(expression);
    if (literal) return literal[1];
    const [first, ...rest] = expression.split('.');
    if (first === 'context')
      return asText(
        rest.reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined), call.context),
      );
    if (first === 'stageVariables') return call.stage.variables?.[rest.join('.')];
    const match = /^method\.request\.(path|querystring|header|multivaluequerystring|multivalueheader|body)(?:\.(.+))?$/s.exec(expression);
    const name = match?.[2] ?? '';
    switch (match?.[1]) {
      case 'path':
        return call.pathParameters[name];
      case 'querystring':
        return call.query.get(name)?.at(-1);
      case 'multivaluequerystring':
        return call.query.get(name)?.join(',');
      case 'header':
        return headerValues(call.headers, name).at(-1);
      case 'multivalueheader':
        return headerValues(call.headers, name).join(',') || undefined;
      case 'body':
        return name === '' ? body : asText(jsonPath(body, `$.${name}`));
      default:
        return undefined;
    }
  };
  return {
    context: call.isCanary === undefined ? call.context : { ...call.context, isCanaryRequest: String(call.isCanary) },
    stageVariables: call.stage.variables ?? {},
    body,
    overrides: call.overrides,
    params: { path: call.pathParameters, querystring: lastOf(call.query) ?? {}, header: lastOf(headerMap(call.headers)) ?? {} },
    param: (name) => call.pathParameters[name] ?? call.query.get(name)?.at(-1) ?? headerValues(call.headers, name).at(-1),
    mapping,
  };
}

function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
