// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are written so
import { beforeEach, describe, expect, it } from 'vitest';
import { fakePlatform } from '../../../test/fake-platform.ts';
import type { EndpointRequest, Service } from '../service.ts';
import { createApiGatewayRoom } from './index.ts';

let room: Service;
let restApiId: string;
let resourceId: string;
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
let api: (operation: string, input?: Record<string, unknown>) => Promise<any>;
let get: () => Promise<unknown>;

async function answerWith(version: string): Promise<void> {
  await api('PutIntegrationResponse', {
    resourceId,
    httpMethod: 'GET',
    statusCode: '200',
    responseTemplates: { 'application/json': `{"version":"${version}","who":"$stageVariables.who","canary":"$context.isCanaryRequest"}` },
  });
}

const patch = (...patchOperations: Record<string, string>[]) => api('UpdateStage', { stageName: 'dev', patchOperations });
const replace = (path: string, value: string) => ({ op: 'replace', path, value });
const refused = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: Error) => error.message,
  );

beforeEach(async () => {
  room = createApiGatewayRoom();
  const rig = await fakePlatform([room]);
  api = (operation, input) => rig.ctx.call('apigateway', operation, { restApiId, ...input });
  const created = (await rig.ctx.call('apigateway', 'CreateRestApi', { name: 'n' })) as Record<string, string>;
  restApiId = created['id'] ?? '';
  resourceId = created['rootResourceId'] ?? '';
  get = async () => {
    const request: EndpointRequest = {
      method: 'GET',
      path: '/dev',
      query: '',
      headers: {},
      rawHeaders: [],
      body: Buffer.alloc(0),
      id: restApiId,
      host: 'h',
      scheme: 'http',
      httpVersion: '1.1',
      sourceIp: '127.0.0.1',
    };
    return JSON.parse(String((await room.endpoints?.['execute-api']?.(rig.ctx, request))?.body));
  };
  await api('PutMethod', { resourceId, httpMethod: 'GET', authorizationType: 'none' });
  await api('PutIntegration', { resourceId, httpMethod: 'GET', type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
  await answerWith('one');
  await api('CreateDeployment', { stageName: 'dev', variables: { who: 'all' } });
  await answerWith('two');
});

describe('a canary', () => {
  it('takes its share of the requests, with its own variables, until it is promoted', async () => {
    expect(await get()).toEqual({ version: 'one', who: 'all', canary: '' });
    await api('CreateDeployment', { stageName: 'dev', canarySettings: { percentTraffic: 0, stageVariableOverrides: { who: 'few' } } });
    expect(await get()).toEqual({ version: 'one', who: 'all', canary: 'false' });
    await patch(replace('/canarySettings/percentTraffic', '100'));
    expect(await get()).toEqual({ version: 'two', who: 'few', canary: 'true' });
    const promoted = await patch(
      replace('/canarySettings/percentTraffic', '0'),
      { op: 'copy', from: '/canarySettings/deploymentId', path: '/deploymentId' },
      { op: 'copy', from: '/canarySettings/stageVariableOverrides', path: '/variables' },
    );
    expect(promoted).toMatchObject({ variables: { who: 'few' }, deploymentId: promoted.canarySettings.deploymentId });
    expect(await get()).toEqual({ version: 'two', who: 'few', canary: 'false' });
    expect(await patch({ op: 'remove', path: '/canarySettings' })).not.toHaveProperty('canarySettings');
  });

  it('is refused where it makes no sense', async () => {
    const canarySettings = { percentTraffic: 50 };
    expect(await refused(api('CreateDeployment', { canarySettings }))).toMatch(/stageName must be provided for canary deployment. Provided value is null$/);
    expect(await refused(api('CreateDeployment', { stageName: 'new', canarySettings }))).toMatch(/Stage new must already be created/);
    expect(await refused(patch({ op: 'copy', from: '/canarySettings/deploymentId', path: '/deploymentId' }))).toBe(
      'Promotion not available. Canary does not exist.',
    );
    expect(await refused(patch({ op: 'copy', from: '/variables', path: '/deploymentId' }))).toMatch(/^Invalid copy operation with path: \/deploymentId/);
    expect(await refused(patch({ op: 'add', path: '/canarySettings/deploymentId', value: 'x' }))).toBe(
      'Invalid add operation with path: /canarySettings/deploymentId',
    );
    expect(await refused(patch(replace('/canarySettings/deploymentId', 'gone')))).toBe('Deployment id does not exist');
    expect(await refused(patch({ op: 'remove', path: '/canarySettings/nothing' }))).toMatch(/^Cannot remove method setting canarySettings\/nothing/);
  });
});

describe('documentation', () => {
  const part = (location: Record<string, string>, properties = '{}') => api('CreateDocumentationPart', { location, properties });

  it('has parts in the order of their making, one a place', async () => {
    const made = await part({ type: 'API' }, '{"description":"a"}');
    await part({ type: 'METHOD', method: 'GET' });
    expect(await refused(part({ type: 'API' }))).toBe('Documentation part already exists for the specified location');
    expect((await api('GetDocumentationParts')).items).toMatchObject([{ id: made.id }, { location: { type: 'METHOD', path: '/', method: 'GET' } }]);
    const update = (operation: Record<string, string>) => api('UpdateDocumentationPart', { documentationPartId: made.id, patchOperations: [operation] });
    expect(await update(replace('/properties', '{"b":1}'))).toEqual({ id: made.id, location: { type: 'API' }, properties: '{"b":1}' });
    expect(await refused(update(replace('/location', 'x')))).toMatch(/Must be one of: \[\/properties\]$/);
    await api('DeleteDocumentationPart', { documentationPartId: made.id });
    expect(await refused(api('GetDocumentationPart', { documentationPartId: made.id }))).toBe('Invalid Documentation part identifier specified');
  });

  it('comes with an imported document', async () => {
    const document = (properties: unknown) =>
      Buffer.from(
        JSON.stringify({
          openapi: '3.0.1',
          info: { title: 't' },
          paths: {},
          'x-amazon-apigateway-documentation': { documentationParts: [{ location: { type: 'API' }, properties }] },
        }),
      );
    await api('PutRestApi', { body: document({ a: 1 }) });
    const [first] = (await api('GetDocumentationParts')).items;
    expect(first).toMatchObject({ properties: '{"a":1}' });
    expect(await api('ImportDocumentationParts', { body: document({ a: 2 }) })).toEqual({ ids: [first.id] });
    expect(await refused(api('ImportDocumentationParts', { body: Buffer.from('{x') }))).toBe('Unable to build importer with provided input.');
    expect(await api('CreateDocumentationVersion', { documentationVersion: 'v1', stageName: 'dev' })).toMatchObject({ version: 'v1' });
    expect(await api('GetStage', { stageName: 'dev' })).toMatchObject({ documentationVersion: 'v1' });
  });
});

describe('an import', () => {
  const document = (requestParameters: unknown) =>
    Buffer.from(
      JSON.stringify({
        openapi: '3.0.1',
        info: { title: 't' },
        servers: [{ url: 'https://h', variables: { basePath: { default: '/v1' } } }],
        'x-amazon-apigateway-binary-media-types': ['image/png'],
        components: { schemas: { Kind: { description: 'what', type: 'object' } } },
        paths: { '/a/{id}': { get: { 'x-amazon-apigateway-integration': { type: 'mock', requestParameters } } } },
      }),
    );

  it('adds what follows, and tells what it left out', async () => {
    await api('UpdateRestApi', { patchOperations: [{ op: 'add', path: '/binaryMediaTypes/image~1jpg' }] });
    const body = document({ 'integration.request.header.x': true });
    const warning =
      "Invalid format for 'requestParameters'. Expected type string for property 'integration.request.header.x' of resource '/v1/a/{id}' and method 'GET' but got 'true'";
    const parameters = { basepath: 'prepend' };
    expect(await refused(api('PutRestApi', { body, parameters, failOnWarnings: true }))).toContain(warning);
    expect(await api('PutRestApi', { body, parameters })).toMatchObject({ name: 't', warnings: [warning], binaryMediaTypes: ['image/jpg', 'image/png'] });
    const { items } = await api('GetResources', { embed: ['methods'] });
    const found = items.find((row: { path: string }) => row.path === '/v1/a/{id}');
    expect(found.resourceMethods.GET.requestParameters).toEqual({ 'method.request.path.id': true });
    expect(await api('GetModel', { modelName: 'Kind' })).toMatchObject({ description: 'what' });
  });
});
