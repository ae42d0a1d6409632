import type { Compute } from '../../compute/compute.ts';
import type { Access, Ctx, OperationEntry, Platform, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { Concurrency } from './concurrency.ts';
import { createRoleCredentials } from './credentials.ts';
import { registerDeliveries } from './deliveries.ts';
import { layerArn, readLayerName } from './domain/layers.ts';
import { functionArn } from './domain/names.ts';
import { RECORDED } from './domain/parameters.ts';
import { createWaits, durableOperations, durableRunner, registerDurableDeliveries } from './durable/index.ts';
import {
  createEventSourceMapping,
  createMappings,
  deleteEventSourceMapping,
  getEventSourceMapping,
  listEventSourceMappings,
  mappingArn,
  updateEventSourceMapping,
} from './event-source-mappings/index.ts';
import { createSettled, type LambdaRoom } from './functions.ts';
import { createHotReload, withoutHotReload } from './hot-reload.ts';
import { createCodeLinks } from './links.ts';
import { createLogWriter } from './log-writer.ts';
import { createAlias, deleteAlias, getAlias, listAliases, updateAlias } from './operations/aliases.ts';
import {
  CAPACITY_RECORDED,
  createCapacityProvider,
  deleteCapacityProvider,
  functionScalingConfig,
  getCapacityProvider,
  listCapacityProviders,
  listFunctionVersionsByCapacityProvider,
  providerArn,
  updateCapacityProvider,
} from './operations/capacity-providers.ts';
import {
  createCodeSigningConfig,
  deleteCodeSigningConfig,
  deleteFunctionCodeSigningConfig,
  getCodeSigningConfig,
  getFunctionCodeSigningConfig,
  listCodeSigningConfigs,
  listFunctionsByCodeSigningConfig,
  putFunctionCodeSigningConfig,
  updateCodeSigningConfig,
} from './operations/code-signing.ts';
import { deleteFunctionConcurrency, getFunctionConcurrency, putFunctionConcurrency } from './operations/concurrency.ts';
import { createFunction } from './operations/create-function.ts';
import { deleteFunction } from './operations/delete-function.ts';
import {
  deleteFunctionEventInvokeConfig,
  getFunctionEventInvokeConfig,
  listFunctionEventInvokeConfigs,
  putFunctionEventInvokeConfig,
  updateFunctionEventInvokeConfig,
} from './operations/event-invoke-config.ts';
import {
  createFunctionUrlConfig,
  deleteFunctionUrlConfig,
  getFunctionUrlConfig,
  listFunctionUrlConfigs,
  updateFunctionUrlConfig,
} from './operations/function-urls.ts';
import { getFunction, getFunctionConfiguration } from './operations/get-function.ts';
import { invoke, invokeAsync } from './operations/invoke.ts';
import { withInvokeHeaders } from './operations/invoke-headers.ts';
import { invokeWithResponseStream } from './operations/invoke-with-response-stream.ts';
import { addLayerVersionPermission, getLayerVersionPolicy, removeLayerVersionPermission } from './operations/layer-permissions.ts';
import { deleteLayerVersion, getLayerVersion, getLayerVersionByArn, listLayers, listLayerVersions, publishLayerVersion } from './operations/layers.ts';
import { listFunctions, listVersionsByFunction } from './operations/list-functions.ts';
import { addPermission, getPolicy, removePermission } from './operations/permissions.ts';
import {
  deleteProvisionedConcurrencyConfig,
  getProvisionedConcurrencyConfig,
  listProvisionedConcurrencyConfigs,
  putProvisionedConcurrencyConfig,
} from './operations/provisioned-concurrency.ts';
import { publishVersion } from './operations/publish-version.ts';
import {
  getFunctionRecursionConfig,
  getRuntimeManagementConfig,
  putFunctionRecursionConfig,
  putRuntimeManagementConfig,
} from './operations/recorded-configs.ts';
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy } from './operations/resource-policies.ts';
import { withRole } from './operations/role.ts';
import { getAccountSettings } from './operations/storage.ts';
import { listTags, tagResource, untagResource } from './operations/tags.ts';
import { updateFunctionCode } from './operations/update-function-code.ts';
import { updateFunctionConfiguration } from './operations/update-function-configuration.ts';
import { createProvisioning } from './provisioning.ts';
import { createRunner } from './runner.ts';
import { createSnapshots } from './snapshots.ts';
import { createUrlEndpoint } from './url-endpoint.ts';
import { usage } from './usage.ts';

