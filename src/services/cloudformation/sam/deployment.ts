import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { assumedBy, managedArn } from './role.ts';
import type { Session } from './session.ts';
import { getAtt, isIf, isIntrinsic, isNoValue, isTruthy, type Made, made, present, ref, withParameters } from './values.ts';

/** How a function's new versions are given traffic: a `DeploymentPreference` that is switched on. */
export interface Deployment {
  readonly functionId: string;
  readonly preference: JsonObject;
  readonly condition: string | undefined;
  readonly tags: JsonObject | undefined;
}

const APPLICATION = 'ServerlessDeploymentApplication';
const SERVICE_ROLE = 'CodeDeployServiceRole';
const CONDITION = 'ServerlessCodeDeployCondition';
const OR_MAX = 10;
const PREDEFINED = new Set(
  'Canary10Percent5Minutes Canary10Percent10Minutes Canary10Percent15Minutes Canary10Percent30Minutes Linear10PercentEvery1Minute Linear10PercentEvery2Minutes Linear10PercentEvery3Minutes Linear10PercentEvery10Minutes AllAtOnce'.split(
    ' ',
  ),
);

/** Reads a function's preference; the alias gets the update policy. "DeploymentPreference" in the SAM Developer Guide. */
export function noteDeployment(session: Session, functionId: string, properties: JsonObject, alias: Made | undefined, condition: string | undefined): void {
  const given = properties['DeploymentPreference'];
  if (!isTruthy(given) || !isObject(given)) return;
  const preference: JsonObject = { ...given };
  for (const name of ['Enabled', 'Type', 'PassthroughCondition']) {
    if (name in preference) preference[name] = resolved(session, preference[name] ?? null);
  }
  const passes = 'PassthroughCondition' in preference ? truth(functionId, preference['PassthroughCondition'] ?? null) : false;
  const enabled = preference['Enabled'];
  if ('Enabled' in preference && (!isTruthy(enabled) || enabled === 'false' || enabled === 'False')) {
    return;
  }
  if (!('Type' in preference)) throw new ResourceProblem(functionId, "'DeploymentPreference' is missing required Property 'Type'");
  const hooks = preference['Hooks'] ?? {};
  if (!isObject(hooks)) throw new ResourceProblem(functionId, "'Hooks' property of 'DeploymentPreference' must be a dictionary");
  if (!alias) throw new ResourceProblem(functionId, "'DeploymentPreference' requires AutoPublishAlias property to be specified.");
  const tags = isTruthy(properties['PropagateTags']) && isObject(properties['Tags']) ? properties['Tags'] : undefined;
  session.deployments.push({ functionId, preference, condition: passes ? condition : undefined, tags });
  alias.resource['UpdatePolicy'] = {
    CodeDeployLambdaAliasUpdate: present({
      ApplicationName: ref(APPLICATION),
      DeploymentGroupName: ref(`${functionId}DeploymentGroup`),
      BeforeAllowTrafficHook: hooks['PreTraffic'],
      AfterAllowTrafficHook: hooks['PostTraffic'],
    }),
  };
}

/** Parameters, and then mappings. */
function resolved(session: Session, value: Json): Json {
  const known = withParameters(value, session.context);
  const path = isObject(known) && Array.isArray(known['Fn::FindInMap']) ? known['Fn::FindInMap'] : undefined;
  if (path?.length !== 3) return known;
  let found: Json | undefined = session.mappings;
  for (const step of path) found = isObject(found) && isText(step) && Object.hasOwn(found, step) ? found[step] : undefined;
  return found ?? known;
}

function truth(functionId: string, value: Json): boolean {
  if (value === true || value === 'true' || value === 'True') return true;
  if (value === false || value === 'false' || value === 'False') return false;
  throw new ResourceProblem(
    functionId,
    isObject(value)
      ? 'Unsupported intrinsic: the only intrinsic functions supported for property PassthroughCondition are FindInMap and parameter Refs.'
      : 'Invalid value for property PassthroughCondition.',
  );
}

