import type { HttpEndpoint, OperationEntry, Platform, Service } from '../service.ts';
import { verb } from './access.ts';
import { resources } from './cloudformation.ts';
import { ExecuteApi } from './endpoint/index.ts';
import * as account from './operations/account.ts';
import * as apiKeys from './operations/api-keys.ts';
import * as authorizers from './operations/authorizers.ts';
import * as deployments from './operations/deployments.ts';
import * as documentationParts from './operations/documentation-parts.ts';
import * as documentationVersions from './operations/documentation-versions.ts';
import * as gatewayResponses from './operations/gateway-responses.ts';
import * as imports from './operations/import.ts';
import * as integrations from './operations/integrations.ts';
import * as methods from './operations/methods.ts';
import * as models from './operations/models.ts';
import * as validators from './operations/request-validators.ts';
import * as resourceOperations from './operations/resources.ts';
import * as restApis from './operations/rest-apis.ts';
import * as stages from './operations/stages.ts';
import * as tags from './operations/tags.ts';
import { testInvokeMethod } from './operations/test-invoke-method.ts';
import * as usagePlans from './operations/usage-plans.ts';
import { registerPurge } from './purge.ts';
import { usage } from './usage.ts';

const API = '/restapis/{restApiId}';
const RESOURCE = `${API}/resources/{resourceId}`;
const METHOD = `${RESOURCE}/methods/{httpMethod}`;
const INTEGRATION = `${METHOD}/integration`;
const INTEGRATION_RECORDED = ['cacheNamespace', 'cacheKeyParameters', 'credentials', 'tlsConfig'];

