import { AwsError } from '../../../kit/errors.ts';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { Ctx, EndpointRequest, HttpEndpoint, Platform } from '../../service.ts';
import { PAYLOAD_BYTES_MAX } from '../limits.ts';
import { checkApiKey } from './api-key.ts';
import { Authorizers } from './authorize.ts';
import { Deployments, type LiveStage } from './deployments.ts';
import { configurationError, errorAnswer, forbidden, GatewayError, internalError, missingAuthenticationToken, tooLarge } from './gateway-error.ts';
import { http } from './http.ts';
import { forwardedHeaders, headerValues, type Invocation, parseQuery, type RequestContext, requestTime, templateScope, traceHeaderOf } from './invocation.ts';
import { lambdaCustom } from './lambda-custom.ts';
import { lambdaProxy } from './lambda-proxy.ts';
import { mock } from './mock.ts';
import { newOverrides } from './template.ts';
import { validateRequest } from './validate.ts';

/** The data plane: requests to deployed stages. */
export class ExecuteApi {
  readonly #deployments: Deployments;
  readonly #authorizers = new Authorizers();

  constructor(platform: Platform) {
    this.#deployments = new Deployments(platform.store);
  }

  close(): void {
    this.#deployments.close();
  }

  readonly handle: HttpEndpoint = async (ctx, request) => {
    const requestId = ctx.requestId;
    const extendedRequestId = `${ctx.platform.ids.text(15, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')}=`;
    const ids = { 'x-amzn-RequestId': requestId, 'x-amz-apigw-id': extendedRequestId };
    let call: Invocation | undefined;
    let live: LiveStage | undefined;
    try {
      const { stageName, path } = stageOf(request);
      const found = stageName === '' ? 'stage' : await this.#deployments.find(request.id, stageName);
      if (found === 'api' || found === 'stage') throw forbidden();
      live = chosen(ctx, found);
      call = routeCall(ctx, request, live, stageName, path, extendedRequestId);
      ctx.meter('Requests', 1);
      await this.#authorizers.check(call);
      await checkApiKey(call);
      validateRequest(call);
      const answer = await integrate(call);
      return { ...answer, headers: { ...answer.headers, ...ids, ...traceOf(call), ...connectionOf(request) } };
    } catch (error) {
      return failure(ctx, error, ids, call, live);
    }
  };
}

/** Functions have a trace of their own below the caller's; it is told whole. */
function traceOf(call: Invocation): Record<string, string> {
  const { type } = call.method.methodIntegration ?? {};
  if (type === 'MOCK') return {};
  const forwarded = headerValues(call.headers, 'x-amzn-trace-id').at(-1) ?? '';
  const isLambda = type === 'AWS_PROXY';
  const parent = !isLambda || /Parent=/.test(forwarded) ? '' : `;Parent=${call.ctx.platform.ids.text(16, '0123456789abcdef')}`;
  const sampled = !isLambda || /Sampled=/.test(forwarded) ? '' : ';Sampled=0';
  return { 'X-Amzn-Trace-Id': `${forwarded}${parent}${sampled}` };
}

/** Said as AWS says it: else node:http adds a Keep-Alive header that AWS does not send. */
function connectionOf(request: EndpointRequest): Record<string, string> {
  return request.httpVersion === '1.1' && !/close/i.test(request.headers['connection'] ?? '') ? { Connection: 'keep-alive' } : {};
}

/** Whether a request goes to the canary is drawn for each; a draw is one of ten thousand. */
function chosen(ctx: Ctx, live: LiveStage): LiveStage {
  const { canary } = live;
  if (!canary || Number(ctx.platform.ids.text(4, '0123456789')) >= canary.percent * 100) return live;
  return { ...live, stage: canary.stage, deployment: canary.deployment, isCanary: true };
}

