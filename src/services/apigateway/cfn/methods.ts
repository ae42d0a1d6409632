import { decodeJson } from '../../../kit/json.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Properties, ResourceType } from '../../service.ts';
import { idsFrom } from '../domain/ids.ts';
import type { ResourceRow } from '../domain/types.ts';
import { createAuthorizerOnce } from '../operations/authorizers.ts';
import { createRequestValidatorOnce } from '../operations/request-validators.ts';
import { createResourceOnce } from '../operations/resources.ts';
import { claim, keys, unclaim } from '../store.ts';
import { asBool, asList, asNumber, asObject, asText, boolMap, call, createUnlessOurs, deleteQuietly, input, patchScalar, textMap } from './values.ts';

/** "AWS::ApiGateway::Resource". */
export const resource: ResourceType = {
  type: 'AWS::ApiGateway::Resource',
  replaceOn: ['ParentId', 'PathPart', 'RestApiId'],
  properties: ['ParentId', 'PathPart', 'RestApiId'],
  async create(ctx, { properties, token }) {
    const { id } = await createResourceOnce(
      ctx,
      { restApiId: asText(properties['RestApiId']), parentId: asText(properties['ParentId']), pathPart: asText(properties['PathPart']) },
      idsFrom(token),
    );
    return { physicalId: String(id), attributes: { ResourceId: id } };
  },
  update: async (_ctx, request) => ({ physicalId: request.physicalId, attributes: { ResourceId: request.physicalId } }),
  delete: (ctx, request) => deleteQuietly(ctx, 'DeleteResource', { restApiId: asText(request.properties['RestApiId']), resourceId: request.physicalId }),
};

const pathOf = (properties: Properties) => ({
  restApiId: asText(properties['RestApiId']),
  resourceId: asText(properties['ResourceId']),
  httpMethod: asText(properties['HttpMethod']),
});

async function putMethod(ctx: Ctx, properties: Properties): Promise<void> {
  const path = pathOf(properties);
  await call(ctx, 'PutMethod', {
    ...path,
    authorizationType: asText(properties['AuthorizationType']) ?? 'NONE',
    authorizerId: asText(properties['AuthorizerId']),
    authorizationScopes: properties['AuthorizationScopes'],
    apiKeyRequired: asBool(properties['ApiKeyRequired']),
    operationName: asText(properties['OperationName']),
    requestParameters: boolMap(properties['RequestParameters']),
    requestModels: textMap(properties['RequestModels']),
    requestValidatorId: asText(properties['RequestValidatorId']),
  });
  for (const item of asList(properties['MethodResponses'])) {
    const response = asObject(item);
    await call(ctx, 'PutMethodResponse', {
      ...path,
      statusCode: asText(response['StatusCode']),
      responseParameters: boolMap(response['ResponseParameters']),
      responseModels: textMap(response['ResponseModels']),
    });
  }
  if (properties['Integration'] !== undefined) await putIntegration(ctx, path, asObject(properties['Integration']));
}

async function putIntegration(ctx: Ctx, path: ReturnType<typeof pathOf>, integration: Properties): Promise<void> {
  await call(ctx, 'PutIntegration', {
    ...path,
    type: asText(integration['Type']),
    integrationHttpMethod: asText(integration['IntegrationHttpMethod']),
    uri: asText(integration['Uri']),
    connectionType: asText(integration['ConnectionType']),
    connectionId: asText(integration['ConnectionId']),
    credentials: asText(integration['Credentials']),
    requestParameters: textMap(integration['RequestParameters']),
    requestTemplates: textMap(integration['RequestTemplates']),
    passthroughBehavior: asText(integration['PassthroughBehavior']),
    cacheNamespace: asText(integration['CacheNamespace']),
    cacheKeyParameters: integration['CacheKeyParameters'],
    contentHandling: asText(integration['ContentHandling']),
    timeoutInMillis: asNumber(integration['TimeoutInMillis']),
  });
  for (const item of asList(integration['IntegrationResponses'])) {
    const response = asObject(item);
    await call(ctx, 'PutIntegrationResponse', {
      ...path,
      statusCode: asText(response['StatusCode']),
      selectionPattern: asText(response['SelectionPattern']),
      responseParameters: textMap(response['ResponseParameters']),
      responseTemplates: textMap(response['ResponseTemplates']),
      contentHandling: asText(response['ContentHandling']),
    });
  }
}

