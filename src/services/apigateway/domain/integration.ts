import type { Integration, IntegrationResponse, PutIntegrationRequest } from '@aws-sdk/client-api-gateway';
import { parseArn } from '../../../kit/arn.ts';
import { badRequest } from '../errors.ts';
import { INTEGRATION_TIMEOUT_MS_DEFAULT, INTEGRATION_TIMEOUT_MS_MIN } from '../limits.ts';
import { asBoolean, compact, invalidPath, type Patch, patchList, patchMap } from './patch.ts';

/** An integration as PutIntegration makes it, its target checked. */
export function newIntegration(request: PutIntegrationRequest, resourceId: string): Integration {
  const type = request.type;
  if (type !== 'MOCK') {
    if (!request.integrationHttpMethod) throw badRequest('Enumeration value for HttpMethod must be non-empty');
    checkUri(type, request.uri ?? '');
  }
  return compact({
    type,
    httpMethod: type === 'MOCK' ? undefined : request.integrationHttpMethod,
    uri: type === 'MOCK' ? undefined : request.uri,
    connectionType: request.connectionType ?? (type === 'HTTP' || type === 'HTTP_PROXY' ? 'INTERNET' : undefined),
    connectionId: request.connectionId,
    credentials: request.credentials,
    requestParameters: request.requestParameters,
    requestTemplates: request.requestTemplates,
    passthroughBehavior: request.passthroughBehavior ?? 'WHEN_NO_MATCH',
    contentHandling: request.contentHandling,
    timeoutInMillis: timeout(request.timeoutInMillis ?? INTEGRATION_TIMEOUT_MS_DEFAULT),
    cacheNamespace: request.cacheNamespace ?? resourceId,
    cacheKeyParameters: request.cacheKeyParameters ?? [],
    tlsConfig: request.tlsConfig,
  });
}

function timeout(value: number): number {
  if (!Number.isInteger(value) || value < INTEGRATION_TIMEOUT_MS_MIN || value > INTEGRATION_TIMEOUT_MS_DEFAULT) {
    throw badRequest(`Timeout should be between ${INTEGRATION_TIMEOUT_MS_MIN} ms and ${INTEGRATION_TIMEOUT_MS_DEFAULT} ms`);
  }
  return value;
}

export function checkUri(type: string | undefined, uri: string): void {
  if (type === 'HTTP' || type === 'HTTP_PROXY') {
    if (!/^https?:\/\/[^/]/.test(uri) && !uri.startsWith('${stageVariables.')) throw badRequest('Invalid HTTP endpoint specified for URI');
    return;
  }
  // In an integration's ARN the account's place names the service: arn:aws:apigateway:REGION:lambda:path/….
  const arn = parseArn(uri);
  if (!arn) throw badRequest('Invalid ARN specified in the request');
  if (!/^(path|action)/.test(arn.resource)) throw badRequest('AWS ARN for integration must contain path or action');
  if (type === 'AWS_PROXY' && (arn.account !== 'lambda' || !arn.resource.startsWith('path/2015-03-31/functions/'))) {
    throw badRequest("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.");
  }
}

/** One operation of UpdateIntegration. */
export function patchIntegration(integration: Integration, patch: Patch): Integration {
  const [first, name] = patch.segments;
  const value = patch.op === 'remove' ? undefined : patch.value;
  switch (first) {
    case 'type':
    case 'httpMethod':
    case 'uri':
    case 'credentials':
    case 'connectionType':
    case 'connectionId':
    case 'passthroughBehavior':
    case 'contentHandling':
    case 'cacheNamespace':
      return compact({ ...integration, [first]: value || undefined });
    case 'timeoutInMillis':
      return { ...integration, timeoutInMillis: timeout(value === undefined ? INTEGRATION_TIMEOUT_MS_DEFAULT : Number(value)) };
    case 'requestParameters':
    case 'requestTemplates':
      if (name === undefined) throw invalidPath(patch);
      return compact({ ...integration, [first]: patchMap(integration[first], name, patch.op === 'remove' ? undefined : (value ?? '')) });
    case 'cacheKeyParameters':
      return {
        ...integration,
        cacheKeyParameters: patchList(integration.cacheKeyParameters, patch.op === 'remove' ? name : undefined, patch.op === 'remove' ? undefined : name) ?? [],
      };
    case 'tlsConfig':
      if (name !== 'insecureSkipVerification') throw invalidPath(patch);
      return { ...integration, tlsConfig: { insecureSkipVerification: asBoolean(value) } };
    default:
      throw invalidPath(patch);
  }
}

/** One operation of UpdateIntegrationResponse. */
export function patchIntegrationResponse(response: IntegrationResponse, patch: Patch): IntegrationResponse {
  const [first, name] = patch.segments;
  switch (first) {
    case 'selectionPattern':
    case 'contentHandling':
      return compact({ ...response, [first]: patch.op === 'remove' ? undefined : patch.value });
    case 'responseParameters':
    case 'responseTemplates':
      if (name === undefined) throw invalidPath(patch);
      return compact({ ...response, [first]: patchMap(response[first], name, patch.op === 'remove' ? undefined : (patch.value ?? '')) });
    default:
      throw invalidPath(patch);
  }
}
