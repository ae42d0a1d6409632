import type { TestInvokeMethodCommandInput, TestInvokeMethodResponse } from '@aws-sdk/client-api-gateway';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { Ctx, EndpointRequest, Operation } from '../../service.ts';
import type { ApiSnapshot, Method, ResourceRow, StageRow } from '../domain/types.ts';
import { errorAnswer, GatewayError, internalError } from '../endpoint/gateway-error.ts';
import { integrate } from '../endpoint/index.ts';
import { type Invocation, lastOf, parseQuery, templateScope } from '../endpoint/invocation.ts';
import { compileRouter } from '../endpoint/router.ts';
import { newOverrides } from '../endpoint/template.ts';
import { validateRequest } from '../endpoint/validate.ts';
import { methodNotFound, resourceNotFound } from '../errors.ts';
import { keys, rangeOf, txSnapshot } from '../store.ts';

const STAGE_NAME = 'test-invoke-stage';

/** "TestInvokeMethod": the method as it is now, not as it was deployed, without authorizers and API keys. */
export const testInvokeMethod: Operation<TestInvokeMethodCommandInput, TestInvokeMethodResponse> = async (ctx, input) => {
  const { snapshot, resource, method } = await find(ctx, input);
  const [path = '', query = ''] = (input.pathWithQueryString || resource.path).split(/\?(.*)/s);
  const headers = Object.entries(input.multiValueHeaders ?? {}).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  for (const [name, value] of Object.entries(input.headers ?? {})) headers.push([name, value]);
  const call = invocation(ctx, input, { snapshot, resource, method, path, query, headers });
  const startedMs = ctx.platform.clock.mono();
  const log = [
    `Starting execution for request: ${ctx.requestId}`,
    `HTTP Method: ${input.httpMethod}, Resource Path: ${path}`,
    `Method request path: ${javaMap(call.pathParameters)}`,
    `Method request query string: ${javaMap(lastOf(call.query) ?? {})}`,
    `Method request headers: ${javaMap(Object.fromEntries(headers))}`,
    `Method request body before transformations: ${input.body ?? ''}`,
  ];
  const answer = await run(call, log);
  log.push(`Method completed with status: ${answer.status}`);
  const at = utc(ctx.platform.clock.virtual());
  const multiValueHeaders: Record<string, string[]> = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, [value]]));
  for (const [name, values] of Object.entries(answer.multiHeaders ?? {})) multiValueHeaders[name] = [...values];
  return {
    status: answer.status,
    body: Buffer.isBuffer(answer.body) ? answer.body.toString('utf8') : String(answer.body),
    headers: Object.fromEntries(Object.entries(multiValueHeaders).map(([name, values]) => [name, values.at(-1) ?? ''])),
    multiValueHeaders,
    log: `Execution log for request ${ctx.requestId}\n${log.map((line) => `${at} : ${line}\n`).join('')}`,
    latency: Math.round(ctx.platform.clock.mono() - startedMs),
  };
};

async function find(ctx: Ctx, input: TestInvokeMethodCommandInput): Promise<{ snapshot: ApiSnapshot; resource: ResourceRow; method: Method }> {
  const apiId = input.restApiId ?? '';
  const ranges = (['resource', 'model', 'validator', 'authorizer', 'gatewayResponse'] as const).map((part) => rangeOf(keys.parts(ctx, apiId, part)));
  return ctx.platform.store.transact({ reads: [keys.api(ctx, apiId)], ranges }, (tx) => {
    if (!tx.get(keys.api(ctx, apiId))) throw resourceNotFound();
    const snapshot = txSnapshot(tx, ctx, apiId);
    const resource = snapshot.resources.find((row) => row.id === input.resourceId);
    if (!resource) throw resourceNotFound();
    const method = resource.methods[input.httpMethod ?? ''];
    if (!method) throw methodNotFound();
    return { snapshot, resource, method };
  });
}

interface Given {
  readonly snapshot: ApiSnapshot;
  readonly resource: ResourceRow;
  readonly method: Method;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
}