/** The stage is named by the path forms; else it is the first segment, however many slashes come before it. */
function stageOf(request: EndpointRequest): { stageName: string; path: string } {
  if (request.stage !== undefined && request.stage !== '') return { stageName: request.stage, path: request.path };
  const match = /^\/*([^/]*)(\/.*)?$/s.exec(request.path);
  return { stageName: match?.[1] ?? '', path: match?.[2] ?? '/' };
}

function routeCall(ctx: Ctx, request: EndpointRequest, live: LiveStage, stageName: string, below: string, extendedRequestId: string): Invocation {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (body.length > PAYLOAD_BYTES_MAX) throw tooLarge();
  const path = below.replace(/^\/{2,}/, '/');
  const trimmed = path.length > 1 ? path.replace(/\/$/, '') : path;
  const segments = trimmed === '/' ? [] : trimmed.slice(1).split('/');
  const match = live.deployment.router.match(segments, request.method);
  if (!match) throw missingAuthenticationToken();
  const call = {
    ...match,
    ctx,
    scope: live.scope,
    apiId: request.id,
    stage: live.stage,
    deployment: live.deployment,
    ...(live.canary ? { isCanary: live.isCanary ?? false } : {}),
    request,
    path,
    query: parseQuery(request.query),
    headers: forwardedHeaders(request, traceHeaderOf(ctx, request)),
    body,
  };
  return { ...call, overrides: newOverrides(), context: requestContext(ctx, call, `/${stageName}${below}`, extendedRequestId) };
}

function requestContext(ctx: Ctx, call: Omit<Invocation, 'context' | 'overrides'>, path: string, extendedRequestId: string): RequestContext {
  const { request, resource, method } = call;
  const nowMs = ctx.platform.clock.virtual();
  // The path forms are reached under the server's own name: an API has one of its own. The port stays: it is needed to come back.
  const domainName = request.host.startsWith(`${request.id}.`) ? request.host : `${request.id}.execute-api.localhost.localstack.cloud`;
  return {
    resourceId: resource.id,
    resourcePath: resource.path,
    ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
    httpMethod: request.method,
    extendedRequestId,
    requestTime: requestTime(nowMs),
    path,
    accountId: call.scope.account,
    protocol: `HTTP/${request.httpVersion}`,
    stage: call.stage.stageName,
    domainPrefix: request.id,
    requestTimeEpoch: nowMs,
    requestId: ctx.requestId,
    identity: {
      cognitoIdentityPoolId: null,
      accountId: null,
      cognitoIdentityId: null,
      caller: null,
      sourceIp: request.sourceIp,
      principalOrgId: null,
      accessKey: null,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      userArn: null,
      userAgent: headerValues(call.headers, 'user-agent').at(-1) ?? null,
      user: null,
    },
    domainName,
    deploymentId: call.deployment.id,
    apiId: request.id,
  };
}

/** Runs a method's integration; throws {@link GatewayError}. */
export async function integrate(call: Invocation): Promise<WireResponse> {
  switch (call.method.methodIntegration?.type) {
    case 'AWS_PROXY':
      return lambdaProxy(call);
    case 'AWS':
      return lambdaCustom(call);
    case 'MOCK':
      return mock(call);
    case 'HTTP':
    case 'HTTP_PROXY':
      return http(call);
    default:
      throw configurationError();
  }
}

function failure(ctx: Ctx, error: unknown, ids: Record<string, string>, call: Invocation | undefined, live: LiveStage | undefined): WireResponse {
  const known = call
    ? { snapshot: call.deployment.snapshot, scope: templateScope(call) }
    : live
      ? { snapshot: live.deployment.snapshot, scope: emptyScope(ctx, live) }
      : undefined;
  const expected = error instanceof GatewayError ? error : internalError(500, error);
  if (!(error instanceof GatewayError) && !(error instanceof AwsError)) ctx.platform.log.error({ err: error }, 'a request to an API failed');
  try {
    return errorAnswer(expected, ids, known);
  } catch {
    // The API's own template for this answer cannot be evaluated: the plain form says at least what happened.
    return errorAnswer(expected, ids);
  }
}

/** What a gateway response's template sees when no method was found. */
function emptyScope(ctx: Ctx, live: LiveStage) {
  const context = { requestId: ctx.requestId, stage: live.stage.stageName, apiId: live.deployment.snapshot.api.id, accountId: live.scope.account };
  return {
    context,
    stageVariables: live.stage.variables ?? {},
    body: '',
    overrides: newOverrides(),
    params: { path: {}, querystring: {}, header: {} },
    param: () => undefined,
    mapping: (expression: string) =>
      /^'(.*)'$/s.exec(expression)?.[1] ?? (expression.startsWith('context.') ? (context as Record<string, string>)[expression.slice(8)] : undefined),
  };
}