/** "AWS::ApiGateway::Method". An update puts the method anew: deployments keep what they froze. */
export const method: ResourceType = {
  type: 'AWS::ApiGateway::Method',
  replaceOn: ['HttpMethod', 'ResourceId', 'RestApiId'],
  properties: [
    'ApiKeyRequired',
    'AuthorizationScopes',
    'AuthorizationType',
    'AuthorizerId',
    'HttpMethod',
    'Integration',
    'MethodResponses',
    'OperationName',
    'RequestModels',
    'RequestParameters',
    'RequestValidatorId',
    'ResourceId',
    'RestApiId',
  ],
  async create(ctx, request) {
    const path = pathOf(request.properties);
    const [apiId, resourceId, name] = [path.restApiId ?? '', path.resourceId ?? '', path.httpMethod ?? ''];
    const exists = (tx: Tx) => {
      const row = tx.get(keys.part(ctx, apiId, 'resource', resourceId));
      return row !== undefined && decodeJson<ResourceRow>(row).methods[name] !== undefined;
    };
    // What a first try of this operation left half done is made anew.
    if (await claim(ctx.platform.store, ctx, apiId, claimName(request.properties), request.token, exists)) await deleteQuietly(ctx, 'DeleteMethod', path);
    await putMethod(ctx, request.properties);
    return { physicalId: request.generatedName(64), attributes: {} };
  },
  async update(ctx, request) {
    await deleteQuietly(ctx, 'DeleteMethod', pathOf(request.properties));
    await putMethod(ctx, request.properties);
    return { physicalId: request.physicalId, attributes: {} };
  },
  async delete(ctx, request) {
    await deleteQuietly(ctx, 'DeleteMethod', pathOf(request.properties));
    await unclaim(ctx.platform.store, ctx, asText(request.properties['RestApiId']) ?? '', claimName(request.properties));
  },
};

const claimName = (properties: Properties): string => `method ${asText(properties['ResourceId'])} ${asText(properties['HttpMethod'])}`;

/** "AWS::ApiGateway::Model". */
export const model: ResourceType = {
  type: 'AWS::ApiGateway::Model',
  replaceOn: ['ContentType', 'Name', 'RestApiId'],
  properties: ['ContentType', 'Description', 'Name', 'RestApiId', 'Schema'],
  async create(ctx, request) {
    const { properties } = request;
    const name = asText(properties['Name']) ?? request.generatedName(64).replace(/[^A-Za-z0-9]/g, '');
    const schema = properties['Schema'];
    const restApiId = asText(properties['RestApiId']) ?? '';
    const exists = (tx: Tx) => tx.get(keys.part(ctx, restApiId, 'model', name)) !== undefined;
    const ours = await claim(ctx.platform.store, ctx, restApiId, `model ${name}`, request.token, exists);
    await createUnlessOurs(ctx, ours, 'CreateModel', {
      restApiId,
      name,
      description: asText(properties['Description']),
      contentType: asText(properties['ContentType']) ?? 'application/json',
      schema: typeof schema === 'string' || schema === undefined ? schema : JSON.stringify(schema),
    });
    return { physicalId: name, attributes: {} };
  },
  async update(ctx, request) {
    const { properties, previous } = request;
    const patchOperations = [
      ...patchScalar('/description', properties['Description'], previous['Description']),
      ...patchScalar('/schema', properties['Schema'], previous['Schema']),
    ].map((op) => ({ ...op, op: 'replace' as const }));
    if (patchOperations.length > 0)
      await call(ctx, 'UpdateModel', { restApiId: asText(properties['RestApiId']), modelName: request.physicalId, patchOperations });
    return { physicalId: request.physicalId, attributes: {} };
  },
  async delete(ctx, request) {
    const restApiId = asText(request.properties['RestApiId']);
    await deleteQuietly(ctx, 'DeleteModel', { restApiId, modelName: request.physicalId });
    await unclaim(ctx.platform.store, ctx, restApiId ?? '', `model ${request.physicalId}`);
  },
};

