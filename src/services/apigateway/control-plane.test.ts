import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateDeploymentCommand,
  CreateModelCommand,
  CreateRequestValidatorCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  CreateStageCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  DeleteDeploymentCommand,
  DeleteModelCommand,
  DeleteResourceCommand,
  DeleteRestApiCommand,
  GetApiKeysCommand,
  GetExportCommand,
  GetGatewayResponseCommand,
  GetGatewayResponsesCommand,
  GetIntegrationCommand,
  GetMethodCommand,
  GetModelsCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetRestApisCommand,
  GetStageCommand,
  GetStagesCommand,
  GetTagsCommand,
  GetUsagePlanKeysCommand,
  ImportRestApiCommand,
  PutGatewayResponseCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  PutRestApiCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateApiKeyCommand,
  UpdateMethodCommand,
  UpdateMethodResponseCommand,
  UpdateModelCommand,
  UpdateRequestValidatorCommand,
  UpdateResourceCommand,
  UpdateRestApiCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let client: APIGatewayClient;
let restApiId: string;
let rootId: string;

/** Sends a command of any type; answers are looked into freely. */
// biome-ignore lint/suspicious/noExplicitAny: see above
const send = (command: any): Promise<any> => client.send(command);
const fail = async (command: unknown) => {
  try {
    await send(command);
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata: { httpStatusCode: number } };
    return [name, $metadata.httpStatusCode, message];
  }
  throw new Error('expected a rejection');
};
const bad = (message: string) => ['BadRequestException', 400, message];
const missing = (message: string) => ['NotFoundException', 404, message];
const resource = async (pathPart: string, parentId = rootId): Promise<string> => (await send(new CreateResourceCommand({ restApiId, parentId, pathPart }))).id;
const replace = (path: string, value?: string) => [{ op: 'replace' as const, path, ...(value === undefined ? {} : { value }) }];

beforeAll(async () => {
  croft = await startCroft();
  client = new APIGatewayClient(croft.sdk);
});
afterAll(() => croft.stop());
beforeEach(async () => {
  const api = await send(new CreateRestApiCommand({ name: 'test' }));
  restApiId = api.id;
  rootId = api.rootResourceId;
});

