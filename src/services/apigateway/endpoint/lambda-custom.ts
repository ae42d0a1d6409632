import type { WireResponse } from '../../../protocol/wire.ts';
import { INTEGRATION_TIMEOUT_MS_DEFAULT } from '../limits.ts';
import { awsService } from './aws-service.ts';
import { notBuilt } from './gateway-error.ts';
import type { Invocation } from './invocation.ts';
import { jsonPath } from './json-path.ts';
import { callLambda, functionArnOf, withStageVariables } from './lambda.ts';
import { mapResponse, requestBody, selectResponse } from './mapping.ts';

/** "Set up Lambda custom integrations": the mapped body in; the function's error message selects the response. */
export async function lambdaCustom(call: Invocation): Promise<WireResponse> {
  const integration = call.method.methodIntegration ?? {};
  const functionArn = functionArnOf(withStageVariables(integration.uri ?? '', call.stage.variables));
  if (functionArn === undefined) return awsService(call);
  if (Object.keys(integration.requestParameters ?? {}).some((name) => /x-amz-invocation-type/i.test(name))) {
    throw notBuilt('An AWS integration that sets X-Amz-Invocation-Type');
  }
  const body = requestBody(call);
  const answer = await callLambda(call, functionArn, body === '' ? '{}' : body, integration.timeoutInMillis ?? INTEGRATION_TIMEOUT_MS_DEFAULT);
  const message = answer.functionError ? jsonPath(answer.payload, '$.errorMessage') : undefined;
  const response = selectResponse(integration, typeof message === 'string' ? message : '');
  return mapResponse(call, response, { body: answer.payload, headers: {} });
}
