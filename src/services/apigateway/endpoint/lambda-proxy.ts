import type { WireResponse } from '../../../protocol/wire.ts';
import { INTEGRATION_TIMEOUT_MS_DEFAULT } from '../limits.ts';
import { configurationError, integrationFailure, internalError } from './gateway-error.ts';
import { refuseReserved } from './http.ts';
import { headerMap, headerValues, type Invocation, lastOf } from './invocation.ts';
import { callLambda, functionArnOf, withStageVariables } from './lambda.ts';

/** "Set up Lambda proxy integrations in API Gateway": the event in, the `{ statusCode, headers, body }` out. */
export async function lambdaProxy(call: Invocation): Promise<WireResponse> {
  const integration = call.method.methodIntegration ?? {};
  // The function is called by POST whatever the client's method; anything else is a broken configuration.
  if (integration.httpMethod !== 'POST') throw integrationFailure(500);
  refuseReserved(call);
  const functionArn = functionArnOf(withStageVariables(integration.uri ?? '', call.stage.variables));
  if (functionArn === undefined) throw configurationError();
  const { payload, functionError } = await callLambda(
    call,
    functionArn,
    JSON.stringify(proxyEvent(call)),
    integration.timeoutInMillis ?? INTEGRATION_TIMEOUT_MS_DEFAULT,
  );
  const response = functionError ? undefined : proxyResponse(payload);
  if (!response) throw internalError(502);
  return toWire(call, response);
}

/** The event, every member in its place even where it is null. */
export function proxyEvent(call: Invocation): Record<string, unknown> {
  const headers = headerMap(call.headers);
  const isBinary = call.body.length > 0 && matchesMediaType(headerValues(call.headers, 'content-type').at(-1), call.deployment.snapshot.api.binaryMediaTypes);
  return {
    resource: call.resource.path,
    path: call.path,
    httpMethod: call.request.method,
    headers: lastOf(headers),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: lastOf(call.query),
    multiValueQueryStringParameters: call.query.size === 0 ? null : Object.fromEntries(call.query),
    pathParameters: Object.keys(call.pathParameters).length === 0 ? null : call.pathParameters,
    stageVariables: call.stage.variables && Object.keys(call.stage.variables).length > 0 ? call.stage.variables : null,
    requestContext: call.context,
    body: call.body.length === 0 ? null : call.body.toString(isBinary ? 'base64' : 'utf8'),
    isBase64Encoded: isBinary,
  };
}

/** A media type against an API's binary types: exact, of a kind (`image/*`), or any. The first of several counts. */
export function matchesMediaType(value: string | undefined, types: readonly string[] | undefined): boolean {
  if (!types || types.length === 0) return false;
  if (types.includes('*/*')) return true;
  const type = (value ?? '').split(/[,;]/)[0]?.trim().toLowerCase() ?? '';
  // A star counts on the right only.
  return types.some(
    (wanted) => !wanted.startsWith('*') && (wanted.toLowerCase() === type || (wanted.endsWith('/*') && type.startsWith(wanted.slice(0, -1).toLowerCase()))),
  );
}

interface ProxyResponse {
  readonly statusCode: number;
  /** In order, multi-valued ones first where both name a header. */
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

const MEMBERS = new Set(['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded']);

const isScalar = (value: unknown): value is string | number | boolean => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** The function's answer, undefined where it is malformed: no object, empty, a member that is not known, or one of the wrong kind. */
export function proxyResponse(payload: string): ProxyResponse | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    // Not JSON: malformed, as the caller says.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const members = value as Record<string, unknown>;
  const names = Object.keys(members);
  if (names.length === 0 || names.some((name) => !MEMBERS.has(name))) return undefined;
  const statusCode = statusOf(members['statusCode']);
  const headers = headersOf(members['headers'], members['multiValueHeaders']);
  const body = members['body'] ?? '';
  const encoded = members['isBase64Encoded'] ?? false;
  if (statusCode === undefined || headers === undefined || !isScalar(body) || !isScalar(encoded)) return undefined;
  return { statusCode, headers, body: String(body), isBase64Encoded: String(encoded) === 'true' };
}

/** A number or its text; 200 where there is none. */
function statusOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return 200;
  if (typeof value !== 'number' && !(typeof value === 'string' && /^\d{3}$/.test(value))) return undefined;
  const status = Number(value);
  return Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined;
}

/** The multi-valued header decides how a name is written and comes first; the single value is added to it. */
function headersOf(single: unknown, multi: unknown): [string, string[]][] | undefined {
  const merged = new Map<string, [string, string[]]>();
  const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (multi !== undefined && multi !== null) {
    if (!isMap(multi)) return undefined;
    for (const [name, values] of Object.entries(multi)) {
      if (!Array.isArray(values) || !values.every(isScalar)) return undefined;
      merged.set(name.toLowerCase(), [name, values.map(String)]);
    }
  }
  if (single !== undefined && single !== null) {
    if (!isMap(single)) return undefined;
    for (const [name, value] of Object.entries(single)) {
      if (!isScalar(value)) return undefined;
      const found = merged.get(name.toLowerCase());
      if (found && !found[1].includes(String(value))) found[1].push(String(value));
      else if (!found) merged.set(name.toLowerCase(), [name, [String(value)]]);
    }
  }
  return [...merged.values()];
}

function toWire(call: Invocation, response: ProxyResponse): WireResponse {
  const accepted = matchesMediaType(headerValues(call.headers, 'accept').at(-1), call.deployment.snapshot.api.binaryMediaTypes);
  const headers: Record<string, string> = {};
  const multiHeaders: Record<string, readonly string[]> = {};
  for (const [name, values] of response.headers) {
    if (!isToken(name) || values.some((value) => !isFieldValue(value))) throw internalError(502);
    const target = remapped(name);
    if (target === undefined) continue;
    const [first] = values;
    if (values.length === 1 && first !== undefined) headers[target] = first;
    else multiHeaders[target] = values;
  }
  if (!response.headers.some(([name]) => name.toLowerCase() === 'content-type')) headers['Content-Type'] = 'application/json';
  return {
    status: response.statusCode,
    headers,
    multiHeaders,
    body: response.isBase64Encoded && accepted ? fromBase64(response.body) : response.body,
  };
}

/** Throws the gateway's 500 where the text is no Base64. */
export function fromBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(text)) throw internalError(500);
  return Buffer.from(text, 'base64');
}

/** Whether it can be a header's name. */
export const isToken = (name: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
/** Whether it can be a header's value. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: HTTP field values exclude exactly these
export const isFieldValue = (value: string): boolean => !/[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(value);

/** "Amazon API Gateway important notes", headers of answers. */
const REMAPPED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'expect',
  'host',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'trailer',
  'upgrade',
  'user-agent',
  'www-authenticate',
]);

/** Headers that the gateway sets itself come through under another name; `Transfer-Encoding` not at all. */
export function remapped(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower === 'transfer-encoding') return undefined;
  return REMAPPED.has(lower) ? `x-amzn-Remapped-${name}` : name;
}
