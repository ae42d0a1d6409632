import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakePlatform } from '../../../test/fake-platform.ts';
import type { EndpointRequest, Properties, ResourceRequest, ResourceResult, Service } from '../service.ts';
import { createApiGatewayRoom } from './index.ts';

type Rig = Awaited<ReturnType<typeof fakePlatform>>;

let rig: Rig;
let room: Service;

function typeOf(name: string) {
  const type = room.resources?.find((candidate) => candidate.type === `AWS::ApiGateway::${name}`);
  if (!type) throw new Error(`no ${name}`);
  return type;
}

let operation = 0;

/** A stack operation has a token of its own; a retry has it again. */
const requestOf = (properties: Properties, tags: Record<string, string> = {}, token = `token-${operation++}`): ResourceRequest => ({
  properties,
  logicalId: 'Logical',
  stackId: 'arn:stack',
  stackName: 'stack',
  generatedName: (max = 64) => 'stack-Logical-ABCDEFGHIJKL'.slice(0, max),
  token,
  tags,
});

/** Every property of a template must be one the type says it understands. */
function create(name: string, properties: Properties, tags?: Record<string, string>): Promise<ResourceResult> {
  const type = typeOf(name);
  for (const property of Object.keys(properties)) expect(type.properties).toContain(property);
  return type.create(rig.ctx, requestOf(properties, tags));
}
const update = (name: string, physicalId: string, previous: Properties, properties: Properties) =>
  typeOf(name).update(rig.ctx, { ...requestOf(properties), physicalId, previous });
const remove = (name: string, physicalId: string, properties: Properties) =>
  typeOf(name).delete(rig.ctx, { physicalId, properties, stackId: 'arn:stack', logicalId: 'Logical' });
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
const api = (operation: string, input: Record<string, unknown>): Promise<any> => rig.ctx.call('apigateway', operation, input);

async function get(id: string, path: string) {
  const handler = room.endpoints?.['execute-api'];
  const request: EndpointRequest = {
    method: 'GET',
    path,
    query: '',
    headers: {},
    body: Buffer.alloc(0),
    id,
    rawHeaders: [],
    host: 'h',
    scheme: 'http',
    httpVersion: '1.1',
    sourceIp: '127.0.0.1',
  };
  const answer = await handler?.(rig.ctx, request);
  return [answer?.status, String(answer?.body)];
}

beforeEach(async () => {
  room = createApiGatewayRoom();
  rig = await fakePlatform([room]);
});
afterEach(() => room.stop?.());