export interface LambdaOptions {
  /** False: directories of this machine are nobody's code. */
  readonly hotReload?: boolean;
  /** Callers are known: roles must trust Lambda, and function URLs ask the function's policy. */
  readonly verify?: boolean;
}

/** The Lambda room. See README.md. `compute` is started and stopped with it. */
export function createLambdaRoom(compute: Compute, options: LambdaOptions = {}): Service {
  let started: Platform | undefined;
  const platform = (): Platform => {
    if (!started) throw new Error('the Lambda room has not started');
    return started;
  };
  const logs = createLogWriter(platform);
  const links = createCodeLinks();
  const mappings = createMappings();
  const hotReload = createHotReload(compute, () => platform().clock);
  let concurrency: Concurrency | undefined;
  const runner = createRunner({
    compute,
    logs,
    credentials: createRoleCredentials(platform),
    concurrency: () => (concurrency ??= new Concurrency(platform().clock, platform().store)),
    hotReload,
  });
  const room: LambdaRoom = {
    compute,
    links,
    settled: createSettled(),
    durable: createWaits(),
    runner: durableRunner(runner, () => room),
    provisioning: createProvisioning(compute, runner.specOf),
    snapshots: createSnapshots(compute, runner.specOf),
  };
  return {
    name: 'lambda',
    operations: checked({ ...operationsOf(room), ...(options.hotReload === false ? WITHOUT_HOT_RELOAD : {}) }, options),
    resources,
    usage,
    endpoints: { 'lambda-code': links.endpoint, 'lambda-url': createUrlEndpoint(room, options) },
    async start(given) {
      started = given;
      await compute.start();
      registerDeliveries(given, room, mappings);
      await mappings.start(given, room);
      registerDurableDeliveries(given, room, runner);
      await room.provisioning.start(given);
      room.snapshots.register(given, room.settled);
      given.log.info({ driver: compute.driver.name, isolation: compute.driver.isolation }, 'functions run in execution environments of this driver');
    },
    async stop() {
      await mappings.stop();
      await room.provisioning.stop();
      await hotReload.close();
      await compute.stop();
      await logs.flush();
    },
  };
}

/** With the checks that make sense only where callers are known. */
function checked(operations: Record<string, OperationEntry>, { verify = false }: LambdaOptions): Record<string, OperationEntry> {
  if (!verify) return operations;
  const names = ['CreateFunction', 'UpdateFunctionConfiguration'];
  return Object.fromEntries(Object.entries(operations).map(([name, entry]) => [name, names.includes(name) ? withRole(entry) : entry]));
}

