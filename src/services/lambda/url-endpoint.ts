import { decodeJson } from '../../kit/json.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import type { Ctx, EndpointRequest, HttpEndpoint } from '../service.ts';
import { corsHeaders, preflight, urlEvent, urlResponse } from './domain/function-url.ts';
import type { LambdaRoom } from './functions.ts';
import { SYNC_PAYLOAD_BYTES_MAX } from './limits.ts';
import { invokeTarget } from './operations/target.ts';
import { keys, type UrlRow } from './store.ts';

const FORBIDDEN =
  '{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}';
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Requests to functions' URLs; "Invoking Lambda function URLs". */
export function createUrlEndpoint(room: LambdaRoom): HttpEndpoint {
  return async (ctx, request) => {
    const value = await ctx.platform.store.get(keys.urlId(request.id));
    if (!value) return refusal('AccessDeniedException', 403, '{"Message":null}');
    const row = decodeJson<UrlRow>(value);
    const asked = preflight(row.cors, request);
    if (asked) return asked;
    const cors = corsHeaders(row.cors, request.headers['origin']);
    const answer = await answerOf(ctx, room, row, request);
    return { ...answer, headers: { ...withoutCors(answer.headers, row), ...cors, 'x-amzn-RequestId': ctx.requestId } };
  };
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
    const result = await room.runner.run(own, { ...target, payload, requestId });
    const answer = result.functionError ? undefined : urlResponse(result.payload);
    return answer ?? { status: 502, headers: JSON_TYPE, body: 'Internal Server Error' };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'ResourceNotFoundException') return refusal('AccessDeniedException', 403, FORBIDDEN);
    if (error.name === 'TooManyRequestsException')
      return refusal(error.name, 429, JSON.stringify({ Reason: 'ConcurrentInvocationLimitExceeded', Type: 'User', message: error.message }));
    throw error;
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
