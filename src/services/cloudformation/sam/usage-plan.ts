import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem, TemplateProblem } from './errors.ts';
import type { Session } from './session.ts';
import { isTruthy, type Made, made, ref } from './values.ts';

const MEMBERS = ['CreateUsagePlan', 'Description', 'Quota', 'Tags', 'Throttle', 'UsagePlanName'];
const CONDITION = 'SharedUsagePlanCondition';

/** What the APIs of a template have put into their shared plan so far. */
export interface SharedPlan {
  readonly apis: string[];
  readonly stages: { readonly api: string; readonly stage: string }[];
  readonly conditions: string[];
  unconditional: boolean;
  deletion: string | undefined;
  replacement: string | undefined;
}

export const emptyPlan = (): SharedPlan => ({ apis: [], stages: [], conditions: [], unconditional: false, deletion: undefined, replacement: undefined });

/** A usage plan with a key: of one API, or of all that share it. "ApiUsagePlan" in the SAM Developer Guide. */
export function usagePlan(session: Session, logicalId: string, auth: JsonObject | undefined, stageId: string, attributes: JsonObject): Made[] {
  const plan = auth?.['UsagePlan'];
  if (plan === undefined || plan === null) return [];
  if (!isObject(plan)) throw new ResourceProblem(logicalId, "'UsagePlan' must be a dictionary");
  if (Object.keys(plan).some((name) => !MEMBERS.includes(name))) throw new ResourceProblem(logicalId, "Invalid property for 'UsagePlan'");
  const kind = plan['CreateUsagePlan'];
  if (kind === undefined || kind === null) throw new ResourceProblem(logicalId, "'CreateUsagePlan' is a required field for UsagePlan.");
  if (kind !== 'SHARED' && kind !== 'PER_API' && kind !== 'NONE') {
    throw new ResourceProblem(logicalId, "'CreateUsagePlan' accepts one of ['SHARED', 'PER_API', 'NONE'].");
  }
  if (kind === 'NONE') return [];
  const settings = Object.fromEntries(
    ['UsagePlanName', 'Description', 'Quota', 'Tags', 'Throttle'].filter((name) => isTruthy(plan[name])).map((name) => [name, plan[name]]),
  );
  if (kind === 'PER_API') return resources(logicalId, [logicalId], [{ api: logicalId, stage: stageId }], settings, attributes);
  const shared = join(session, logicalId, stageId, attributes);
  return resources('Serverless', shared.apis, shared.stages, settings, sharedAttributes(session));
}

function resources(
  prefix: string,
  apis: readonly string[],
  stages: SharedPlan['stages'],
  settings: { [key: string]: Json | undefined },
  attributes: JsonObject,
): Made[] {
  const [planId, keyId] = [`${prefix}UsagePlan`, `${prefix}ApiKey`];
  const StageKeys = stages.map(({ api, stage }) => ({ RestApiId: ref(api), StageName: ref(stage) }));
  const ApiStages = stages.map(({ api, stage }) => ({ ApiId: ref(api), Stage: ref(stage) }));
  return [
    made(planId, 'AWS::ApiGateway::UsagePlan', { ApiStages, ...settings }, { DependsOn: [...apis], ...attributes }),
    made(keyId, 'AWS::ApiGateway::ApiKey', { Enabled: true, StageKeys }, { DependsOn: [planId], ...attributes }),
    made(
      `${prefix}UsagePlanKey`,
      'AWS::ApiGateway::UsagePlanKey',
      { KeyId: ref(keyId), KeyType: 'API_KEY', UsagePlanId: ref(planId) },
      { DependsOn: [keyId], ...attributes },
    ),
  ];
}

function join(session: Session, api: string, stage: string, attributes: JsonObject): SharedPlan {
  const shared = session.sharedPlan;
  if (!shared.apis.includes(api)) shared.apis.push(api);
  shared.stages.push({ api, stage });
  const { DeletionPolicy: deletion, UpdateReplacePolicy: replacement, Condition: condition } = attributes;
  if (isText(deletion) && (shared.deletion === undefined || deletion === 'Retain')) shared.deletion = deletion;
  if (isText(replacement)) {
    const wins = shared.replacement === undefined || replacement === 'Retain' || (replacement === 'Snapshot' && shared.replacement === 'Delete');
    if (wins) shared.replacement = replacement;
  }
  if (!isText(condition)) {
    shared.unconditional = true;
    delete session.conditions[CONDITION];
  } else if (!shared.unconditional && !shared.conditions.includes(condition)) {
    if (Object.keys(session.conditions).length === 0) throw new TemplateProblem("Can't have condition without having 'Conditions' section in the template");
    shared.conditions.push(condition);
    const [only] = shared.conditions;
    session.conditions[CONDITION] = shared.conditions.length > 1 ? { 'Fn::Or': shared.conditions.map((name) => ({ Condition: name })) } : (only ?? null);
  }
  return shared;
}

function sharedAttributes({ sharedPlan: shared }: Session): JsonObject {
  return {
    ...(shared.deletion === undefined ? {} : { DeletionPolicy: shared.deletion }),
    ...(shared.replacement === undefined ? {} : { UpdateReplacePolicy: shared.replacement }),
    ...(shared.conditions.length > 0 && !shared.unconditional ? { Condition: CONDITION } : {}),
  };
}