describe('REST APIs', () => {
  it('are made with defaults, listed and deleted', async () => {
    const api = await send(new GetRestApiCommand({ restApiId }));
    expect(api).toMatchObject({
      name: 'test',
      apiKeySource: 'HEADER',
      disableExecuteApiEndpoint: false,
      endpointConfiguration: { types: ['EDGE'], ipAddressType: 'ipv4' },
    });
    expect(api).not.toHaveProperty('tags');
    expect(restApiId).toMatch(/^[a-z0-9]{10}$/);
    expect((await send(new GetRestApisCommand({ limit: 500 }))).items.map((row: { id: string }) => row.id)).toContain(restApiId);
    await send(new DeleteRestApiCommand({ restApiId }));
    expect(await fail(new GetRestApiCommand({ restApiId }))).toEqual(missing(`Invalid API identifier specified 000000000000:${restApiId}`));
    expect(await fail(new GetResourcesCommand({ restApiId }))).toEqual(missing(`Invalid API identifier specified 000000000000:${restApiId}`));
  });

  it('refuse what AWS refuses', async () => {
    expect(await fail(new CreateRestApiCommand({ name: 'x', description: '' }))).toEqual(bad('Description cannot be an empty string'));
    expect(await fail(new CreateRestApiCommand({ name: 'x', minimumCompressionSize: -1 }))).toEqual(
      bad('Invalid minimum compression size, must be between 0 and 10485760'),
    );
    expect(await fail(new CreateRestApiCommand({ name: 'x', endpointConfiguration: { types: ['EDGE', 'REGIONAL'] } }))).toEqual(
      bad('Cannot create an api with multiple Endpoint Types.'),
    );
    expect(await fail(new CreateRestApiCommand({ name: 'x', endpointConfiguration: { types: ['PRIVATE'], ipAddressType: 'ipv4' } }))).toEqual(
      bad('Only dualstack ipAddressType is supported for Private APIs.'),
    );
    expect(await fail(new UpdateRestApiCommand({ restApiId, patchOperations: replace('/binaryMediaTypes') }))).toEqual(
      bad('Invalid patch path /binaryMediaTypes'),
    );
    expect(await fail(new UpdateRestApiCommand({ restApiId, patchOperations: [{ op: 'add', path: '/minimumCompressionSize', value: '1' }] }))).toEqual(
      bad('Invalid patch operation specified. Must be one of: [replace]'),
    );
    expect(await fail(new GetExportCommand({ restApiId, stageName: 'x', exportType: 'oas30' }))).toEqual([
      'NotImplemented',
      501,
      expect.stringContaining('GetExport'),
    ]);
  });

  it('take patches', async () => {
    const types = ['image/png', 'image/jpeg'].map((type) => ({ op: 'add' as const, path: `/binaryMediaTypes/${type.replace('/', '~1')}` }));
    expect((await send(new UpdateRestApiCommand({ restApiId, patchOperations: types }))).binaryMediaTypes).toEqual(['image/png', 'image/jpeg']);
    const replaced = await send(new UpdateRestApiCommand({ restApiId, patchOperations: replace('/binaryMediaTypes/image~1png', 'image~1gif') }));
    expect(replaced).toMatchObject({ binaryMediaTypes: ['image/jpeg', 'image/gif'], tags: {} });
    const renamed = await send(
      new UpdateRestApiCommand({
        restApiId,
        patchOperations: [...replace('/name', 'new'), ...replace('/description', 'd'), ...replace('/endpointConfiguration/types/EDGE', 'REGIONAL')],
      }),
    );
    expect(renamed).toMatchObject({ name: 'new', description: 'd', endpointConfiguration: { types: ['REGIONAL'] } });
  });

  it('have tags', async () => {
    const resourceArn = `arn:aws:apigateway:us-east-1::/restapis/${restApiId}`;
    await send(new TagResourceCommand({ resourceArn, tags: { a: '1', b: '2' } }));
    await send(new UntagResourceCommand({ resourceArn, tagKeys: ['a'] }));
    expect((await send(new GetTagsCommand({ resourceArn }))).tags).toEqual({ b: '2' });
    expect((await send(new GetRestApiCommand({ restApiId }))).tags).toEqual({ b: '2' });
  });
});

describe('resources', () => {
  it('live in a tree and carry their path', async () => {
    const pets = await resource('pets');
    const sub = await resource('subpets', pets);
    await send(new UpdateResourceCommand({ restApiId, resourceId: pets, patchOperations: replace('/pathPart', 'dogs') }));
    const paths = async () => (await send(new GetResourcesCommand({ restApiId }))).items.map((row: { path: string }) => row.path);
    expect(await paths()).toEqual(['/', '/dogs', '/dogs/subpets']);
    expect(await fail(new UpdateResourceCommand({ restApiId, resourceId: pets, patchOperations: replace('/parentId', sub) }))).toEqual(
      bad('Resources cannot be cyclical.'),
    );
    await send(new UpdateResourceCommand({ restApiId, resourceId: sub, patchOperations: replace('/parentId', rootId) }));
    expect(await paths()).toEqual(['/', '/dogs', '/subpets']);
    await send(new DeleteResourceCommand({ restApiId, resourceId: pets }));
    expect(await paths()).toEqual(['/', '/subpets']);
  });

  it('refuse a bad place', async () => {
    await resource('pets');
    await resource('{proxy+}');
    const create = (pathPart: string, parentId = rootId) => fail(new CreateResourceCommand({ restApiId, parentId, pathPart }));
    expect(await create('pets')).toEqual(['ConflictException', 409, 'Another resource with the same parent already has this name: pets']);
    expect(await create('{id}')).toEqual(bad('A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed'));
    expect(await create('x', 'nope')).toEqual(missing('Invalid Resource identifier specified'));
    expect((await create('a/b'))[0]).toBe('BadRequestException');
    const proxy = (await send(new GetResourcesCommand({ restApiId }))).items.find((row: { pathPart?: string }) => row.pathPart === '{proxy+}').id;
    expect(await create('x', proxy)).toEqual(bad('Cannot create a child of a resource with a greedy path variable: {proxy+}'));
    const update = (patchOperations: { op: 'replace' | 'add'; path: string; value?: string }[], resourceId = proxy) =>
      fail(new UpdateResourceCommand({ restApiId, resourceId, patchOperations }));
    expect(await update(replace('/invalid'))).toEqual(bad("Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/parentId, /pathPart]"));
    expect(await update([{ op: 'add', path: '/pathPart', value: 'x' }])).toEqual(
      bad("Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations"),
    );
    expect(await update(replace('/pathPart', 'x'), rootId)).toEqual(bad('Root resource cannot update its pathPart.'));
  });
});

