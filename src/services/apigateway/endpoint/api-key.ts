import { decodeJson } from '../../../kit/json.ts';
import type { ApiKeyRow, UsagePlanRow } from '../domain/types.ts';
import { keys, list } from '../store.ts';
import { forbidden, notBuilt } from './gateway-error.ts';
import { headerValues, type Invocation } from './invocation.ts';

/** "API keys": an enabled key of a usage plan that has this stage. Throttles and quotas of plans are not enforced. */
export async function checkApiKey(call: Invocation): Promise<void> {
  if (!call.method.apiKeyRequired) return;
  const { store } = call.ctx.platform;
  if (call.deployment.snapshot.api.apiKeySource === 'AUTHORIZER') throw notBuilt('An API key taken from an authorizer');
  const value = headerValues(call.headers, 'x-api-key').at(-1);
  const idValue = value ? await store.get(keys.apiKeyValue(call.scope, value)) : undefined;
  const rowValue = idValue ? await store.get(keys.apiKey(call.scope, decodeJson<string>(idValue))) : undefined;
  const key = rowValue ? decodeJson<ApiKeyRow>(rowValue) : undefined;
  if (!key?.enabled) throw forbidden();
  const plans = (await list<UsagePlanRow>(store, keys.usagePlans(call.scope))).filter((plan) =>
    plan.apiStages?.some((stage) => stage.apiId === call.apiId && stage.stage === call.stage.stageName),
  );
  const members = await store.getMany(plans.map((plan) => keys.usagePlanKey(call.scope, plan.id, key.id)));
  if (!members.some((member) => member !== undefined)) throw forbidden();
  call.context.identity['apiKey'] = key.value;
  call.context.identity['apiKeyId'] = key.id;
}