function operationsOf(room: LambdaRoom): Record<string, OperationEntry> {
  return {
    CreateFunction: { run: createFunction, access: onFunction, recorded: RECORDED },
    GetFunction: { run: getFunction(room), access: onFunction },
    GetFunctionConfiguration: { run: getFunctionConfiguration, access: onFunction },
    GetFunctionCodeSigningConfig: { run: getFunctionCodeSigningConfig, access: onFunction },
    ListFunctions: { run: listFunctions, access: onAll },
    UpdateFunctionCode: { run: updateFunctionCode, access: onFunction, recorded: ['Architectures'] },
    UpdateFunctionConfiguration: { run: updateFunctionConfiguration, access: onFunction, recorded: RECORDED },
    DeleteFunction: { run: deleteFunction(room), access: onFunction },
    Invoke: { run: invoke(room), access: { ...onFunction, action: 'lambda:InvokeFunction' }, respond: withInvokeHeaders },
    InvokeWithResponseStream: { run: invokeWithResponseStream(room), access: { ...onFunction, action: 'lambda:InvokeFunction' } },
    InvokeAsync: { run: invokeAsync(room), access: { ...onFunction, action: 'lambda:InvokeFunction' } },
    PublishVersion: { run: publishVersion(room), access: onFunction },
    ListVersionsByFunction: { run: listVersionsByFunction, access: onFunction },
    CreateAlias: { run: createAlias, access: onFunction },
    GetAlias: { run: getAlias, access: onFunction },
    ListAliases: { run: listAliases, access: onFunction },
    UpdateAlias: { run: updateAlias(room), access: onFunction },
    DeleteAlias: { run: deleteAlias(room), access: onFunction },
    AddPermission: { run: addPermission, access: onFunction },
    GetPolicy: { run: getPolicy, access: onFunction },
    RemovePermission: { run: removePermission, access: onFunction },
    PutFunctionConcurrency: { run: putFunctionConcurrency, access: onFunction },
    GetFunctionConcurrency: { run: getFunctionConcurrency, access: onFunction },
    DeleteFunctionConcurrency: { run: deleteFunctionConcurrency, access: onFunction },
    PutProvisionedConcurrencyConfig: { run: putProvisionedConcurrencyConfig(room), access: onFunction },
    GetProvisionedConcurrencyConfig: { run: getProvisionedConcurrencyConfig(room), access: onFunction },
    ListProvisionedConcurrencyConfigs: { run: listProvisionedConcurrencyConfigs(room), access: onFunction },
    DeleteProvisionedConcurrencyConfig: { run: deleteProvisionedConcurrencyConfig(room), access: onFunction },
    PublishLayerVersion: { run: publishLayerVersion(room), access: onLayer, ownValidation: true },
    GetLayerVersion: { run: getLayerVersion(room), access: onLayer },
    GetLayerVersionByArn: { run: getLayerVersionByArn(room), access: { ...onLayer, action: 'lambda:GetLayerVersion' } },
    ListLayers: { run: listLayers, access: onAll },
    ListLayerVersions: { run: listLayerVersions, access: onLayer },
    DeleteLayerVersion: { run: deleteLayerVersion, access: onLayer },
    AddLayerVersionPermission: { run: addLayerVersionPermission, access: onLayer },
    GetLayerVersionPolicy: { run: getLayerVersionPolicy, access: onLayer },
    RemoveLayerVersionPermission: { run: removeLayerVersionPermission, access: onLayer },
    CreateFunctionUrlConfig: { run: createFunctionUrlConfig, access: onFunction },
    GetFunctionUrlConfig: { run: getFunctionUrlConfig, access: onFunction },
    UpdateFunctionUrlConfig: { run: updateFunctionUrlConfig, access: onFunction },
    DeleteFunctionUrlConfig: { run: deleteFunctionUrlConfig, access: onFunction },
    ListFunctionUrlConfigs: { run: listFunctionUrlConfigs, access: onFunction },
    PutFunctionEventInvokeConfig: { run: putFunctionEventInvokeConfig, access: onFunction },
    UpdateFunctionEventInvokeConfig: { run: updateFunctionEventInvokeConfig, access: onFunction },
    GetFunctionEventInvokeConfig: { run: getFunctionEventInvokeConfig, access: onFunction },
    DeleteFunctionEventInvokeConfig: { run: deleteFunctionEventInvokeConfig, access: onFunction },
    ListFunctionEventInvokeConfigs: { run: listFunctionEventInvokeConfigs, access: onFunction },
    CreateEventSourceMapping: { run: createEventSourceMapping, access: onMapping, recorded: ['KMSKeyArn', 'MetricsConfig'] },
    GetEventSourceMapping: { run: getEventSourceMapping, access: onMapping },
    ListEventSourceMappings: { run: listEventSourceMappings, access: onMapping },
    UpdateEventSourceMapping: { run: updateEventSourceMapping, access: onMapping, recorded: ['KMSKeyArn', 'MetricsConfig'] },
    DeleteEventSourceMapping: { run: deleteEventSourceMapping, access: onMapping },
    CreateCodeSigningConfig: { run: createCodeSigningConfig, access: onAll, recorded: ['AllowedPublishers', 'CodeSigningPolicies'] },
    GetCodeSigningConfig: { run: getCodeSigningConfig, access: onSigning },
    UpdateCodeSigningConfig: { run: updateCodeSigningConfig, access: onSigning, recorded: ['AllowedPublishers', 'CodeSigningPolicies'] },
    DeleteCodeSigningConfig: { run: deleteCodeSigningConfig, access: onSigning },
    ListCodeSigningConfigs: { run: listCodeSigningConfigs, access: onAll },
    ListFunctionsByCodeSigningConfig: { run: listFunctionsByCodeSigningConfig, access: onSigning },
    PutFunctionCodeSigningConfig: { run: putFunctionCodeSigningConfig, access: onFunction, recorded: ['CodeSigningConfigArn'] },
    DeleteFunctionCodeSigningConfig: { run: deleteFunctionCodeSigningConfig, access: onFunction },
    PutFunctionRecursionConfig: { run: putFunctionRecursionConfig, access: onFunction },
    GetFunctionRecursionConfig: { run: getFunctionRecursionConfig, access: onFunction },
    PutRuntimeManagementConfig: { run: putRuntimeManagementConfig, access: onFunction, recorded: ['UpdateRuntimeOn', 'RuntimeVersionArn'] },
    GetRuntimeManagementConfig: { run: getRuntimeManagementConfig, access: onFunction },
    PutResourcePolicy: { run: putResourcePolicy, access: onResource },
    GetResourcePolicy: { run: getResourcePolicy, access: onResource },
    DeleteResourcePolicy: { run: deleteResourcePolicy, access: onResource },
    CreateCapacityProvider: { run: createCapacityProvider, access: onProvider, recorded: CAPACITY_RECORDED },
    GetCapacityProvider: { run: getCapacityProvider, access: onProvider },
    ListCapacityProviders: { run: listCapacityProviders, access: onAll },
    UpdateCapacityProvider: {
      run: updateCapacityProvider,
      access: onProvider,
      recorded: ['CapacityProviderScalingConfig', 'PropagateTags', 'TelemetryConfig'],
    },
    DeleteCapacityProvider: { run: deleteCapacityProvider, access: onProvider },
    ListFunctionVersionsByCapacityProvider: { run: listFunctionVersionsByCapacityProvider, access: onProvider },
    PutFunctionScalingConfig: { run: functionScalingConfig, access: onFunction },
    GetFunctionScalingConfig: { run: functionScalingConfig, access: onFunction },
    GetAccountSettings: { run: getAccountSettings, access: onAll },
    TagResource: { run: tagResource, access: onArn },
    UntagResource: { run: untagResource, access: onArn },
    ListTags: { run: listTags, access: onArn },
    ...durableOperations(onFunction),
  };
}