describe('methods and integrations', () => {
  const method = () => ({ restApiId, resourceId: rootId, httpMethod: 'GET' });

  it('are put, described and patched', async () => {
    await send(new PutMethodCommand({ ...method(), authorizationType: 'NONE', requestParameters: { 'method.request.querystring.q': true } }));
    await send(new PutMethodResponseCommand({ ...method(), statusCode: '200', responseModels: { 'application/json': 'Empty' } }));
    const uri = 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations';
    const integration = await send(new PutIntegrationCommand({ ...method(), type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri }));
    expect(integration).toMatchObject({
      type: 'AWS_PROXY',
      httpMethod: 'POST',
      uri,
      passthroughBehavior: 'WHEN_NO_MATCH',
      timeoutInMillis: 29000,
      cacheNamespace: rootId,
      cacheKeyParameters: [],
    });
    await send(new PutIntegrationResponseCommand({ ...method(), statusCode: '200', selectionPattern: '' }));
    expect(await send(new GetMethodCommand(method()))).toMatchObject({
      httpMethod: 'GET',
      authorizationType: 'NONE',
      apiKeyRequired: false,
      requestParameters: { 'method.request.querystring.q': true },
      methodResponses: { 200: { statusCode: '200', responseModels: { 'application/json': 'Empty' } } },
      methodIntegration: { type: 'AWS_PROXY', integrationResponses: { 200: { statusCode: '200' } } },
    });
    const patched = await send(
      new UpdateMethodCommand({
        ...method(),
        patchOperations: [...replace('/apiKeyRequired', 'true'), { op: 'remove', path: '/requestParameters/method.request.querystring.q' }],
      }),
    );
    expect(patched.apiKeyRequired).toBe(true);
    expect(patched).not.toHaveProperty('requestParameters');
    const added = await send(
      new UpdateMethodResponseCommand({
        ...method(),
        statusCode: '200',
        patchOperations: [{ op: 'add', path: '/responseParameters/method.response.header.X', value: 'true' }],
      }),
    );
    expect(added.responseParameters).toEqual({ 'method.response.header.X': true });
  });

  it('refuse what AWS refuses', async () => {
    const put = (more: object) => fail(new PutMethodCommand({ ...method(), authorizationType: 'NONE', ...more }));
    expect(await put({ resourceId: 'nope' })).toEqual(missing('Invalid Resource identifier specified'));
    expect(await put({ httpMethod: 'WRONG' })).toEqual(bad('Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY'));
    expect(await put({ authorizationType: 'CUSTOM' })).toEqual(
      bad('Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.'),
    );
    expect(await put({ requestValidatorId: 'x' })).toEqual(bad('Invalid Request Validator identifier specified'));
    expect(await put({ requestModels: { 'application/json': 'petModel' } })).toEqual(bad('Invalid model identifier specified: petModel'));
    expect(await put({ requestParameters: { 'method.request.header.a': true, 'method.request.querystring.a': true } })).toEqual(
      bad('Parameter names must be unique across querystring, header and path'),
    );
    await send(new PutMethodCommand({ ...method(), authorizationType: 'NONE' }));
    const integrate = (more: object) => fail(new PutIntegrationCommand({ ...method(), type: 'AWS_PROXY', integrationHttpMethod: 'POST', ...more }));
    expect(await integrate({ type: 'HTTP', integrationHttpMethod: undefined })).toEqual(bad('Enumeration value for HttpMethod must be non-empty'));
    expect(await integrate({ type: 'HTTP', uri: 'ftp://x' })).toEqual(bad('Invalid HTTP endpoint specified for URI'));
    expect(await integrate({ uri: 'not-an-arn' })).toEqual(bad('Invalid ARN specified in the request'));
    expect(await integrate({ uri: 'arn:aws:lambda:us-east-1:000000000000:function:f' })).toEqual(bad('AWS ARN for integration must contain path or action'));
    expect(await integrate({ uri: 'arn:aws:apigateway:us-east-1:s3:path/b/k' })).toEqual(
      bad("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."),
    );
    expect(await fail(new GetIntegrationCommand(method()))).toEqual(missing('Invalid Integration identifier specified'));
    expect(await fail(new GetIntegrationCommand({ ...method(), httpMethod: 'PUT' }))).toEqual(missing('Invalid Method identifier specified'));
    expect((await integrate({ connectionType: 'VPC_LINK', uri: 'http://x' }))[1]).toBe(501);
  });
});

