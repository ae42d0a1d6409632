import { once } from 'node:events';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { applyCodeSigning, codeSigningConfig } from './cloudformation-code-signing.ts';
import { given, isCode, quietly, text, whole } from './cloudformation-helpers.ts';
import { eventInvokeConfig, layerVersion, layerVersionPermission, url } from './cloudformation-more.ts';
import { applyProvisioned } from './cloudformation-provisioned.ts';
import { zipOf } from './domain/inline-code.ts';
import { eventSourceMapping } from './event-source-mappings/index.ts';
import { FUNCTION_NAME_LENGTH_MAX } from './limits.ts';

/** How often, and how long, a function is looked at until it is Active. */
const STABLE_POLL_MS = 20;
const STABLE_POLLS_MAX = 3000;
const LOGICAL_ID_TAG = 'aws:cloudformation:logical-id';
const STACK_ID_TAG = 'aws:cloudformation:stack-id';
const STACK_NAME_TAG = 'aws:cloudformation:stack-name';

/** Templates carry numbers and switches as texts too. */
function settingsOf(properties: Properties): Record<string, unknown> {
  const storage = properties['EphemeralStorage'] as Properties | undefined;
  const environment = properties['Environment'] as Properties | undefined;
  const variables =
    environment && Object.fromEntries(Object.entries((environment['Variables'] ?? {}) as Properties).map(([name, value]) => [name, String(value)]));
  return given({
    Role: properties['Role'],
    Handler: properties['Handler'],
    Runtime: properties['Runtime'],
    Description: properties['Description'],
    Timeout: whole(properties['Timeout']),
    MemorySize: whole(properties['MemorySize']),
    Environment: variables && { Variables: variables },
    VpcConfig: properties['VpcConfig'],
    DeadLetterConfig: properties['DeadLetterConfig'],
    TracingConfig: properties['TracingConfig'],
    KMSKeyArn: properties['KmsKeyArn'],
    FileSystemConfigs: properties['FileSystemConfigs'],
    EphemeralStorage: storage && { Size: Number(storage['Size']) },
    SnapStart: properties['SnapStart'],
    LoggingConfig: properties['LoggingConfig'],
    Layers: properties['Layers'],
    ImageConfig: properties['ImageConfig'],
    DurableConfig: durableOf(properties['DurableConfig'] as Properties | undefined),
  });
}

function durableOf(config: Properties | undefined): Record<string, unknown> | undefined {
  return (
    config && { ...config, ...given({ ExecutionTimeout: whole(config['ExecutionTimeout']), RetentionPeriodInDays: whole(config['RetentionPeriodInDays']) }) }
  );
}

async function codeOf(properties: Properties): Promise<Record<string, unknown>> {
  const code = (properties['Code'] ?? {}) as Properties;
  if (typeof code['ZipFile'] === 'string') return { ZipFile: await zipOf(text(properties['Runtime']), code['ZipFile']) };
  return given({ S3Bucket: code['S3Bucket'], S3Key: code['S3Key'], S3ObjectVersion: code['S3ObjectVersion'], ImageUri: code['ImageUri'] });
}

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags' | 'stackId' | 'stackName' | 'logicalId'>): Record<string, string> {
  const own = Array.isArray(request.properties['Tags']) ? (request.properties['Tags'] as { Key: string; Value: string }[]) : [];
  return {
    ...request.tags,
    ...Object.fromEntries(own.map(({ Key, Value }) => [Key, String(Value)])),
    [STACK_NAME_TAG]: request.stackName,
    [LOGICAL_ID_TAG]: request.logicalId,
    [STACK_ID_TAG]: request.stackId,
  };
}

/** Waits until creation or update is done. Throws where it failed. */
async function stable(ctx: Ctx, name: string): Promise<Record<string, unknown>> {
  for (let poll = 0; poll < STABLE_POLLS_MAX; poll++) {
    const now = await ctx.call('lambda', 'GetFunctionConfiguration', { FunctionName: name });
    if (now['State'] === 'Failed') throw new AwsError('NotStabilized', text(now['StateReason']));
    if (now['LastUpdateStatus'] === 'Failed') throw new AwsError('NotStabilized', text(now['LastUpdateStatusReason']));
    if (now['State'] === 'Active' && now['LastUpdateStatus'] !== 'InProgress') return now;
    await once(AbortSignal.timeout(STABLE_POLL_MS), 'abort');
  }
  throw new AwsError('NotStabilized', `The function ${name} did not become active`);
}

async function functionResult(ctx: Ctx, name: string): Promise<ResourceResult> {
  const now = await stable(ctx, name);
  return { physicalId: name, attributes: { Arn: now['FunctionArn'], 'SnapStartResponse.ApplyOn': 'None', 'SnapStartResponse.OptimizationStatus': 'Off' } };
}

async function applyConcurrency(ctx: Ctx, name: string, properties: Properties): Promise<void> {
  const reserved = whole(properties['ReservedConcurrentExecutions']);
  if (reserved !== undefined) await ctx.call('lambda', 'PutFunctionConcurrency', { FunctionName: name, ReservedConcurrentExecutions: reserved });
}

