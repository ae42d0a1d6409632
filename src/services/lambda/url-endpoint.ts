import { AwsError } from '../../kit/errors.ts';
import { decodeJson } from '../../kit/json.ts';
import { formatTrace } from '../../kit/trace.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import type { Ctx, EndpointRequest, HttpEndpoint } from '../service.ts';
import { corsHeaders, preflight, responseHead, urlEvent, urlResponse } from './domain/function-url.ts';
import { urlAllowed } from './domain/url-policy.ts';
import type { LambdaRoom } from './functions.ts';
import { SYNC_PAYLOAD_BYTES_MAX } from './limits.ts';
import { invokeTarget } from './operations/target.ts';
import { getPolicyRowAt, keys, type UrlRow } from './store.ts';
import { chunksOf, runStreaming, type StreamedAnswer } from './streaming.ts';

const FORBIDDEN =
  '{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}';
const JSON_TYPE = { 'Content-Type': 'application/json' };

const BROKEN: WireResponse = { status: 502, headers: JSON_TYPE, body: 'Internal Server Error' };
/** What `awslambda.HttpResponseStream` marks its answers with. */
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response';
const HEAD_END = Buffer.alloc(8);
const HEAD_BYTES_MAX = 65_536;

/** Requests to functions' URLs; "Invoking Lambda function URLs". */
export function createUrlEndpoint(room: LambdaRoom, { verify = false }: { readonly verify?: boolean } = {}): HttpEndpoint {
  return async (ctx, request) => {
    const value = await ctx.platform.store.get(keys.urlId(request.id));
    if (!value) return refusal('AccessDeniedException', 403, '{"Message":null}');
    const row = decodeJson<UrlRow>(value);
    const asked = preflight(row.cors, request);
    if (asked) return asked;
    const cors = corsHeaders(row.cors, request.headers['origin']);
    const allowed = !verify || (await isAllowed(ctx, row));
    const answer = allowed ? await answerOf(ctx, room, row, request) : refusal('AccessDeniedException', 403, FORBIDDEN);
    return {
      ...answer,
      headers: { ...withoutCors(answer.headers, row), ...cors, 'x-amzn-RequestId': ctx.requestId, 'x-amzn-Trace-Id': formatTrace(ctx.trace) },
    };
  };
}

/** What the function's policy says, where callers are known. */
async function isAllowed({ platform, principal }: Ctx, row: UrlRow): Promise<boolean> {
  const caller = principal.type === 'anonymous' || row.authType !== 'AWS_IAM' ? undefined : principal;
  const policy = await getPolicyRowAt(platform.store, keys.policy(row, row.name, row.qualifier));
  return urlAllowed(policy?.statements ?? [], row.authType, row.account, caller);
}

async function answerOf(ctx: Ctx, room: LambdaRoom, row: UrlRow, request: EndpointRequest): Promise<WireResponse> {
  const { platform, principal, trace, requestId } = ctx;
  const signed = principal.type !== 'anonymous';
  if (row.authType === 'AWS_IAM' && !signed) return refusal('AccessDeniedException', 403, FORBIDDEN);
  const event = urlEvent({ request, requestId, trace, nowMs: platform.clock.virtual(), ...(row.authType === 'AWS_IAM' ? { caller: principal } : {}) });
  const payload = Buffer.from(JSON.stringify(event), 'utf8');
  if (payload.length > SYNC_PAYLOAD_BYTES_MAX) return refusal('RequestEntityTooLargeException', 413, '{"Message":"Request body is too large"}');
  const own = platform.contextFor({ account: row.account, region: row.region, principal, trace, service: 'lambda' });
  try {
    const target = await invokeTarget(own, room, row.name, row.qualifier || undefined);
    if (row.invokeMode === 'RESPONSE_STREAM') return await streamedResponse(await runStreaming(room.runner, own, { ...target, payload, requestId }));
    const result = await room.runner.run(own, { ...target, payload, requestId });
    const answer = result.functionError ? undefined : urlResponse(result.payload);
    return answer ?? BROKEN;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'ResourceNotFoundException') return refusal('AccessDeniedException', 403, FORBIDDEN);
    if (error.name === 'TooManyRequestsException')
      return refusal(error.name, 429, JSON.stringify({ ...(error instanceof AwsError ? error.members : {}), message: error.message }));
    throw error;
  }
}

/** An answer that is passed on as it comes; its head, where the function sends one, comes first and ends in eight zero bytes. */
async function streamedResponse({ body, contentType, result }: StreamedAnswer): Promise<WireResponse> {
  if (!body) {
    const { payload, functionError } = await result;
    return functionError ? BROKEN : { status: 200, headers: { 'Content-Type': 'application/octet-stream' }, body: payload };
  }
  // The stream's own end says the same; nobody else waits for this.
  result.catch(() => undefined);
  const chunks = chunksOf(body);
  if (contentType !== HTTP_INTEGRATION) return { status: 200, headers: { 'Content-Type': contentType || 'application/octet-stream' }, body: chunks };
  let head = Buffer.alloc(0);
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head = Buffer.concat([head, next.value]);
    const end = head.indexOf(HEAD_END);
    if (end < 0 && head.length <= HEAD_BYTES_MAX) continue;
    const fields = end < 0 ? undefined : parsed(head.subarray(0, end));
    const said = fields && responseHead(fields);
    if (said) return { ...said, body: continued(head.subarray(end + HEAD_END.length), chunks) };
    await chunks.return(undefined);
    return BROKEN;
  }
  return BROKEN;
}

async function* continued(first: Buffer, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function parsed(json: Buffer): Record<string, unknown> | undefined {
  try {
    const fields: unknown = JSON.parse(json.toString('utf8'));
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Where the URL has rules of its own, the function's are not heard. */
function withoutCors(headers: Record<string, string>, row: UrlRow): Record<string, string> {
  if (!row.cors) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('access-control-')));
}

function refusal(type: string, status: number, body: string): WireResponse {
  return { status, headers: { ...JSON_TYPE, 'x-amzn-ErrorType': type }, body };
}