const operations: Record<string, OperationEntry> = {
  CreateRestApi: {
    run: restApis.createRestApi,
    access: verb('POST', '/restapis'),
    recorded: ['policy', 'minimumCompressionSize', 'endpointConfiguration', 'disableExecuteApiEndpoint', 'securityPolicy', 'endpointAccessMode'],
  },
  GetRestApi: { run: restApis.getRestApi, access: verb('GET', API) },
  GetRestApis: { run: restApis.getRestApis, access: verb('GET', '/restapis') },
  UpdateRestApi: { run: restApis.updateRestApi, access: verb('PATCH', API) },
  DeleteRestApi: { run: restApis.deleteRestApi, access: verb('DELETE', API) },
  ImportRestApi: { run: imports.importRestApi, access: verb('POST', '/restapis') },
  PutRestApi: { run: imports.putRestApi, access: verb('PUT', API) },
  CreateResource: { run: resourceOperations.createResource, access: verb('POST', `${API}/resources/{parentId}`) },
  GetResource: { run: resourceOperations.getResource, access: verb('GET', RESOURCE) },
  GetResources: { run: resourceOperations.getResources, access: verb('GET', `${API}/resources`) },
  UpdateResource: { run: resourceOperations.updateResource, access: verb('PATCH', RESOURCE) },
  DeleteResource: { run: resourceOperations.deleteResource, access: verb('DELETE', RESOURCE) },
  PutMethod: { run: methods.putMethod, access: verb('PUT', METHOD), recorded: ['authorizationScopes'] },
  GetMethod: { run: methods.getMethod, access: verb('GET', METHOD) },
  UpdateMethod: { run: methods.updateMethod, access: verb('PATCH', METHOD) },
  DeleteMethod: { run: methods.deleteMethod, access: verb('DELETE', METHOD) },
  PutMethodResponse: { run: methods.putMethodResponse, access: verb('PUT', `${METHOD}/responses/{statusCode}`) },
  GetMethodResponse: { run: methods.getMethodResponse, access: verb('GET', `${METHOD}/responses/{statusCode}`) },
  UpdateMethodResponse: { run: methods.updateMethodResponse, access: verb('PATCH', `${METHOD}/responses/{statusCode}`) },
  DeleteMethodResponse: { run: methods.deleteMethodResponse, access: verb('DELETE', `${METHOD}/responses/{statusCode}`) },
  PutIntegration: { run: integrations.putIntegration, access: verb('PUT', INTEGRATION), recorded: INTEGRATION_RECORDED },
  GetIntegration: { run: integrations.getIntegration, access: verb('GET', INTEGRATION) },
  UpdateIntegration: { run: integrations.updateIntegration, access: verb('PATCH', INTEGRATION) },
  DeleteIntegration: { run: integrations.deleteIntegration, access: verb('DELETE', INTEGRATION) },
  PutIntegrationResponse: { run: integrations.putIntegrationResponse, access: verb('PUT', `${INTEGRATION}/responses/{statusCode}`) },
  GetIntegrationResponse: { run: integrations.getIntegrationResponse, access: verb('GET', `${INTEGRATION}/responses/{statusCode}`) },
  UpdateIntegrationResponse: { run: integrations.updateIntegrationResponse, access: verb('PATCH', `${INTEGRATION}/responses/{statusCode}`) },
  DeleteIntegrationResponse: { run: integrations.deleteIntegrationResponse, access: verb('DELETE', `${INTEGRATION}/responses/{statusCode}`) },
  TestInvokeMethod: { run: testInvokeMethod, access: verb('POST', METHOD), recorded: ['clientCertificateId'] },
  CreateDeployment: {
    run: deployments.createDeployment,
    access: verb('POST', `${API}/deployments`),
    recorded: ['cacheClusterEnabled', 'cacheClusterSize', 'tracingEnabled'],
  },
  GetDeployment: { run: deployments.getDeployment, access: verb('GET', `${API}/deployments/{deploymentId}`) },
  GetDeployments: { run: deployments.getDeployments, access: verb('GET', `${API}/deployments`) },
  UpdateDeployment: { run: deployments.updateDeployment, access: verb('PATCH', `${API}/deployments/{deploymentId}`) },
  DeleteDeployment: { run: deployments.deleteDeployment, access: verb('DELETE', `${API}/deployments/{deploymentId}`) },
  CreateStage: {
    run: stages.createStage,
    access: verb('POST', `${API}/stages`),
    recorded: ['cacheClusterEnabled', 'cacheClusterSize', 'documentationVersion', 'tracingEnabled'],
  },
  GetStage: { run: stages.getStage, access: verb('GET', `${API}/stages/{stageName}`) },
  GetStages: { run: stages.getStages, access: verb('GET', `${API}/stages`) },
  UpdateStage: { run: stages.updateStage, access: verb('PATCH', `${API}/stages/{stageName}`) },
  DeleteStage: { run: stages.deleteStage, access: verb('DELETE', `${API}/stages/{stageName}`) },
  CreateModel: { run: models.createModel, access: verb('POST', `${API}/models`) },
  GetModel: { run: models.getModel, access: verb('GET', `${API}/models/{modelName}`) },
  GetModels: { run: models.getModels, access: verb('GET', `${API}/models`) },
  UpdateModel: { run: models.updateModel, access: verb('PATCH', `${API}/models/{modelName}`) },
  DeleteModel: { run: models.deleteModel, access: verb('DELETE', `${API}/models/{modelName}`) },
  CreateRequestValidator: { run: validators.createRequestValidator, access: verb('POST', `${API}/requestvalidators`) },
  GetRequestValidator: { run: validators.getRequestValidator, access: verb('GET', `${API}/requestvalidators/{requestValidatorId}`) },
  GetRequestValidators: { run: validators.getRequestValidators, access: verb('GET', `${API}/requestvalidators`) },
  UpdateRequestValidator: { run: validators.updateRequestValidator, access: verb('PATCH', `${API}/requestvalidators/{requestValidatorId}`) },
  DeleteRequestValidator: { run: validators.deleteRequestValidator, access: verb('DELETE', `${API}/requestvalidators/{requestValidatorId}`) },
  PutGatewayResponse: { run: gatewayResponses.putGatewayResponse, access: verb('PUT', `${API}/gatewayresponses/{responseType}`) },
  GetGatewayResponse: { run: gatewayResponses.getGatewayResponse, access: verb('GET', `${API}/gatewayresponses/{responseType}`) },
  GetGatewayResponses: { run: gatewayResponses.getGatewayResponses, access: verb('GET', `${API}/gatewayresponses`) },
  UpdateGatewayResponse: { run: gatewayResponses.updateGatewayResponse, access: verb('PATCH', `${API}/gatewayresponses/{responseType}`) },
  DeleteGatewayResponse: { run: gatewayResponses.deleteGatewayResponse, access: verb('DELETE', `${API}/gatewayresponses/{responseType}`) },
  CreateAuthorizer: { run: authorizers.createAuthorizer, access: verb('POST', `${API}/authorizers`), recorded: ['authorizerCredentials'] },
  GetAuthorizer: { run: authorizers.getAuthorizer, access: verb('GET', `${API}/authorizers/{authorizerId}`) },
  GetAuthorizers: { run: authorizers.getAuthorizers, access: verb('GET', `${API}/authorizers`) },
  UpdateAuthorizer: { run: authorizers.updateAuthorizer, access: verb('PATCH', `${API}/authorizers/{authorizerId}`) },
  DeleteAuthorizer: { run: authorizers.deleteAuthorizer, access: verb('DELETE', `${API}/authorizers/{authorizerId}`) },
  CreateDocumentationPart: { run: documentationParts.createDocumentationPart, access: verb('POST', `${API}/documentation/parts`) },
  GetDocumentationPart: { run: documentationParts.getDocumentationPart, access: verb('GET', `${API}/documentation/parts/{documentationPartId}`) },
  GetDocumentationParts: { run: documentationParts.getDocumentationParts, access: verb('GET', `${API}/documentation/parts`) },
  UpdateDocumentationPart: { run: documentationParts.updateDocumentationPart, access: verb('PATCH', `${API}/documentation/parts/{documentationPartId}`) },
  DeleteDocumentationPart: { run: documentationParts.deleteDocumentationPart, access: verb('DELETE', `${API}/documentation/parts/{documentationPartId}`) },
  ImportDocumentationParts: {
    run: documentationParts.importDocumentationParts,
    access: verb('PUT', `${API}/documentation/parts`),
    recorded: ['failOnWarnings'],
  },
  CreateDocumentationVersion: { run: documentationVersions.createDocumentationVersion, access: verb('POST', `${API}/documentation/versions`) },
  GetDocumentationVersion: { run: documentationVersions.getDocumentationVersion, access: verb('GET', `${API}/documentation/versions/{documentationVersion}`) },
  GetDocumentationVersions: { run: documentationVersions.getDocumentationVersions, access: verb('GET', `${API}/documentation/versions`) },
  UpdateDocumentationVersion: {
    run: documentationVersions.updateDocumentationVersion,
    access: verb('PATCH', `${API}/documentation/versions/{documentationVersion}`),
  },
  DeleteDocumentationVersion: {
    run: documentationVersions.deleteDocumentationVersion,
    access: verb('DELETE', `${API}/documentation/versions/{documentationVersion}`),
  },
  CreateApiKey: { run: apiKeys.createApiKey, access: verb('POST', '/apikeys'), recorded: ['generateDistinctId'] },
  GetApiKey: { run: apiKeys.getApiKey, access: verb('GET', '/apikeys/{apiKey}') },
  GetApiKeys: { run: apiKeys.getApiKeys, access: verb('GET', '/apikeys') },
  UpdateApiKey: { run: apiKeys.updateApiKey, access: verb('PATCH', '/apikeys/{apiKey}') },
  DeleteApiKey: { run: apiKeys.deleteApiKey, access: verb('DELETE', '/apikeys/{apiKey}') },
  CreateUsagePlan: { run: usagePlans.createUsagePlan, access: verb('POST', '/usageplans'), recorded: ['throttle', 'quota'] },
  GetUsagePlan: { run: usagePlans.getUsagePlan, access: verb('GET', '/usageplans/{usagePlanId}') },
  GetUsagePlans: { run: usagePlans.getUsagePlans, access: verb('GET', '/usageplans') },
  UpdateUsagePlan: { run: usagePlans.updateUsagePlan, access: verb('PATCH', '/usageplans/{usagePlanId}') },
  DeleteUsagePlan: { run: usagePlans.deleteUsagePlan, access: verb('DELETE', '/usageplans/{usagePlanId}') },
  CreateUsagePlanKey: { run: usagePlans.createUsagePlanKey, access: verb('POST', '/usageplans/{usagePlanId}/keys') },
  GetUsagePlanKey: { run: usagePlans.getUsagePlanKey, access: verb('GET', '/usageplans/{usagePlanId}/keys/{keyId}') },
  GetUsagePlanKeys: { run: usagePlans.getUsagePlanKeys, access: verb('GET', '/usageplans/{usagePlanId}/keys') },
  DeleteUsagePlanKey: { run: usagePlans.deleteUsagePlanKey, access: verb('DELETE', '/usageplans/{usagePlanId}/keys/{keyId}') },
  GetTags: { run: tags.getTags, access: verb('GET', '/tags/{resourceArn}') },
  TagResource: { run: tags.tagResource, access: verb('PUT', '/tags/{resourceArn}') },
  UntagResource: { run: tags.untagResource, access: verb('DELETE', '/tags/{resourceArn}') },
  GetAccount: { run: account.getAccount, access: verb('GET', '/account') },
  UpdateAccount: { run: account.updateAccount, access: verb('PATCH', '/account'), recorded: ['patchOperations'] },
};

/** API Gateway REST APIs; see README.md. */
export function createApiGatewayRoom(): Service {
  let api: ExecuteApi | undefined;
  const executeApi: HttpEndpoint = (ctx, request) => {
    if (!api) throw new Error('the room has not started');
    return api.handle(ctx, request);
  };
  return {
    name: 'apigateway',
    operations,
    wording: { validationCode: 'ValidationException' },
    resources,
    usage,
    endpoints: { 'execute-api': executeApi },
    start(platform: Platform) {
      registerPurge(platform);
      api = new ExecuteApi(platform);
    },
    stop() {
      api?.close();
    },
  };
}
