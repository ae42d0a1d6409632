import { parseArn } from '../../../kit/arn.ts';
import { formatTrace } from '../../../kit/trace.ts';
import { DeliveryError } from '../domain/failures.ts';
import { checkAnswer, exchange, fillPath } from './http.ts';
import type { Sending } from './send.ts';

/** "API Gateway REST API" as a target: `arn:aws:execute-api:region:account:api/stage/METHOD/path`, called at this server's own port. */
export async function toApiGateway({ platform, attempt, payload, input }: Sending, arn: string): Promise<void> {
  const parsed = parseArn(arn);
  const [api, stage, method, ...rest] = parsed?.resource.split('/') ?? [];
  if (!parsed || !api || !stage || !method) throw new DeliveryError({ code: 'INVALID_PARAMETER', message: `${arn} names no method of an API.`, retry: false });
  const { PathParameterValues, HeaderParameters = {}, QueryStringParameters = {} } = payload.target.HttpParameters ?? {};
  const { scheme, port } = platform.address();
  // A path ends in a slash, as recorded.
  const path = fillPath(rest.filter((part) => part !== '').join('/'), PathParameterValues);
  const url = new URL(`${scheme}://127.0.0.1:${port}/${stage}/${path === '' ? '' : `${path}/`}`);
  for (const [name, value] of Object.entries(QueryStringParameters)) url.searchParams.append(name, value);
  const answer = await exchange({
    url: url.href,
    method: method === '*' ? 'POST' : method,
    headers: {
      ...HeaderParameters,
      'Content-Type': 'application/json',
      Host: `${api}.execute-api.${parsed.region}.amazonaws.com`,
      'User-Agent': 'Amazon/EventBridge/APIGateway',
      'X-Amz-Source-Account': attempt.account,
      'X-Amz-Source-Arn': payload.ruleArn,
      'X-Amzn-Trace-Id': payload.traceHeader ?? formatTrace(attempt.trace),
    },
    body: input,
    own: scheme === 'https',
  });
  checkAnswer(answer);
}
