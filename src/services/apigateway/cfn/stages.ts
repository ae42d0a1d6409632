import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Properties, ResourceType } from '../../service.ts';
import { idsFrom } from '../domain/ids.ts';
import { createDeploymentOnce } from '../operations/deployments.ts';
import { claim, keys, unclaim } from '../store.ts';
import {
  asBool,
  asList,
  asObject,
  asText,
  call,
  createUnlessOurs,
  deleteQuietly,
  escapePath,
  type PatchOp,
  patchEntries,
  patchScalar,
  tagsOf,
  textMap,
} from './values.ts';

const SETTINGS: readonly [string, string][] = [
  ['MetricsEnabled', 'metrics/enabled'],
  ['DataTraceEnabled', 'logging/dataTrace'],
  ['LoggingLevel', 'logging/loglevel'],
  ['ThrottlingBurstLimit', 'throttling/burstLimit'],
  ['ThrottlingRateLimit', 'throttling/rateLimit'],
  ['CacheTtlInSeconds', 'caching/ttlInSeconds'],
  ['CachingEnabled', 'caching/enabled'],
  ['CacheDataEncrypted', 'caching/dataEncrypted'],
];

/** `/` is all resources' own path; the setting's key has the slash escaped. */
function settingKey(setting: Properties): string {
  const path = asText(setting['ResourcePath']) ?? '/*';
  return `${path === '/*' ? '*' : escapePath(path)}/${asText(setting['HttpMethod']) ?? '*'}`;
}

function settingPatches(next: unknown, before: unknown): PatchOp[] {
  const wanted = asList(next).map(asObject);
  const keys = new Set(wanted.map(settingKey));
  const ops: PatchOp[] = asList(before)
    .map(asObject)
    .filter((setting) => !keys.has(settingKey(setting)))
    .map((setting) => ({ op: 'remove', path: `/${settingKey(setting)}` }));
  for (const setting of wanted) {
    for (const [name, path] of SETTINGS) {
      if (setting[name] !== undefined) ops.push({ op: 'replace', path: `/${settingKey(setting)}/${path}`, value: String(setting[name]) });
    }
  }
  return ops;
}

function accessLogPatches(next: unknown, before: unknown): PatchOp[] {
  if (next === undefined) return before === undefined ? [] : [{ op: 'remove', path: '/accessLogSettings' }];
  const { DestinationArn, Format } = asObject(next);
  return [
    ...(DestinationArn === undefined ? [] : [{ op: 'replace' as const, path: '/accessLogSettings/destinationArn', value: String(DestinationArn) }]),
    ...(Format === undefined ? [] : [{ op: 'replace' as const, path: '/accessLogSettings/format', value: String(Format) }]),
  ];
}

/** "AWS::ApiGateway::Deployment". Its `StageName` makes or moves a stage. */
export const deployment: ResourceType = {
  type: 'AWS::ApiGateway::Deployment',
  replaceOn: ['RestApiId', 'DeploymentCanarySettings', 'StageName'],
  properties: ['Description', 'RestApiId', 'StageDescription', 'StageName'],
  recorded: ['StageDescription'],
  async create(ctx, { properties, token }) {
    const stage = asObject(properties['StageDescription']);
    const restApiId = asText(properties['RestApiId']);
    const stageName = asText(properties['StageName']);
    const { id } = await createDeploymentOnce(
      ctx,
      {
        restApiId,
        stageName,
        description: asText(properties['Description']),
        stageDescription: asText(stage['Description']),
        variables: textMap(stage['Variables']),
        tracingEnabled: asBool(stage['TracingEnabled']),
      },
      idsFrom(token),
    );
    const patchOperations = [...settingPatches(stage['MethodSettings'], undefined), ...accessLogPatches(stage['AccessLogSetting'], undefined)];
    if (stageName !== undefined && patchOperations.length > 0) await call(ctx, 'UpdateStage', { restApiId, stageName, patchOperations });
    return { physicalId: String(id), attributes: { DeploymentId: id } };
  },
  async update(ctx, request) {
    const { properties, previous, physicalId } = request;
    const patchOperations = patchScalar('/description', properties['Description'], previous['Description']);
    if (patchOperations.length > 0)
      await call(ctx, 'UpdateDeployment', { restApiId: asText(properties['RestApiId']), deploymentId: physicalId, patchOperations });
    return { physicalId, attributes: { DeploymentId: physicalId } };
  },
  async delete(ctx, request) {
    const restApiId = asText(request.properties['RestApiId']);
    await dropOwnStage(ctx, restApiId, asText(request.properties['StageName']), request.physicalId);
    await deleteQuietly(ctx, 'DeleteDeployment', { restApiId, deploymentId: request.physicalId });
  },
};

