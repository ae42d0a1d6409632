import type { ResourceType } from '../service.ts';
import { account, apiKey, usagePlan, usagePlanKey } from './cfn/keys.ts';
import { authorizer, gatewayResponse, method, model, requestValidator, resource } from './cfn/methods.ts';
import { restApi } from './cfn/rest-api.ts';
import { deployment, stage } from './cfn/stages.ts';

/** "Amazon API Gateway resource type reference" in the CloudFormation user guide. */
export const resources: readonly ResourceType[] = [
  restApi,
  resource,
  method,
  deployment,
  stage,
  model,
  requestValidator,
  gatewayResponse,
  authorizer,
  apiKey,
  usagePlan,
  usagePlanKey,
  account,
];