/** A stack that is tried again meets what it made before, and knows it by its tags. */
async function isOurs(ctx: Ctx, name: string, request: ResourceRequest): Promise<boolean> {
  const { Tags: tags } = (await ctx.call('lambda', 'GetFunction', { FunctionName: name })) as { Tags?: Record<string, string> };
  return tags?.[STACK_ID_TAG] === request.stackId && tags[LOGICAL_ID_TAG] === request.logicalId;
}

/** "AWS::Lambda::Function". */
const lambdaFunction: ResourceType = {
  type: 'AWS::Lambda::Function',
  replaceOn: ['FunctionName', 'PackageType', 'TenancyConfig'],
  properties: [
    ...[
      'Architectures',
      'Code',
      'DeadLetterConfig',
      'Description',
      'DurableConfig',
      'Environment',
      'EphemeralStorage',
      'FileSystemConfigs',
      'FunctionName',
      'Handler',
      'ImageConfig',
      'KmsKeyArn',
    ],
    ...[
      'Layers',
      'LoggingConfig',
      'MemorySize',
      'PackageType',
      'RecursiveLoop',
      'ReservedConcurrentExecutions',
      'Role',
      'Runtime',
      'RuntimeManagementConfig',
      'SnapStart',
    ],
    ...['CodeSigningConfigArn', 'Tags', 'TenancyConfig', 'Timeout', 'TracingConfig', 'VpcConfig'],
  ],
  recorded: ['Architectures', 'DeadLetterConfig', 'FileSystemConfigs', 'KmsKeyArn', 'RecursiveLoop', 'RuntimeManagementConfig', 'TracingConfig', 'VpcConfig'],
  async create(ctx, request) {
    const { properties } = request;
    const name = text(properties['FunctionName']) || request.generatedName(FUNCTION_NAME_LENGTH_MAX);
    const input = given({
      FunctionName: name,
      ...settingsOf(properties),
      Code: await codeOf(properties),
      PackageType: properties['PackageType'],
      Architectures: properties['Architectures'],
      CodeSigningConfigArn: properties['CodeSigningConfigArn'],
      TenancyConfig: properties['TenancyConfig'],
      Tags: tagsOf(request),
    });
    try {
      await ctx.call('lambda', 'CreateFunction', input);
    } catch (error) {
      if (!isCode(error, 'ResourceConflictException') || !(await isOurs(ctx, name, request))) throw error;
    }
    await applyConcurrency(ctx, name, properties);
    return functionResult(ctx, name);
  },
  async update(ctx, request) {
    const { properties, previous, physicalId: name } = request;
    await stable(ctx, name);
    await ctx.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: name, ...unset(previous, properties), ...settingsOf(properties) });
    await stable(ctx, name);
    const codeChanged = JSON.stringify([previous['Code'], previous['Architectures']]) !== JSON.stringify([properties['Code'], properties['Architectures']]);
    if (codeChanged)
      await ctx.call('lambda', 'UpdateFunctionCode', given({ FunctionName: name, ...(await codeOf(properties)), Architectures: properties['Architectures'] }));
    if (properties['ReservedConcurrentExecutions'] === undefined) {
      if (previous['ReservedConcurrentExecutions'] !== undefined) await ctx.call('lambda', 'DeleteFunctionConcurrency', { FunctionName: name });
    } else await applyConcurrency(ctx, name, properties);
    await applyCodeSigning(ctx, name, properties, previous);
    const result = await functionResult(ctx, name);
    await retag(ctx, text(result.attributes['Arn']), tagsOf(request));
    return result;
  },
  delete: (ctx, request) => quietly(ctx, 'DeleteFunction', { FunctionName: request.physicalId }),
};

/** What a template no longer says goes back to its default. */
function unset(previous: Properties, next: Properties): Record<string, unknown> {
  const defaults: Record<string, unknown> = {
    Description: '',
    Timeout: 3,
    MemorySize: 128,
    Environment: { Variables: {} },
    VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
    DeadLetterConfig: {},
    TracingConfig: { Mode: 'PassThrough' },
    FileSystemConfigs: [],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None' },
    LoggingConfig: { LogFormat: 'Text' },
  };
  const gone = Object.entries(defaults).filter(([name]) => previous[name] !== undefined && next[name] === undefined);
  const key = previous['KmsKeyArn'] !== undefined && next['KmsKeyArn'] === undefined ? { KMSKeyArn: '' } : {};
  return { ...Object.fromEntries(gone), ...key };
}

async function retag(ctx: Ctx, arn: string, tags: Record<string, string>): Promise<void> {
  const { Tags: had = {} } = (await ctx.call('lambda', 'ListTags', { Resource: arn })) as { Tags?: Record<string, string> };
  const gone = Object.keys(had).filter((key) => !(key in tags));
  if (gone.length > 0) await ctx.call('lambda', 'UntagResource', { Resource: arn, TagKeys: gone });
  await ctx.call('lambda', 'TagResource', { Resource: arn, Tags: tags });
}

