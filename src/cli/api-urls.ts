import { CloudFormationClient, type CloudFormationClientConfig, ListStackResourcesCommand, type StackResourceSummary } from '@aws-sdk/client-cloudformation';

/** The URLs under which a stack's REST APIs answer on this Croft: one a stage. */
export async function apiUrls(config: CloudFormationClientConfig & { endpoint: string }, stack: string): Promise<string[]> {
  const client = new CloudFormationClient(config);
  const resources: StackResourceSummary[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListStackResourcesCommand({ StackName: stack, ...(nextToken ? { NextToken: nextToken } : {}) }));
    resources.push(...(page.StackResourceSummaries ?? []));
    nextToken = page.NextToken;
  } while (nextToken);
  const ids = (type: string) => resources.filter((r) => r.ResourceType === type && r.PhysicalResourceId).map((r) => r.PhysicalResourceId ?? '');
  if (ids('AWS::ApiGateway::RestApi').length === 0) return [];
  const { APIGatewayClient, GetStagesCommand } = await import('@aws-sdk/client-api-gateway');
  const apis = new APIGatewayClient(config);
  const urls: string[] = [];
  for (const id of ids('AWS::ApiGateway::RestApi')) {
    for (const stage of (await apis.send(new GetStagesCommand({ restApiId: id }))).item ?? [])
      urls.push(`${config.endpoint}/restapis/${id}/${stage.stageName}/_user_request_`);
  }
  return urls;
}
