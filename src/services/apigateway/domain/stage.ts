import type { MethodSetting, Stage } from '@aws-sdk/client-api-gateway';
import { badRequest } from '../errors.ts';
import { newCanary, patchCanary, promote } from './canary.ts';
import { asBoolean, compact, type Patch, patchMap } from './patch.ts';
import type { StageRow } from './types.ts';

const SETTINGS = [
  'metrics/enabled',
  'logging/dataTrace',
  'logging/loglevel',
  'throttling/burstLimit',
  'throttling/rateLimit',
  'caching/ttlInSeconds',
  'caching/enabled',
  'caching/dataEncrypted',
  'caching/requireAuthorizationForCacheControl',
  'caching/unauthorizedCacheControlHeaderStrategy',
] as const;

/** AWS's own list of what UpdateStage takes, its missing commas included: clients match on the text. */
const PATHS =
  '[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, ' +
  '/accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, ' +
  '/{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit' +
  '/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, ' +
  '/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, ' +
  '/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, ' +
  '/*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, ' +
  '/*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled]';

const SETTING_DEFAULTS: MethodSetting = {
  metricsEnabled: false,
  dataTraceEnabled: false,
  throttlingBurstLimit: 5000,
  throttlingRateLimit: 10000,
  cachingEnabled: false,
  cacheTtlInSeconds: 300,
  cacheDataEncrypted: false,
  requireAuthorizationForCacheControl: true,
  unauthorizedCacheControlHeaderStrategy: 'SUCCEED_WITH_RESPONSE_HEADER',
};

const ALL_METHODS = '*/*';

export function checkStageName(name: string): void {
  if (!/^[a-zA-Z0-9_-]+$/.test(name)) throw badRequest('Stage name only allows a-zA-Z0-9_-');
}

export function describeStage(row: StageRow): Stage {
  const { createdMs, updatedMs, variables, tags, ...rest } = row;
  return {
    ...rest,
    ...(variables && Object.keys(variables).length > 0 ? { variables } : {}),
    ...(tags && Object.keys(tags).length > 0 ? { tags } : {}),
    createdDate: new Date(createdMs),
    lastUpdatedDate: new Date(updatedMs),
  };
}

/** A stage as CreateStage and CreateDeployment make it. */
export function newStage(given: Partial<StageRow> & Pick<StageRow, 'stageName' | 'deploymentId'>, nowMs: number): StageRow {
  return compact({
    stageName: given.stageName,
    deploymentId: given.deploymentId,
    description: given.description,
    cacheClusterEnabled: given.cacheClusterEnabled ?? false,
    cacheClusterSize: given.cacheClusterSize,
    cacheClusterStatus: 'NOT_AVAILABLE',
    methodSettings: {},
    variables: given.variables,
    documentationVersion: given.documentationVersion,
    tracingEnabled: given.tracingEnabled ?? false,
    canarySettings: given.canarySettings ? newCanary(given.canarySettings, given.deploymentId) : undefined,
    tags: given.tags,
    createdMs: nowMs,
    updatedMs: nowMs,
  }) as StageRow;
}

/** One operation of UpdateStage. The caller has checked a new `deploymentId`. */
export function patchStage(stage: StageRow, patch: Patch): StageRow {
  const [first, second] = patch.segments;
  const removed = patch.op === 'remove';
  if (patch.op === 'copy') return promote(stage, patch);
  switch (first) {
    case 'deploymentId':
      return { ...stage, deploymentId: patch.value ?? '' };
    case 'description':
    case 'cacheClusterSize':
    case 'clientCertificateId':
      return compact({ ...stage, [first]: removed ? undefined : patch.value }) as StageRow;
    case 'cacheClusterEnabled':
    case 'tracingEnabled':
      return { ...stage, [first]: asBoolean(patch.value) };
    case 'variables':
      if (second === undefined) throw invalidSetting(patch);
      return compact({ ...stage, variables: patchMap(stage.variables, second, removed ? undefined : (patch.value ?? '')) }) as StageRow;
    case 'accessLogSettings':
      return patchAccessLog(stage, patch, second);
    case 'canarySettings': {
      const patched = patchCanary(stage, patch);
      if (patched) return patched;
      throw removed ? noSetting(patch.path.slice(1)) : invalidSetting(patch);
    }
    default:
      return patchSetting(stage, patch);
  }
}

function patchAccessLog(stage: StageRow, patch: Patch, part: string | undefined): StageRow {
  if (patch.op === 'remove') {
    if (part === undefined && patch.path === '/accessLogSettings') return compact({ ...stage, accessLogSettings: undefined }) as StageRow;
    throw noSetting(patch.path.slice(1));
  }
  if (part !== 'destinationArn' && part !== 'format') {
    throw badRequest('Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]');
  }
  if (!patch.value) throw badRequest('Access Log value must not be empty');
  const value = part === 'destinationArn' ? patch.value.replace(/:\*$/, '') : patch.value;
  return { ...stage, accessLogSettings: { ...stage.accessLogSettings, [part]: value } };
}

const invalidSetting = (patch: Patch) => badRequest(`Invalid method setting path: ${patch.path}. Must be one of: ${PATHS}`);
const noSetting = (name: string) => badRequest(`Cannot remove method setting ${name} because there is no method setting for this method `);

/** `/{resourcePath}/{httpMethod}/group/name`; the whole setting is removed by `/{resourcePath}/{httpMethod}`. */
function patchSetting(stage: StageRow, patch: Patch): StageRow {
  const raw = patch.path.split('/').slice(1);
  const key = raw.slice(0, 2).join('/');
  const name = raw.slice(2).join('/');
  if (patch.op === 'remove') {
    const { [key]: gone, ...methodSettings } = stage.methodSettings ?? {};
    if (!gone) throw noSetting(key);
    return { ...stage, methodSettings };
  }
  if (!(SETTINGS as readonly string[]).includes(name)) throw invalidSetting(patch);
  const before = stage.methodSettings?.[key] ?? stage.methodSettings?.[ALL_METHODS] ?? SETTING_DEFAULTS;
  return { ...stage, methodSettings: { ...stage.methodSettings, [key]: { ...before, ...settingOf(name as (typeof SETTINGS)[number], patch.value ?? '') } } };
}

function settingOf(name: (typeof SETTINGS)[number], value: string): MethodSetting {
  switch (name) {
    case 'metrics/enabled':
      return { metricsEnabled: asBoolean(value) };
    case 'logging/dataTrace':
      return { dataTraceEnabled: asBoolean(value) };
    case 'logging/loglevel':
      return { loggingLevel: value };
    case 'throttling/burstLimit':
      return { throttlingBurstLimit: Number(value) };
    case 'throttling/rateLimit':
      return { throttlingRateLimit: Number(value) };
    case 'caching/ttlInSeconds':
      return { cacheTtlInSeconds: Number(value) };
    case 'caching/enabled':
      return { cachingEnabled: asBoolean(value) };
    case 'caching/dataEncrypted':
      return { cacheDataEncrypted: asBoolean(value) };
    case 'caching/requireAuthorizationForCacheControl':
      return { requireAuthorizationForCacheControl: asBoolean(value) };
    case 'caching/unauthorizedCacheControlHeaderStrategy':
      return { unauthorizedCacheControlHeaderStrategy: value as 'FAIL_WITH_403' };
  }
}