const PERMISSION = [
  'Action',
  'EventSourceToken',
  'FunctionName',
  'FunctionUrlAuthType',
  'InvokedViaFunctionUrl',
  'Principal',
  'PrincipalOrgID',
  'SourceAccount',
  'SourceArn',
];

/** "AWS::Lambda::Permission": every change replaces it. */
const permission: ResourceType = {
  type: 'AWS::Lambda::Permission',
  replaceOn: PERMISSION,
  properties: PERMISSION,
  recorded: PERMISSION,
  async create(ctx, request) {
    const { properties } = request;
    const id = request.generatedName(100);
    try {
      await ctx.call('lambda', 'AddPermission', given({ ...Object.fromEntries(PERMISSION.map((name) => [name, properties[name]])), StatementId: id }));
    } catch (error) {
      // The name is this resource's own: a statement of that name is an earlier try's.
      if (!isCode(error, 'ResourceConflictException')) throw error;
    }
    return { physicalId: id, attributes: { Id: id } };
  },
  update: (_ctx, request) => Promise.resolve({ physicalId: request.physicalId, attributes: { Id: request.physicalId } }),
  delete: (ctx, request) => quietly(ctx, 'RemovePermission', { FunctionName: text(request.properties['FunctionName']), StatementId: request.physicalId }),
};

/** "AWS::Lambda::Version": `Ref` is its ARN. */
const version: ResourceType = {
  type: 'AWS::Lambda::Version',
  replaceOn: ['FunctionName', 'CodeSha256', 'Description'],
  properties: ['FunctionName', 'CodeSha256', 'Description', 'ProvisionedConcurrencyConfig', 'RuntimePolicy'],
  recorded: ['RuntimePolicy'],
  async create(ctx, { properties }) {
    const name = text(properties['FunctionName']);
    await stable(ctx, name);
    const published = await ctx.call(
      'lambda',
      'PublishVersion',
      given({ FunctionName: name, CodeSha256: properties['CodeSha256'], Description: properties['Description'] }),
    );
    const arn = text(published['FunctionArn']);
    await applyProvisioned(ctx, name, text(published['Version']), properties);
    return { physicalId: arn, attributes: { FunctionArn: arn, Version: published['Version'] } };
  },
  async update(ctx, { physicalId, properties, previous }) {
    const number = physicalId.slice(physicalId.lastIndexOf(':') + 1);
    await applyProvisioned(ctx, text(properties['FunctionName']), number, properties, previous);
    return { physicalId, attributes: { FunctionArn: physicalId, Version: number } };
  },
  delete: (ctx, request) => quietly(ctx, 'DeleteFunction', { FunctionName: request.physicalId }),
};

/** `AdditionalVersionWeights` is a list in templates and a map in the API. */
function routingOf(properties: Properties): Record<string, unknown> {
  const routing = properties['RoutingConfig'] as { AdditionalVersionWeights?: { FunctionVersion: string; FunctionWeight: number }[] } | undefined;
  const weights = (routing?.AdditionalVersionWeights ?? []).map((one) => [String(one.FunctionVersion), Number(one.FunctionWeight)] as const);
  return { RoutingConfig: { AdditionalVersionWeights: Object.fromEntries(weights) } };
}

/** "AWS::Lambda::Alias": `Ref` is its ARN. */
const alias: ResourceType = {
  type: 'AWS::Lambda::Alias',
  replaceOn: ['FunctionName', 'Name'],
  properties: ['FunctionName', 'Name', 'FunctionVersion', 'Description', 'ProvisionedConcurrencyConfig', 'RoutingConfig'],
  async create(ctx, { properties }) {
    const input = aliasInput(properties);
    const made = await ctx.call('lambda', 'CreateAlias', input).catch((error: unknown) => {
      if (!isCode(error, 'ResourceConflictException')) throw error;
      return ctx.call('lambda', 'UpdateAlias', input);
    });
    const arn = text(made['AliasArn']);
    await applyProvisioned(ctx, text(properties['FunctionName']), text(properties['Name']), properties);
    return { physicalId: arn, attributes: { AliasArn: arn } };
  },
  async update(ctx, { properties, physicalId, previous }) {
    await ctx.call('lambda', 'UpdateAlias', aliasInput(properties));
    await applyProvisioned(ctx, text(properties['FunctionName']), text(properties['Name']), properties, previous);
    return { physicalId, attributes: { AliasArn: physicalId } };
  },
  delete: (ctx, { properties }) => quietly(ctx, 'DeleteAlias', { FunctionName: text(properties['FunctionName']), Name: text(properties['Name']) }),
};

function aliasInput(properties: Properties): Record<string, unknown> {
  return given({
    FunctionName: properties['FunctionName'],
    Name: properties['Name'],
    FunctionVersion: text(properties['FunctionVersion']),
    Description: properties['Description'],
    ...routingOf(properties),
  });
}

export const resources: readonly ResourceType[] = [
  codeSigningConfig,
  lambdaFunction,
  permission,
  version,
  alias,
  layerVersion,
  layerVersionPermission,
  url,
  eventInvokeConfig,
  eventSourceMapping,
];
