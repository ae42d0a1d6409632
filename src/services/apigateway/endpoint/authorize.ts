import type { Authorizer } from '@aws-sdk/client-api-gateway';
import { formatArn } from '../../../kit/arn.ts';
import { AUTHORIZER_CACHE_MAX, AUTHORIZER_TTL_SECONDS_DEFAULT, INTEGRATION_TIMEOUT_MS_DEFAULT } from '../limits.ts';
import { GatewayError, missingAuthenticationToken, notBuilt, unauthorized } from './gateway-error.ts';
import { type Invocation, templateScope } from './invocation.ts';
import { callLambda, functionArnOf, withStageVariables } from './lambda.ts';
import { proxyEvent } from './lambda-proxy.ts';
import { matchesWhole } from './pattern.ts';
import { isAllowed } from './policy.ts';

interface Decision {
  readonly principalId: string;
  readonly policy: unknown;
  readonly context: Readonly<Record<string, string>>;
}

const authorizerFailure = (cause?: unknown) => new GatewayError('AUTHORIZER_CONFIGURATION_ERROR', 'AuthorizerConfigurationException', null, { cause });

/** Answers of Lambda authorizers, by authorizer and identity, until their time to live (virtual) ends. */
export class Authorizers {
  readonly #cache = new Map<string, { untilMs: number; decision: Decision }>();

  /** Lets the call through or throws the gateway's answer; what an authorizer says of the caller goes into the request context. */
  async check(call: Invocation): Promise<void> {
    switch (call.method.authorizationType ?? 'NONE') {
      case 'NONE':
        return;
      case 'CUSTOM':
        return this.#custom(call);
      case 'AWS_IAM':
        return identify(call);
      default:
        throw notBuilt(`Authorization by ${call.method.authorizationType}`);
    }
  }

  async #custom(call: Invocation): Promise<void> {
    const authorizer = call.deployment.snapshot.authorizers.find((row) => row.id === call.method.authorizerId);
    if (!authorizer) throw authorizerFailure();
    const methodArn = methodArnOf(call);
    const identity = identityOf(call, authorizer);
    const ttlMs = (authorizer.authorizerResultTtlInSeconds ?? AUTHORIZER_TTL_SECONDS_DEFAULT) * 1000;
    const nowMs = call.ctx.platform.clock.virtual();
    const cacheKey = JSON.stringify([call.apiId, call.stage.stageName, call.deployment.id, authorizer.id, identity]);
    const cached = ttlMs > 0 ? this.#cache.get(cacheKey) : undefined;
    const startedMs = call.ctx.platform.clock.mono();
    const decision = cached && cached.untilMs > nowMs ? cached.decision : await ask(call, authorizer, identity, methodArn);
    if (ttlMs > 0) this.#remember(cacheKey, { untilMs: nowMs + ttlMs, decision });
    const verdict = isAllowed(decision.policy, methodArn);
    if (verdict === undefined) throw authorizerFailure();
    if (verdict !== 'allow') {
      const message = `User is not authorized to access this resource${verdict === 'explicit-deny' ? ' with an explicit deny in an identity-based policy' : ''}`;
      throw new GatewayError('ACCESS_DENIED', 'AccessDeniedException', message, { capitalMessage: true });
    }
    const integrationLatency = Math.round(call.ctx.platform.clock.mono() - startedMs);
    call.context['authorizer'] = { ...decision.context, principalId: decision.principalId, integrationLatency };
  }

  #remember(key: string, value: { untilMs: number; decision: Decision }): void {
    this.#cache.set(key, this.#cache.get(key) ?? value);
    const existing = this.#cache.get(key);
    if (existing && existing.untilMs < value.untilMs && existing.decision !== value.decision) this.#cache.set(key, value);
    const oldest = this.#cache.keys().next().value;
    if (this.#cache.size > AUTHORIZER_CACHE_MAX && oldest !== undefined) this.#cache.delete(oldest);
  }
}

/** The signature has been checked like any other; what the caller's policies say is not evaluated yet, here as elsewhere. */
function identify(call: Invocation): void {
  const { principal } = call.ctx;
  if (principal.type === 'anonymous') throw missingAuthenticationToken();
  const { account: accountId, accessKeyId: accessKey, arn: userArn, userId } = principal;
  Object.assign(call.context.identity, { accountId, accessKey, userArn, caller: userId, user: userId });
}

function methodArnOf(call: Invocation): string {
  const path = call.path.replace(/^\//, '');
  return formatArn({ service: 'execute-api', ...call.scope, resource: `${call.apiId}/${call.stage.stageName}/${call.request.method}/${path}` });
}

/** Values of the identity sources; a missing one is answered without asking the authorizer. */
function identityOf(call: Invocation, authorizer: Authorizer): string[] {
  const scope = templateScope(call);
  const sources = (authorizer.identitySource ?? '').split(',').map((source) => source.trim());
  const values = sources.filter((source) => source !== '').map((source) => scope.mapping(source));
  if (values.some((value) => !value)) throw unauthorized();
  const [token = ''] = values.map((value) => value ?? '');
  const expression = authorizer.identityValidationExpression;
  if (authorizer.type === 'TOKEN' && expression && !matchesWhole(expression, token)) throw unauthorized();
  return values.map((value) => value ?? '');
}

async function ask(call: Invocation, authorizer: Authorizer, identity: readonly string[], methodArn: string): Promise<Decision> {
  const functionArn = functionArnOf(withStageVariables(authorizer.authorizerUri ?? '', call.stage.variables));
  if (functionArn === undefined) throw authorizerFailure();
  const { body: _body, isBase64Encoded: _encoded, ...event } = proxyEvent(call);
  const input = authorizer.type === 'TOKEN' ? { type: 'TOKEN', methodArn, authorizationToken: identity[0] ?? '' } : { type: 'REQUEST', methodArn, ...event };
  const answer = await callLambda(call, functionArn, JSON.stringify(input), INTEGRATION_TIMEOUT_MS_DEFAULT).catch((cause: unknown) => {
    throw authorizerFailure(cause);
  });
  let value: unknown;
  try {
    value = JSON.parse(answer.payload);
  } catch (cause) {
    throw authorizerFailure(cause);
  }
  if (typeof value !== 'object' || value === null) throw authorizerFailure();
  const members = value as Record<string, unknown>;
  // A function says 401 by failing with this one word.
  if (answer.functionError) throw members['errorMessage'] === 'Unauthorized' ? unauthorized() : authorizerFailure();
  const context = members['context'] ?? {};
  if (typeof members['principalId'] !== 'string' || typeof context !== 'object' || context === null) throw authorizerFailure();
  const entries = Object.entries(context);
  if (entries.some(([, item]) => typeof item === 'object' && item !== null)) throw authorizerFailure();
  return {
    principalId: members['principalId'],
    policy: members['policyDocument'],
    context: Object.fromEntries(entries.map(([name, item]) => [name, String(item)])),
  };
}