describe('deployments and stages', () => {
  const mockMethod = async () => {
    const at = { restApiId, resourceId: rootId, httpMethod: 'GET' };
    await send(new PutMethodCommand({ ...at, authorizationType: 'NONE' }));
    await send(new PutIntegrationCommand({ ...at, type: 'MOCK' }));
  };

  it('need methods with integrations', async () => {
    expect(await fail(new CreateDeploymentCommand({ restApiId }))).toEqual(bad("The REST API doesn't contain any methods"));
    await send(new PutMethodCommand({ restApiId, resourceId: rootId, httpMethod: 'GET', authorizationType: 'NONE' }));
    expect(await fail(new CreateDeploymentCommand({ restApiId }))).toEqual(bad('No integration defined for method'));
  });

  it('point a stage to a deployment', async () => {
    await mockMethod();
    const first = await send(new CreateDeploymentCommand({ restApiId, stageName: 'dev', variables: { a: '1' } }));
    const stage = await send(new GetStageCommand({ restApiId, stageName: 'dev' }));
    expect(stage).toMatchObject({
      stageName: 'dev',
      deploymentId: first.id,
      variables: { a: '1' },
      methodSettings: {},
      cacheClusterEnabled: false,
      cacheClusterStatus: 'NOT_AVAILABLE',
      tracingEnabled: false,
    });
    expect(await fail(new DeleteDeploymentCommand({ restApiId, deploymentId: first.id }))).toEqual(
      bad('Active stages pointing to this deployment must be moved or deleted'),
    );
    const second = await send(new CreateDeploymentCommand({ restApiId }));
    const moved = await send(new UpdateStageCommand({ restApiId, stageName: 'dev', patchOperations: replace('/deploymentId', second.id) }));
    expect(moved.deploymentId).toBe(second.id);
    await send(new DeleteDeploymentCommand({ restApiId, deploymentId: first.id }));
    await send(new CreateStageCommand({ restApiId, stageName: 'prod', deploymentId: second.id }));
    expect(await fail(new CreateStageCommand({ restApiId, stageName: 'prod', deploymentId: second.id }))).toEqual([
      'ConflictException',
      409,
      'Stage already exists',
    ]);
    expect((await send(new GetStagesCommand({ restApiId, deploymentId: second.id }))).item).toHaveLength(2);
  });

  it('settings start from the general ones', async () => {
    await mockMethod();
    await send(new CreateDeploymentCommand({ restApiId, stageName: 's' }));
    const update = (patchOperations: { op: 'replace' | 'remove' | 'add'; path: string; value?: string }[]) =>
      new UpdateStageCommand({ restApiId, stageName: 's', patchOperations });
    const answer = await send(
      update([
        ...replace('/*/*/throttling/burstLimit', '123'),
        ...replace('/*/*/caching/enabled', 'true'),
        ...replace('/test/GET/throttling/burstLimit', '124'),
        ...replace('/variables/v', 'x'),
      ]),
    );
    expect(answer.methodSettings['test/GET']).toMatchObject({
      throttlingBurstLimit: 124,
      cachingEnabled: true,
      throttlingRateLimit: 10000,
      cacheTtlInSeconds: 300,
    });
    expect(answer.variables).toEqual({ v: 'x' });
    expect((await fail(update(replace('/tags/a', 'b'))))[2]).toMatch(/^Invalid method setting path: \/tags\/a\. Must be one of: \[\/deploymentId, /);
    await send(update([{ op: 'remove', path: '/*/*' }]));
    expect(await fail(update([{ op: 'remove', path: '/*/*' }]))).toEqual(
      bad('Cannot remove method setting */* because there is no method setting for this method '),
    );
    expect(await fail(update(replace('/accessLogSettings/format', '')))).toEqual(bad('Access Log value must not be empty'));
  });
});

describe('models, validators, gateway responses', () => {
  it('keep models that are in use', async () => {
    const models = await send(new GetModelsCommand({ restApiId }));
    expect(models.items.map((row: { name: string }) => row.name)).toEqual(['Empty', 'Error']);
    await send(new CreateModelCommand({ restApiId, name: 'M', contentType: 'application/json', schema: '{"type":"object"}' }));
    expect(await fail(new CreateModelCommand({ restApiId, name: 'M', contentType: 'application/json', schema: '{}' }))).toEqual([
      'ConflictException',
      409,
      'Model name already exists for this REST API',
    ]);
    expect(await fail(new CreateModelCommand({ restApiId, name: 'N', contentType: 'application/json' }))).toEqual(
      bad('Model schema must have at least 1 property or array items defined'),
    );
    await send(
      new PutMethodCommand({ restApiId, resourceId: rootId, httpMethod: 'ANY', authorizationType: 'NONE', requestModels: { 'application/json': 'M' } }),
    );
    expect(await fail(new DeleteModelCommand({ restApiId, modelName: 'M' }))).toEqual([
      'ConflictException',
      409,
      "Cannot delete model 'M', is referenced in method request: //ANY",
    ]);
    expect(await fail(new UpdateModelCommand({ restApiId, modelName: 'M', patchOperations: replace('/name', 'x') }))).toEqual(
      bad("Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]"),
    );
    expect(await fail(new UpdateModelCommand({ restApiId, modelName: 'X', patchOperations: replace('/schema', '{}') }))).toEqual(
      missing('Invalid model name specified: X'),
    );
  });

  it('switch validators', async () => {
    const { id } = await send(new CreateRequestValidatorCommand({ restApiId, name: 'v' }));
    const update = (patchOperations: { op: 'replace'; path: string; value?: string }[]) =>
      new UpdateRequestValidatorCommand({ restApiId, requestValidatorId: id, patchOperations });
    expect(await send(update(replace('/validateRequestBody', 'true')))).toMatchObject({ validateRequestBody: true, validateRequestParameters: false });
    expect(await send(update(replace('/validateRequestBody')))).toMatchObject({ validateRequestBody: false });
    expect(await fail(update(replace('/name', '')))).toEqual(bad('Request Validator name cannot be blank'));
    expect(await fail(new CreateRequestValidatorCommand({ restApiId: 'nope', name: 'v' }))).toEqual(bad('Invalid REST API identifier specified'));
  });

  it('inherit gateway responses from the defaults', async () => {
    await send(
      new PutGatewayResponseCommand({ restApiId, responseType: 'DEFAULT_4XX', statusCode: '499', responseParameters: { 'gatewayresponse.header.X': "'1'" } }),
    );
    expect(await send(new GetGatewayResponseCommand({ restApiId, responseType: 'MISSING_AUTHENTICATION_TOKEN' }))).toMatchObject({
      defaultResponse: true,
      statusCode: '499',
      responseParameters: { 'gatewayresponse.header.X': "'1'" },
      responseTemplates: { 'application/json': '{"message":$context.error.messageString}' },
    });
    expect((await send(new GetGatewayResponsesCommand({ restApiId }))).items).toHaveLength(21);
  });
});

describe('API keys and usage plans', () => {
  it('are made and joined', async () => {
    const key = await send(new CreateApiKeyCommand({ name: 'key-one', enabled: true }));
    expect(key.value).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(await fail(new CreateApiKeyCommand({ value: 'short' }))).toEqual(bad('API Key value should be at least 20 characters'));
    expect(await fail(new CreateApiKeyCommand({ value: key.value }))).toEqual(['ConflictException', 409, 'API Key already exists']);
    const listed = await send(new GetApiKeysCommand({ nameQuery: 'key-' }));
    expect(listed.items[0]).not.toHaveProperty('value');
    expect((await send(new GetApiKeysCommand({ nameQuery: 'KEY' }))).items).toEqual([]);
    expect(await fail(new UpdateApiKeyCommand({ apiKey: key.id, patchOperations: replace('/id', 'x') }))).toEqual(
      bad("Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]"),
    );
    const plan = await send(new CreateUsagePlanCommand({ name: 'plan', quota: { limit: 10, period: 'DAY' } }));
    expect(plan).toMatchObject({ apiStages: [], quota: { limit: 10, offset: 0, period: 'DAY' } });
    expect(await send(new CreateUsagePlanKeyCommand({ usagePlanId: plan.id, keyId: key.id, keyType: 'API_KEY' }))).toMatchObject({
      id: key.id,
      type: 'API_KEY',
      value: key.value,
      name: 'key-one',
    });
    expect((await send(new GetUsagePlanKeysCommand({ usagePlanId: plan.id }))).items).toHaveLength(1);
  });
});

describe('OpenAPI', () => {
  const swagger = {
    swagger: '2.0',
    info: { title: 'Pets', version: '1.0', description: 'about pets' },
    basePath: '/v1/api',
    'x-amazon-apigateway-binary-media-types': ['image/png'],
    securityDefinitions: {
      auth: {
        type: 'apiKey',
        name: 'Authorization',
        in: 'header',
        'x-amazon-apigateway-authtype': 'custom',
        'x-amazon-apigateway-authorizer': { type: 'token', authorizerUri: 'arn:x' },
      },
      key: { type: 'apiKey', name: 'x-api-key', in: 'header' },
    },
    definitions: { Pet: { type: 'object', properties: { kind: { $ref: '#/definitions/Kind' } } }, Kind: { type: 'string' } },
    paths: {
      '/pets/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, type: 'string' }],
        get: {
          operationId: 'GetPet',
          security: [{ auth: [] }],
          responses: { 200: { schema: { $ref: '#/definitions/Pet' }, headers: { 'X-H': { type: 'string' } } } },
          'x-amazon-apigateway-integration': {
            type: 'mock',
            requestTemplates: { 'application/json': '{"statusCode": 200}' },
            responses: { default: { statusCode: '200' } },
          },
        },
        'x-amazon-apigateway-any-method': {
          security: [{ key: [] }],
          'x-amazon-apigateway-integration': {
            type: 'http_proxy',
            httpMethod: 'ANY',
            uri: 'http://example.com/{id}',
            requestParameters: { 'integration.request.path.id': 'method.request.path.id' },
          },
        },
      },
    },
  };
  const body = Buffer.from(JSON.stringify(swagger));

  it('becomes an API', async () => {
    const api = await send(new ImportRestApiCommand({ body }));
    expect(api).toMatchObject({ name: 'Pets', version: '1.0', description: 'about pets', binaryMediaTypes: ['image/png'] });
    const { items } = await send(new GetResourcesCommand({ restApiId: api.id, embed: ['methods'] }));
    expect(items.map((row: { path: string }) => row.path)).toEqual(['/', '/pets', '/pets/{id}']);
    expect(items[2].resourceMethods.GET).toMatchObject({
      authorizationType: 'CUSTOM',
      operationName: 'GetPet',
      requestParameters: { 'method.request.path.id': true },
      methodResponses: { 200: { responseModels: { 'application/json': 'Pet' }, responseParameters: { 'method.response.header.X-H': false } } },
      methodIntegration: {
        type: 'MOCK',
        integrationResponses: { 200: { statusCode: '200' } },
        cacheNamespace: items[2].id,
        passthroughBehavior: 'WHEN_NO_MATCH',
      },
    });
    expect(items[2].resourceMethods.ANY).toMatchObject({
      apiKeyRequired: true,
      methodIntegration: { type: 'HTTP_PROXY', connectionType: 'INTERNET', httpMethod: 'ANY' },
    });
    const models = await send(new GetModelsCommand({ restApiId: api.id }));
    expect(JSON.parse(models.items.find((row: { name: string }) => row.name === 'Pet').schema).properties.kind.$ref).toBe(
      `https://apigateway.amazonaws.com/restapis/${api.id}/models/Kind`,
    );
  });

  it('merges into one, overwrites it, and takes YAML and base paths', async () => {
    await resource('kept');
    const paths = async () => (await send(new GetResourcesCommand({ restApiId }))).items.map((row: { path: string }) => row.path);
    await send(new PutRestApiCommand({ restApiId, body, mode: 'merge' }));
    expect(await paths()).toEqual(['/', '/kept', '/pets', '/pets/{id}']);
    const yaml =
      'openapi: 3.0.1\ninfo: {title: y, version: "2"}\nservers: [{url: "https://x/base/part"}]\npaths:\n  /a:\n    get:\n      x-amazon-apigateway-integration: {type: mock}\n';
    await send(new PutRestApiCommand({ restApiId, body: Buffer.from(yaml), mode: 'overwrite', parameters: { basepath: 'split' } }));
    expect(await paths()).toEqual(['/', '/part', '/part/a']);
    await send(new PutRestApiCommand({ restApiId, body: Buffer.from(yaml), mode: 'overwrite', parameters: { basepath: 'prepend' } }));
    expect(await paths()).toEqual(['/', '/base', '/base/part', '/base/part/a']);
    expect(await fail(new PutRestApiCommand({ restApiId, body: Buffer.from('{ not: [') }))).toEqual(bad('Invalid OpenAPI input.'));
    expect(await fail(new PutRestApiCommand({ restApiId, body: Buffer.from('[1]') }))).toEqual(bad('Invalid OpenAPI input.'));
    const deep = `{"swagger":"2.0","definitions":{"X":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}}`;
    expect(await fail(new PutRestApiCommand({ restApiId, body: Buffer.from(deep) }))).toEqual(bad('Invalid OpenAPI input.'));
    expect(await fail(new PutRestApiCommand({ restApiId, body: Buffer.from(`openapi: 3.0.0\nx: ${'['.repeat(20_000)}`) }))).toEqual(
      bad('Invalid OpenAPI input.'),
    );
    expect(
      await fail(new PutRestApiCommand({ restApiId, body: Buffer.from('openapi: 3.0.0\na: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\npaths: {"/x y": {}}\n') })),
    ).toEqual(['BadRequestException', 400, expect.stringContaining("Resource's path part only allow")]);
  });
});