function invocation(ctx: Ctx, input: TestInvokeMethodCommandInput, given: Given): Invocation {
  const apiId = given.snapshot.api.id;
  const nowMs = ctx.platform.clock.virtual();
  const httpMethod = input.httpMethod === 'ANY' ? 'GET' : (input.httpMethod ?? 'GET');
  const body = Buffer.from(input.body ?? '', 'utf8');
  const stage: StageRow = { stageName: STAGE_NAME, deploymentId: '', variables: input.stageVariables, createdMs: nowMs, updatedMs: nowMs };
  const request: EndpointRequest = {
    id: apiId,
    method: httpMethod,
    path: given.path,
    query: given.query,
    headers: Object.fromEntries(given.headers.map(([name, value]) => [name.toLowerCase(), value])),
    rawHeaders: given.headers,
    body,
    host: 'testPrefix.testDomainName',
    scheme: 'https',
    httpVersion: '1.1',
    sourceIp: 'test-invoke-source-ip',
  };
  const { account, accessKeyId, arn, userId } = ctx.principal;
  return {
    resource: given.resource,
    method: given.method,
    pathParameters: pathParameters(given.resource.path, given.path),
    ctx,
    scope: { account: ctx.account, region: ctx.region },
    apiId,
    stage,
    deployment: { id: '', snapshot: given.snapshot, router: compileRouter(given.snapshot) },
    request,
    path: given.path,
    query: parseQuery(given.query),
    headers: given.headers,
    body,
    overrides: newOverrides(),
    context: {
      resourceId: given.resource.id,
      resourcePath: given.resource.path,
      httpMethod,
      requestId: ctx.requestId,
      path: given.path,
      accountId: ctx.account,
      protocol: 'HTTP/1.1',
      stage: STAGE_NAME,
      domainName: 'testPrefix.testDomainName',
      domainPrefix: 'testPrefix',
      requestTimeEpoch: nowMs,
      apiId,
      identity: {
        accountId: account,
        accessKey: accessKeyId,
        userArn: arn,
        caller: userId,
        user: userId,
        sourceIp: 'test-invoke-source-ip',
        userAgent: ctx.http?.userAgent ?? null,
      },
    },
  };
}

/** Values for the resource's parameters; none where the path has another form, which a test may have. */
function pathParameters(template: string, path: string): Record<string, string> {
  const [wanted, given] = [template.split('/'), path.replace(/(.)\/$/, '$1').split('/')];
  const found: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const name = /^\{(.+?)(\+?)\}$/.exec(part);
    const value = given[i];
    if (value === undefined || (!name && part !== value)) return {};
    if (name?.[2]) return { ...found, [name[1] ?? '']: given.slice(i).join('/') };
    if (name) found[name[1] ?? ''] = value;
  }
  return given.length === wanted.length ? found : {};
}

async function run(call: Invocation, log: string[]): Promise<WireResponse> {
  try {
    validateRequest(call);
    const answer = await integrate(call);
    log.push(
      `Method response body after transformations: ${String(answer.body)}`,
      `Method response headers: ${javaMap(answer.headers)}`,
      'Successfully completed execution',
    );
    return answer;
  } catch (error) {
    const expected = error instanceof GatewayError ? error : internalError(500, error);
    if (!(error instanceof GatewayError)) call.ctx.platform.log.error({ err: error }, 'a test invocation failed');
    log.push(`Execution failed due to configuration error: ${expected.cause instanceof Error ? expected.cause.message : expected.message}`);
    const answer = errorAnswer(expected, {}, { snapshot: call.deployment.snapshot, scope: templateScope(call) });
    const { 'Content-Type': _type, ...headers } = answer.headers;
    return { ...answer, headers };
  }
}

const javaMap = (map: Readonly<Record<string, string>>): string =>
  `{${Object.entries(map)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')}}`;

/** `Sat Nov 21 21:05:21 UTC 2026`. */
function utc(atMs: number): string {
  const [weekday = '', day = '', month = '', year = '', time = ''] = new Date(atMs).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
