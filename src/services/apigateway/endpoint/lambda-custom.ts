import type { WireResponse } from '../../../protocol/wire.ts';
import { INTEGRATION_TIMEOUT_MS_DEFAULT } from '../limits.ts';
import { awsService } from './aws-service.ts';
import { mappedParameters } from './http.ts';
import type { Invocation } from './invocation.ts';
import { jsonPath } from './json-path.ts';
import { callLambda, functionArnOf, withStageVariables } from './lambda.ts';
import { mapResponse, requestBody, selectResponse } from './mapping.ts';

/** "Set up Lambda custom integrations": the mapped body in; the function's error message selects the response. */
export async function lambdaCustom(call: Invocation): Promise<WireResponse> {
  const integration = call.method.methodIntegration ?? {};
  const functionArn = functionArnOf(withStageVariables(integration.uri ?? '', call.stage.variables));
  if (functionArn === undefined) return awsService(call);
  const mapped = mappedParameters(call);
  const body = requestBody(call).toString('utf8');
  const asked = mapped.header.find(([name]) => /^x-amz-invocation-type$/i.test(name))?.[1];
  const invocationType = asked === 'Event' ? 'Event' : 'RequestResponse';
  const answer = await callLambda(call, functionArn, body === '' ? '{}' : body, integration.timeoutInMillis ?? INTEGRATION_TIMEOUT_MS_DEFAULT, invocationType);
  const message = answer.functionError ? jsonPath(answer.payload, '$.errorMessage') : undefined;
  const response = selectResponse(integration, typeof message === 'string' ? message : '');
  return mapResponse(call, response, { body: Buffer.from(answer.payload, 'utf8'), headers: {} });
}