/** The stage that the deployment made goes with it, unless a later deployment has taken it over. */
async function dropOwnStage(ctx: Ctx, restApiId: string | undefined, stageName: string | undefined, deploymentId: string): Promise<void> {
  if (stageName === undefined) return;
  try {
    const stage = await call(ctx, 'GetStage', { restApiId, stageName });
    if (stage['deploymentId'] === deploymentId) await call(ctx, 'DeleteStage', { restApiId, stageName });
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'NotFoundException') throw error;
  }
}

function stagePatches(properties: Properties, previous: Properties): PatchOp[] {
  return [
    ...patchScalar('/deploymentId', properties['DeploymentId'], previous['DeploymentId']),
    ...patchScalar('/description', properties['Description'], previous['Description']),
    ...patchScalar('/cacheClusterEnabled', properties['CacheClusterEnabled'], previous['CacheClusterEnabled']),
    ...patchScalar('/cacheClusterSize', properties['CacheClusterSize'], previous['CacheClusterSize']),
    ...patchScalar('/clientCertificateId', properties['ClientCertificateId'], previous['ClientCertificateId']),
    ...patchScalar('/tracingEnabled', properties['TracingEnabled'], previous['TracingEnabled']),
    ...patchEntries('/variables', properties['Variables'], previous['Variables']),
    ...settingPatches(properties['MethodSettings'], previous['MethodSettings']),
    ...accessLogPatches(properties['AccessLogSetting'], previous['AccessLogSetting']),
  ];
}

/** "AWS::ApiGateway::Stage". */
export const stage: ResourceType = {
  type: 'AWS::ApiGateway::Stage',
  replaceOn: ['RestApiId', 'StageName'],
  properties: [
    'AccessLogSetting',
    'CacheClusterEnabled',
    'CacheClusterSize',
    'CanarySetting',
    'ClientCertificateId',
    'DeploymentId',
    'Description',
    'DocumentationVersion',
    'MethodSettings',
    'RestApiId',
    'StageName',
    'Tags',
    'TracingEnabled',
    'Variables',
  ],
  recorded: ['AccessLogSetting', 'CacheClusterEnabled', 'CacheClusterSize', 'ClientCertificateId', 'DocumentationVersion', 'MethodSettings', 'TracingEnabled'],
  async create(ctx, request) {
    const { properties } = request;
    if (properties['CanarySetting'] !== undefined) throw notImplemented('AWS::ApiGateway::Stage with CanarySetting');
    const restApiId = asText(properties['RestApiId']) ?? '';
    const stageName = asText(properties['StageName']) ?? request.generatedName(64).replaceAll('-', '_');
    const exists = (tx: Tx) => tx.get(keys.part(ctx, restApiId, 'stage', stageName)) !== undefined;
    const ours = await claim(ctx.platform.store, ctx, restApiId, `stage ${stageName}`, request.token, exists);
    await createUnlessOurs(ctx, ours, 'CreateStage', {
      restApiId,
      stageName,
      deploymentId: asText(properties['DeploymentId']),
      description: asText(properties['Description']),
      documentationVersion: asText(properties['DocumentationVersion']),
      variables: textMap(properties['Variables']),
      tags: tagsOf(properties, request.tags),
    });
    const { DeploymentId: _deployment, Description: _description, Variables: _variables, ...rest } = properties;
    const patchOperations = stagePatches(rest, {});
    if (patchOperations.length > 0) await call(ctx, 'UpdateStage', { restApiId, stageName, patchOperations });
    return { physicalId: stageName, attributes: {} };
  },
  async update(ctx, request) {
    const { properties, previous, physicalId: stageName } = request;
    if (properties['CanarySetting'] !== undefined) throw notImplemented('AWS::ApiGateway::Stage with CanarySetting');
    const patchOperations = stagePatches(properties, previous);
    if (patchOperations.length > 0) await call(ctx, 'UpdateStage', { restApiId: asText(properties['RestApiId']), stageName, patchOperations });
    return { physicalId: stageName, attributes: {} };
  },
  async delete(ctx, request) {
    const restApiId = asText(request.properties['RestApiId']);
    await deleteQuietly(ctx, 'DeleteStage', { restApiId, stageName: request.physicalId });
    await unclaim(ctx.platform.store, ctx, restApiId ?? '', `stage ${request.physicalId}`);
  },
};