const tagsOf = (tags: JsonObject): JsonObject[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** What all deployments of the template share, and each one's group. */
export function deploymentResources(session: Session): Made[] {
  const { deployments, conditions } = session;
  if (deployments.length === 0) return [];
  const names = [...new Set(deployments.flatMap(({ condition }) => condition ?? []))];
  const conditional = deployments.every(({ condition }) => condition !== undefined);
  if (conditional && names.length > 1) combine(names, conditions);
  const attributes: JsonObject = conditional ? { Condition: names.length > 1 ? CONDITION : (names[0] ?? '') } : {};
  const merged: JsonObject = Object.assign({}, ...deployments.map(({ tags }) => tags ?? {}));
  const Tags = isTruthy(merged) ? tagsOf(merged) : undefined;
  const out = [made(APPLICATION, 'AWS::CodeDeploy::Application', { ComputePlatform: 'Lambda', Tags }, attributes)];
  if (deployments.some(({ preference }) => !isTruthy(preference['Role']))) {
    const managed = [managedArn(session.context, 'service-role/AWSCodeDeployRoleForLambda')];
    out.push(
      made(SERVICE_ROLE, 'AWS::IAM::Role', { AssumeRolePolicyDocument: assumedBy('codedeploy.amazonaws.com'), ManagedPolicyArns: managed, Tags }, attributes),
    );
  }
  return [...out, ...deployments.map(group)];
}

/** `Fn::Or` takes ten conditions: more are nested. */
function combine(names: readonly string[], conditions: JsonObject): void {
  let left = [...names];
  let number = 0;
  for (let count = names.length; count > 1; count = count - OR_MAX + 1) number++;
  number--;
  while (left.length > 1) {
    const name = number > 0 ? `${CONDITION}${number}` : CONDITION;
    number--;
    conditions[name] = { 'Fn::Or': left.slice(0, OR_MAX).map((each) => ({ Condition: each })) };
    left = [...left.slice(OR_MAX), name];
  }
}

function group({ functionId, preference, condition, tags }: Deployment): Made {
  return made(
    `${functionId}DeploymentGroup`,
    'AWS::CodeDeploy::DeploymentGroup',
    {
      AlarmConfiguration: alarmsOf(functionId, preference['Alarms']),
      ApplicationName: ref(APPLICATION),
      AutoRollbackConfiguration: { Enabled: true, Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM', 'DEPLOYMENT_STOP_ON_REQUEST'] },
      DeploymentConfigName: configName(preference['Type'] ?? null),
      DeploymentStyle: { DeploymentType: 'BLUE_GREEN', DeploymentOption: 'WITH_TRAFFIC_CONTROL' },
      ServiceRoleArn: isTruthy(preference['Role']) ? preference['Role'] : getAtt(SERVICE_ROLE, 'Arn'),
      TriggerConfigurations: isTruthy(preference['TriggerConfigurations']) ? preference['TriggerConfigurations'] : undefined,
      Tags: tags && isTruthy(tags) ? tagsOf(tags) : undefined,
    },
    condition === undefined ? {} : { Condition: condition },
  );
}

function alarmsOf(functionId: string, alarms: Json | undefined): Json | undefined {
  if (!isTruthy(alarms) || isNoValue(alarms)) return undefined;
  const configuration = (list: Json): Json => {
    if (!Array.isArray(list)) throw new ResourceProblem(functionId, 'Alarms must be a list');
    return list.length === 0 || isNoValue(list[0]) ? {} : { Enabled: true, Alarms: list.map((Name) => ({ Name })) };
  };
  if (!isIf(alarms)) return configuration(alarms ?? null);
  const items = alarms['Fn::If'];
  if (!Array.isArray(items) || items.length !== 3) throw new ResourceProblem(functionId, 'Fn::If requires 3 arguments');
  return { 'Fn::If': [items[0] ?? null, configuration(items[1] ?? null), configuration(items[2] ?? null)] };
}

/** CodeDeploy's own configurations have a prefix, wherever an intrinsic function names them. */
function configName(value: Json, within?: string): Json {
  if (Array.isArray(value)) return value.map((item) => configName(item));
  if (isIntrinsic(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, configName(member, name)]));
  if (!isText(value) || !PREDEFINED.has(value)) return value;
  const prefixed = [`CodeDeployDefault.Lambda\${ConfigName}`, { ConfigName: value }];
  return within === 'Fn::Sub' ? prefixed : { 'Fn::Sub': prefixed };
}