/** "AWS::ApiGateway::RequestValidator". */
export const requestValidator: ResourceType = {
  type: 'AWS::ApiGateway::RequestValidator',
  replaceOn: ['Name', 'RestApiId'],
  properties: ['Name', 'RestApiId', 'ValidateRequestBody', 'ValidateRequestParameters'],
  async create(ctx, { properties, token }) {
    const { id } = await createRequestValidatorOnce(
      ctx,
      {
        restApiId: asText(properties['RestApiId']),
        name: asText(properties['Name']),
        validateRequestBody: asBool(properties['ValidateRequestBody']),
        validateRequestParameters: asBool(properties['ValidateRequestParameters']),
      },
      idsFrom(token),
    );
    return { physicalId: String(id), attributes: { RequestValidatorId: id } };
  },
  async update(ctx, request) {
    const { properties } = request;
    const patchOperations = [
      { op: 'replace', path: '/validateRequestBody', value: String(asBool(properties['ValidateRequestBody']) ?? false) },
      { op: 'replace', path: '/validateRequestParameters', value: String(asBool(properties['ValidateRequestParameters']) ?? false) },
    ];
    await call(ctx, 'UpdateRequestValidator', { restApiId: asText(properties['RestApiId']), requestValidatorId: request.physicalId, patchOperations });
    return { physicalId: request.physicalId, attributes: { RequestValidatorId: request.physicalId } };
  },
  delete: (ctx, request) =>
    deleteQuietly(ctx, 'DeleteRequestValidator', { restApiId: asText(request.properties['RestApiId']), requestValidatorId: request.physicalId }),
};

const gatewayResponseInput = (properties: Properties) => ({
  restApiId: asText(properties['RestApiId']),
  responseType: asText(properties['ResponseType']),
  statusCode: asText(properties['StatusCode']),
  responseParameters: textMap(properties['ResponseParameters']),
  responseTemplates: textMap(properties['ResponseTemplates']),
});

/** "AWS::ApiGateway::GatewayResponse". */
export const gatewayResponse: ResourceType = {
  type: 'AWS::ApiGateway::GatewayResponse',
  replaceOn: ['ResponseType', 'RestApiId'],
  properties: ['ResponseParameters', 'ResponseTemplates', 'ResponseType', 'RestApiId', 'StatusCode'],
  async create(ctx, request) {
    await call(ctx, 'PutGatewayResponse', gatewayResponseInput(request.properties));
    const physicalId = request.generatedName(64);
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(ctx, request) {
    await call(ctx, 'PutGatewayResponse', gatewayResponseInput(request.properties));
    return { physicalId: request.physicalId, attributes: { Id: request.physicalId } };
  },
  delete: (ctx, request) =>
    deleteQuietly(ctx, 'DeleteGatewayResponse', {
      restApiId: asText(request.properties['RestApiId']),
      responseType: asText(request.properties['ResponseType']),
    }),
};

const AUTHORIZER_PATHS: readonly [string, string][] = [
  ['Name', '/name'],
  ['Type', '/type'],
  ['AuthType', '/authType'],
  ['AuthorizerUri', '/authorizerUri'],
  ['AuthorizerCredentials', '/authorizerCredentials'],
  ['IdentitySource', '/identitySource'],
  ['IdentityValidationExpression', '/identityValidationExpression'],
  ['AuthorizerResultTtlInSeconds', '/authorizerResultTtlInSeconds'],
];

/** "AWS::ApiGateway::Authorizer". */
export const authorizer: ResourceType = {
  type: 'AWS::ApiGateway::Authorizer',
  replaceOn: ['RestApiId', 'ProviderARNs'],
  properties: [...AUTHORIZER_PATHS.map(([name]) => name), 'ProviderARNs', 'RestApiId'],
  async create(ctx, { properties, token }) {
    const members = input({
      restApiId: asText(properties['RestApiId']),
      name: asText(properties['Name']),
      type: asText(properties['Type']),
      authType: asText(properties['AuthType']),
      providerARNs: properties['ProviderARNs'],
      authorizerUri: asText(properties['AuthorizerUri']),
      authorizerCredentials: asText(properties['AuthorizerCredentials']),
      identitySource: asText(properties['IdentitySource']),
      identityValidationExpression: asText(properties['IdentityValidationExpression']),
      authorizerResultTtlInSeconds: asNumber(properties['AuthorizerResultTtlInSeconds']),
    });
    const { id } = await createAuthorizerOnce(ctx, members as unknown as Parameters<typeof createAuthorizerOnce>[1], idsFrom(token));
    return { physicalId: String(id), attributes: { AuthorizerId: id } };
  },
  async update(ctx, request) {
    const { properties, previous, physicalId } = request;
    const patchOperations = AUTHORIZER_PATHS.flatMap(([name, path]) => patchScalar(path, properties[name], previous[name]));
    if (patchOperations.length > 0)
      await call(ctx, 'UpdateAuthorizer', { restApiId: asText(properties['RestApiId']), authorizerId: physicalId, patchOperations });
    return { physicalId, attributes: { AuthorizerId: physicalId } };
  },
  delete: (ctx, request) => deleteQuietly(ctx, 'DeleteAuthorizer', { restApiId: asText(request.properties['RestApiId']), authorizerId: request.physicalId }),
};
