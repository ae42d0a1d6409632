import { notImplemented } from '../../../kit/errors.ts';
import type { Tx } from '../../../store/store.ts';
import type { Properties, ResourceType } from '../../service.ts';
import { idsFrom } from '../domain/ids.ts';
import { createApiKeyOnce } from '../operations/api-keys.ts';
import { createUsagePlanOnce } from '../operations/usage-plans.ts';
import { claim, keys, unclaim } from '../store.ts';
import { asBool, asList, asNumber, asObject, asText, call, createUnlessOurs, deleteQuietly, input, type PatchOp, patchScalar, tagsOf } from './values.ts';

/** "AWS::ApiGateway::ApiKey". */
export const apiKey: ResourceType = {
  type: 'AWS::ApiGateway::ApiKey',
  replaceOn: ['Name', 'Value', 'GenerateDistinctId'],
  properties: ['CustomerId', 'Description', 'Enabled', 'GenerateDistinctId', 'Name', 'Tags', 'Value'],
  async create(ctx, request) {
    const { properties } = request;
    const members = input({
      name: asText(properties['Name']) ?? request.generatedName(128),
      customerId: asText(properties['CustomerId']),
      description: asText(properties['Description']),
      enabled: asBool(properties['Enabled']),
      value: asText(properties['Value']),
      tags: tagsOf(properties, request.tags),
    });
    const { id } = await createApiKeyOnce(ctx, members, idsFrom(request.token));
    return { physicalId: String(id), attributes: { APIKeyId: id } };
  },
  async update(ctx, request) {
    const { properties } = request;
    const patchOperations = [
      { op: 'replace', path: '/enabled', value: String(asBool(properties['Enabled']) ?? false) },
      { op: 'replace', path: '/description', value: asText(properties['Description']) ?? '' },
      { op: 'replace', path: '/customerId', value: asText(properties['CustomerId']) ?? '' },
    ];
    await call(ctx, 'UpdateApiKey', { apiKey: request.physicalId, patchOperations });
    return { physicalId: request.physicalId, attributes: { APIKeyId: request.physicalId } };
  },
  delete: (ctx, request) => deleteQuietly(ctx, 'DeleteApiKey', { apiKey: request.physicalId }),
};

const stageNames = (properties: Properties): string[] =>
  asList(properties['ApiStages']).map((item) => `${asText(asObject(item)['ApiId'])}:${asText(asObject(item)['Stage'])}`);

/** "AWS::ApiGateway::UsagePlan". */
export const usagePlan: ResourceType = {
  type: 'AWS::ApiGateway::UsagePlan',
  replaceOn: [],
  properties: ['ApiStages', 'Description', 'Quota', 'Tags', 'Throttle', 'UsagePlanName'],
  recorded: ['Quota', 'Throttle'],
  async create(ctx, request) {
    const { properties } = request;
    const [quota, throttle] = [asObject(properties['Quota']), asObject(properties['Throttle'])];
    const members = input({
      name: asText(properties['UsagePlanName']) ?? request.generatedName(128),
      description: asText(properties['Description']),
      apiStages: asList(properties['ApiStages']).map((item) => ({ apiId: asText(asObject(item)['ApiId']), stage: asText(asObject(item)['Stage']) })),
      quota:
        properties['Quota'] === undefined ? undefined : input({ limit: asNumber(quota['Limit']), offset: asNumber(quota['Offset']), period: quota['Period'] }),
      throttle:
        properties['Throttle'] === undefined ? undefined : input({ burstLimit: asNumber(throttle['BurstLimit']), rateLimit: asNumber(throttle['RateLimit']) }),
      tags: tagsOf(properties, request.tags),
    });
    const { id } = await createUsagePlanOnce(ctx, members as unknown as Parameters<typeof createUsagePlanOnce>[1], idsFrom(request.token));
    return { physicalId: String(id), attributes: { Id: id } };
  },
  async update(ctx, request) {
    const { properties, previous, physicalId } = request;
    const [wanted, had] = [stageNames(properties), stageNames(previous)];
    const ops: PatchOp[] = [
      ...patchScalar('/name', properties['UsagePlanName'], previous['UsagePlanName']),
      ...patchScalar('/description', properties['Description'], previous['Description']),
      ...had.filter((name) => !wanted.includes(name)).map((value) => ({ op: 'remove' as const, path: '/apiStages', value })),
      ...wanted.filter((name) => !had.includes(name)).map((value) => ({ op: 'add' as const, path: '/apiStages', value })),
    ];
    const parts: readonly [string, string, Readonly<Record<string, string>>][] = [
      ['Throttle', 'throttle', { BurstLimit: 'burstLimit', RateLimit: 'rateLimit' }],
      ['Quota', 'quota', { Limit: 'limit', Offset: 'offset', Period: 'period' }],
    ];
    for (const [name, path, members] of parts) {
      if (properties[name] === undefined && previous[name] !== undefined) ops.push({ op: 'remove', path: `/${path}` });
      const value = asObject(properties[name]);
      for (const [member, key] of Object.entries(members))
        if (value[member] !== undefined) ops.push({ op: 'replace', path: `/${path}/${key}`, value: String(value[member]) });
    }
    if (ops.length > 0) await call(ctx, 'UpdateUsagePlan', { usagePlanId: physicalId, patchOperations: ops });
    return { physicalId, attributes: { Id: physicalId } };
  },
  delete: (ctx, request) => deleteQuietly(ctx, 'DeleteUsagePlan', { usagePlanId: request.physicalId }),
};