const WITHOUT_HOT_RELOAD: Record<string, OperationEntry> = {
  CreateFunction: { run: withoutHotReload(createFunction), access: { resource: resourceOf }, recorded: RECORDED },
  UpdateFunctionCode: { run: withoutHotReload(updateFunctionCode), access: { resource: resourceOf }, recorded: ['Architectures'] },
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const onFunction: Access = { resource: resourceOf };
const onAll: Access = { resource: (ctx) => functionArn(ctx, '*') };
const onResource: Access = { resource: (_ctx, input) => text(input['ResourceArn']) };
const onProvider: Access = { resource: (ctx, input) => providerArn(ctx, text(input['CapacityProviderName'])) };
const onArn: Access = { resource: (_ctx, input) => text(input['Resource']) };

const onMapping: Access = { resource: (ctx, input) => mappingArn(ctx, text(input['UUID']) || '*') };
const onSigning: Access = { resource: (_ctx, input) => text(input['CodeSigningConfigArn']) };
const onLayer: Access = {
  resource: (ctx, input) => {
    const arn = text(input['Arn']);
    if (arn !== '') return arn;
    const version = input['VersionNumber'];
    return `${layerArn(readLayerName(ctx, text(input['LayerName'])))}${typeof version === 'number' ? `:${version}` : ''}`;
  },
};

/** Works before validation: whatever cannot be a function's name stands for itself. */
function resourceOf(ctx: Ctx, input: Record<string, unknown>): string {
  const name = text(input['FunctionName']);
  if (name.startsWith('arn:')) return name;
  return functionArn(ctx, name.replace(/^.*function:/, ''), text(input['Qualifier']) || undefined);
}