describe('CloudFormation', () => {
  const mock = (text: string) => ({
    type: 'mock',
    requestTemplates: { 'application/json': '{"statusCode": 200}' },
    responses: { default: { statusCode: '200', responseTemplates: { 'application/json': `{"say":"${text}"}` } } },
  });
  const bodyOf = (text: string) => ({
    swagger: '2.0',
    info: { version: '1.0', title: 'stack' },
    paths: { '/hello': { get: { responses: {}, 'x-amazon-apigateway-integration': mock(text) } } },
  });

  it('stands up, changes and takes down what SAM makes of an Api event', async () => {
    const before = { Body: bodyOf('one'), EndpointConfiguration: { Types: ['REGIONAL'] }, Parameters: { endpointConfigurationTypes: 'REGIONAL' } };
    const created = await create('RestApi', before, { stack: 'tag' });
    const id = created.physicalId;
    expect(created.attributes).toEqual({ RestApiId: id, RootResourceId: expect.stringMatching(/^[a-z0-9]{10}$/) });
    expect(await api('GetRestApi', { restApiId: id })).toMatchObject({ name: 'stack', endpointConfiguration: { types: ['REGIONAL'] }, tags: { stack: 'tag' } });
    const deploymentProperties = { RestApiId: id, StageName: 'Stage', Description: 'RestApi deployment id: abc' };
    const first = await create('Deployment', deploymentProperties);
    const stageBefore = {
      RestApiId: id,
      DeploymentId: first.physicalId,
      StageName: 'Prod',
      Variables: { a: '1' },
      MethodSettings: [{ ResourcePath: '/*', HttpMethod: '*', ThrottlingBurstLimit: '7' }],
    };
    const stage = await create('Stage', stageBefore);
    expect(stage.physicalId).toBe('Prod');
    expect(await get(id, '/Prod/hello')).toEqual([200, '{"say":"one"}']);
    const after = { ...before, Body: bodyOf('two'), Name: 'named' };
    await update('RestApi', id, before, after);
    expect(await api('GetRestApi', { restApiId: id })).toMatchObject({ name: 'named' });
    expect(await get(id, '/Prod/hello')).toEqual([200, '{"say":"one"}']);
    const second = await create('Deployment', deploymentProperties);
    const stageAfter = { ...stageBefore, DeploymentId: second.physicalId, Variables: { b: '2' }, MethodSettings: [] };
    await update('Stage', 'Prod', stageBefore, stageAfter);
    expect(await get(id, '/Prod/hello')).toEqual([200, '{"say":"two"}']);
    expect(await api('GetStage', { restApiId: id, stageName: 'Prod' })).toMatchObject({ variables: { b: '2' }, methodSettings: {} });
    await remove('Deployment', first.physicalId, deploymentProperties);
    expect(await get(id, '/Stage/hello')).toEqual([200, '{"say":"two"}']);
    await remove('Stage', 'Prod', stageAfter);
    await remove('Deployment', second.physicalId, deploymentProperties);
    await remove('RestApi', id, after);
    await remove('RestApi', id, after);
    await rig.bus.drain();
    expect((await rig.platform.store.range({ from: 'apigw', to: 'apigx' })).entries).toEqual([]);
  });

  it('stands up an API written resource by resource', async () => {
    const { physicalId: id, attributes } = await create('RestApi', { Name: 'plain', BinaryMediaTypes: ['image/png'], Tags: [{ Key: 'k', Value: 'v' }] });
    const resource = await create('Resource', { RestApiId: id, ParentId: attributes['RootResourceId'], PathPart: 'items' });
    const validator = await create('RequestValidator', { RestApiId: id, Name: 'v', ValidateRequestParameters: 'true' });
    await create('Model', { RestApiId: id, Name: 'Item', ContentType: 'application/json', Schema: { type: 'object' } });
    await create('GatewayResponse', { RestApiId: id, ResponseType: 'DEFAULT_4XX', ResponseParameters: { 'gatewayresponse.header.X': "'1'" } });
    const before = {
      RestApiId: id,
      ResourceId: resource.physicalId,
      HttpMethod: 'GET',
      AuthorizationType: 'NONE',
      ApiKeyRequired: 'false',
      RequestValidatorId: validator.physicalId,
      RequestParameters: { 'method.request.querystring.q': 'false' },
      MethodResponses: [{ StatusCode: 200, ResponseModels: { 'application/json': 'Item' } }],
      Integration: {
        Type: 'MOCK',
        RequestTemplates: { 'application/json': '{"statusCode": 200}' },
        IntegrationResponses: [{ StatusCode: 200, ResponseTemplates: { 'application/json': 'A' } }],
      },
    };
    const method = await create('Method', before);
    const deployment = await create('Deployment', { RestApiId: id });
    await create('Stage', { RestApiId: id, DeploymentId: deployment.physicalId, StageName: 'v1' });
    expect(await get(id, '/v1/items')).toEqual([200, 'A']);
    await update('Method', method.physicalId, before, { ...before, RequestParameters: { 'method.request.querystring.q': true } });
    const again = await create('Deployment', { RestApiId: id, StageName: 'v2' });
    expect(await get(id, '/v2/items')).toEqual([400, '{"message": "Missing required request parameters: [q]"}']);
    const key = await create('ApiKey', { Name: 'key', Enabled: true });
    const planBefore = { UsagePlanName: 'plan', ApiStages: [{ ApiId: id, Stage: 'v1' }], Quota: { Limit: '5', Period: 'DAY' } };
    const plan = await create('UsagePlan', planBefore);
    const planKey = await create('UsagePlanKey', { KeyId: key.physicalId, KeyType: 'API_KEY', UsagePlanId: plan.physicalId });
    expect(planKey.physicalId).toBe(`${key.physicalId}:${plan.physicalId}`);
    await update('UsagePlan', plan.physicalId, planBefore, { UsagePlanName: 'other', ApiStages: [{ ApiId: id, Stage: 'v2' }] });
    const updated = await api('GetUsagePlan', { usagePlanId: plan.physicalId });
    expect(updated).toMatchObject({ name: 'other', apiStages: [{ apiId: id, stage: 'v2' }] });
    expect(updated).not.toHaveProperty('quota');
    await remove('Deployment', again.physicalId, { RestApiId: id, StageName: 'v2' });
    expect(await get(id, '/v2/items')).toEqual([403, '{"message":"Forbidden"}']);
  });

  it('makes nothing twice when an operation is tried again, and takes over nothing that was there', async () => {
    const twice = async (name: string, properties: Properties) => {
      const request = requestOf(properties);
      const first = await typeOf(name).create(rig.ctx, request);
      expect(await typeOf(name).create(rig.ctx, request)).toEqual(first);
      return first.physicalId;
    };
    const RestApiId = await twice('RestApi', { Name: 'plain' });
    await twice('RestApi', { Body: bodyOf('x') });
    const { rootResourceId } = await api('GetRestApi', { restApiId: RestApiId });
    const ResourceId = await twice('Resource', { RestApiId, ParentId: rootResourceId, PathPart: 'a' });
    const method = {
      RestApiId,
      ResourceId,
      HttpMethod: 'GET',
      MethodResponses: [{ StatusCode: '200' }],
      Integration: { Type: 'MOCK', IntegrationResponses: [{ StatusCode: '200' }] },
    };
    await twice('Method', method);
    await twice('Model', { RestApiId, Name: 'M', ContentType: 'application/json', Schema: { type: 'object' } });
    await twice('RequestValidator', { RestApiId, Name: 'v' });
    await twice('Authorizer', { RestApiId, Name: 'z', Type: 'TOKEN', AuthorizerUri: 'arn:x' });
    const DeploymentId = await twice('Deployment', { RestApiId, StageName: 'made' });
    await twice('Stage', { RestApiId, DeploymentId, StageName: 's', Variables: { a: '1' } });
    const KeyId = await twice('ApiKey', { Name: 'k', Value: 'v'.repeat(20) });
    const UsagePlanId = await twice('UsagePlan', { UsagePlanName: 'p' });
    await twice('UsagePlanKey', { KeyId, KeyType: 'API_KEY', UsagePlanId });
    const counts = await Promise.all(
      ['GetRestApis', 'GetApiKeys', 'GetUsagePlans', 'GetDeployments', 'GetRequestValidators', 'GetAuthorizers', 'GetModels'].map(
        async (list) => (await api(list, { restApiId: RestApiId })).items.length,
      ),
    );
    expect(counts).toEqual([2, 1, 1, 1, 1, 1, 3]);
    for (const [name, properties] of [
      ['Resource', { RestApiId, ParentId: rootResourceId, PathPart: 'a' }],
      ['Method', method],
      ['Model', { RestApiId, Name: 'M', Schema: { type: 'object' } }],
      ['Stage', { RestApiId, DeploymentId, StageName: 's' }],
      ['UsagePlanKey', { KeyId, KeyType: 'API_KEY', UsagePlanId }],
      ['ApiKey', { Name: 'k', Value: 'v'.repeat(20) }],
    ] as const) {
      await expect(create(name, properties)).rejects.toMatchObject({ code: 'ConflictException' });
    }
    await remove('UsagePlanKey', 'x', { KeyId, UsagePlanId });
    await remove('UsagePlan', UsagePlanId, {});
    await remove('ApiKey', KeyId, {});
    for (const { id } of (await api('GetRestApis', {})).items) await remove('RestApi', id, {});
    await rig.bus.drain();
    expect((await rig.platform.store.range({ from: 'apigw', to: 'apigx' })).entries).toEqual([]);
  });
});