/** "AWS::ApiGateway::UsagePlanKey". */
export const usagePlanKey: ResourceType = {
  type: 'AWS::ApiGateway::UsagePlanKey',
  replaceOn: ['KeyId', 'KeyType', 'UsagePlanId'],
  properties: ['KeyId', 'KeyType', 'UsagePlanId'],
  async create(ctx, { properties, token }) {
    const [keyId = '', usagePlanId = ''] = [asText(properties['KeyId']), asText(properties['UsagePlanId'])];
    const exists = (tx: Tx) => tx.get(keys.usagePlanKey(ctx, usagePlanId, keyId)) !== undefined;
    const ours = await claim(ctx.platform.store, ctx, '', `planKey ${usagePlanId} ${keyId}`, token, exists);
    await createUnlessOurs(ctx, ours, 'CreateUsagePlanKey', { keyId, usagePlanId, keyType: asText(properties['KeyType']) });
    const physicalId = `${keyId}:${usagePlanId}`;
    return { physicalId, attributes: { Id: physicalId } };
  },
  update: async (_ctx, request) => ({ physicalId: request.physicalId, attributes: { Id: request.physicalId } }),
  async delete(ctx, request) {
    const [keyId, usagePlanId] = [asText(request.properties['KeyId']), asText(request.properties['UsagePlanId'])];
    await deleteQuietly(ctx, 'DeleteUsagePlanKey', { keyId, usagePlanId });
    await unclaim(ctx.platform.store, ctx, '', `planKey ${usagePlanId} ${keyId}`);
  },
};

/** "AWS::ApiGateway::Account": one for each account and region; deleting the resource leaves the setting. */
export const account: ResourceType = {
  type: 'AWS::ApiGateway::Account',
  replaceOn: [],
  properties: ['CloudWatchRoleArn'],
  recorded: ['CloudWatchRoleArn'],
  async create(ctx, request) {
    const value = asText(request.properties['CloudWatchRoleArn']);
    if (value === undefined) throw notImplemented('AWS::ApiGateway::Account without CloudWatchRoleArn');
    await call(ctx, 'UpdateAccount', { patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value }] });
    const physicalId = request.generatedName(64);
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(ctx, request) {
    const value = asText(request.properties['CloudWatchRoleArn']) ?? '';
    await call(ctx, 'UpdateAccount', { patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value }] });
    return { physicalId: request.physicalId, attributes: { Id: request.physicalId } };
  },
  delete: async () => {},
};
