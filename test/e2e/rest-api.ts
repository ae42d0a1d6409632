import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  GetResourcesCommand,
  PutIntegrationCommand,
  PutMethodCommand,
} from '@aws-sdk/client-api-gateway';
import type { CroftProcess } from '../process.ts';

/** A REST API, stage `prod`, with Lambda proxy integrations: `{ 'GET /users/{id}': 'function' }`. Resolves with its URL. */
export async function createApi(croft: Pick<CroftProcess, 'sdk' | 'endpoint'>, routes: Readonly<Record<string, string>>): Promise<string> {
  const client = new APIGatewayClient(croft.sdk);
  const { id: restApiId = '' } = await client.send(new CreateRestApiCommand({ name: 'api' }));
  const root = (await client.send(new GetResourcesCommand({ restApiId }))).items?.find((r) => r.path === '/')?.id ?? '';
  const made = new Map([['/', root]]);
  for (const [route, name] of Object.entries(routes)) {
    const [httpMethod = '', path = ''] = route.split(' ');
    const resourceId = await resource(client, restApiId, made, path);
    await client.send(new PutMethodCommand({ restApiId, resourceId, httpMethod, authorizationType: 'NONE' }));
    const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${name}/invocations`;
    await client.send(new PutIntegrationCommand({ restApiId, resourceId, httpMethod, type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri }));
  }
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: 'prod' }));
  return `${croft.endpoint}/restapis/${restApiId}/prod/_user_request_`;
}

async function resource(client: APIGatewayClient, restApiId: string, made: Map<string, string>, path: string): Promise<string> {
  const known = made.get(path);
  if (known) return known;
  const at = path.lastIndexOf('/');
  const parentId = await resource(client, restApiId, made, path.slice(0, at) || '/');
  const { id = '' } = await client.send(new CreateResourceCommand({ restApiId, parentId, pathPart: path.slice(at + 1) }));
  made.set(path, id);
  return id;
}
