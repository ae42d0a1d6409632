import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { assumedBy, draftRole } from './role.ts';
import { checkProperties } from './schema.ts';
import type { Session } from './session.ts';
import { type MachineTarget, stateMachineEvents } from './state-machine-events.ts';
import { s3Location } from './tables.ts';
import { attributesOf, deepCopy, getAtt, isIntrinsic, isTruthy, type Made, made, OWN_ATTRIBUTES, plainTags, present, pythonIndented, ref } from './values.ts';

/** `AWS::Serverless::StateMachine`: the machine with its role, version, alias and events. */
export function transformStateMachine(session: Session, logicalId: string, resource: JsonObject): Made[] {
  const properties = isObject(resource['Properties']) ? resource['Properties'] : {};
  const shared = attributesOf(resource);
  const { Role: role, Policies: policies } = properties;
  const definition = definitionOf(logicalId, properties);
  if (isTruthy(role) && isTruthy(policies)) {
    throw new ResourceProblem(logicalId, "Specify either 'Role' or 'Policies' (but not both at the same time) or neither of them");
  }
  const tags = [{ Key: 'stateMachine:createdBy', Value: 'SAM' }, ...plainTags(properties['Tags'])];
  const roleMade = isTruthy(role) ? undefined : roleOf(session, logicalId, properties, tags, shared);
  const machine = made(
    logicalId,
    'AWS::StepFunctions::StateMachine',
    {
      ...definition,
      RoleArn: roleMade ? getAtt(roleMade.logicalId, 'Arn') : role,
      StateMachineName: properties['Name'],
      StateMachineType: properties['Type'],
      LoggingConfiguration: properties['Logging'],
      TracingConfiguration: properties['Tracing'],
      Tags: tags,
    },
    { ...attributesOf(resource, OWN_ATTRIBUTES), ...present({ DependsOn: resource['DependsOn'] }) },
  );
  const published = publish(logicalId, properties, shared);
  const aliased = isTruthy(properties['UseAliasAsEventTarget']) ? published.at(-1) : undefined;
  const target: MachineTarget = {
    machineId: aliased?.logicalId ?? logicalId,
    ownerId: logicalId,
    attributes: shared,
    condition: isText(resource['Condition']) ? resource['Condition'] : undefined,
    boundary: properties['PermissionsBoundary'],
  };
  const events = eventsOf(session, logicalId, properties['Events'], target);
  const out = [machine, ...(roleMade ? [roleMade] : []), ...published, ...events];
  if (isTruthy(properties['PropagateTags'])) propagate(out, properties['Tags']);
  return out;
}

function definitionOf(logicalId: string, properties: JsonObject): { [key: string]: Json | undefined } {
  const { Definition: inline, DefinitionUri: uri, DefinitionSubstitutions: given } = properties;
  if (isTruthy(inline) && isTruthy(uri)) throw new ResourceProblem(logicalId, "Specify either 'Definition' or 'DefinitionUri' property and not both.");
  const substitutions: JsonObject = isObject(given) ? { ...given } : {};
  const all = () => (isTruthy(substitutions) ? substitutions : undefined);
  if (isTruthy(inline)) {
    const definition = deepCopy(inline ?? null);
    const counter = { next: 1 };
    takeOut(definition, substitutions, counter);
    return { DefinitionString: { 'Fn::Join': ['\n', pythonIndented(definition).split('\n')] }, DefinitionSubstitutions: all() };
  }
  if (!isTruthy(uri)) throw new ResourceProblem(logicalId, "Either 'Definition' or 'DefinitionUri' property must be specified.");
  return { DefinitionS3Location: s3Location(logicalId, 'DefinitionUri', uri) as unknown as Json, DefinitionSubstitutions: all() };
}

const isDynamicReference = (value: Json): boolean => isText(value) && /^\{\{resolve:([a-z-]+):(.+)\}\}$/.test(value);

/** Intrinsic functions within a definition become substitutions, numbered in the order of sorted keys. */
function takeOut(value: Json, substitutions: JsonObject, counter: { next: number }): void {
  if (!isObject(value) && !Array.isArray(value)) return;
  const holder = value as JsonObject;
  const keys = Array.isArray(value) ? value.map((_, index) => String(index)) : Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
  for (const key of keys) {
    const member = holder[key] ?? null;
    if (!isIntrinsic(member) && !isDynamicReference(member)) {
      takeOut(member, substitutions, counter);
      continue;
    }
    const name = `definition_substitution_${counter.next++}`;
    substitutions[name] = member;
    holder[key] = `\${${name}}`;
  }
}

function roleOf(session: Session, logicalId: string, properties: JsonObject, tags: JsonObject[], shared: JsonObject): Made {
  const tracing = properties['Tracing'];
  const { Policies: given } = properties;
  const list = Array.isArray(given) ? given : isTruthy(given) ? [given ?? null] : [];
  const traced = isObject(tracing) && tracing['Enabled'] === true;
  const xray = session.context.region.startsWith('cn-') ? 'AWSXRayDaemonWriteAccess' : 'AWSXrayWriteOnlyAccess';
  return draftRole(session.context, {
    owner: logicalId,
    assumeRolePolicy: assumedBy('states.amazonaws.com'),
    managed: [],
    inline: [],
    policies: traced ? [...list, xray] : list,
    path: properties['RolePath'],
    boundary: properties['PermissionsBoundary'],
    tags,
    attributes: shared,
  }).finish();
}

function publish(logicalId: string, properties: JsonObject, shared: JsonObject): Made[] {
  const { AutoPublishAlias: name, DeploymentPreference: preference, UseAliasAsEventTarget: aliased } = properties;
  const missing = (property: string) => new ResourceProblem(logicalId, `'${property}' requires 'AutoPublishAlias' property to be specified.`);
  if (!isTruthy(name) && isTruthy(aliased)) throw missing('UseAliasAsEventTarget');
  if (!isTruthy(name) && isTruthy(preference)) throw missing('DeploymentPreference');
  if (!isTruthy(name)) return [];
  const version = made(
    `${logicalId}Version`,
    'AWS::StepFunctions::StateMachineVersion',
    { StateMachineArn: ref(logicalId), StateMachineRevisionId: getAtt(logicalId, 'StateMachineRevisionId') },
    { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain', ...shared },
  );
  const settings = isTruthy(preference) && isObject(preference) ? preference : { Type: 'ALL_AT_ONCE' };
  const alias = made(
    `${logicalId}Alias${String(name)}`,
    'AWS::StepFunctions::StateMachineAlias',
    { Name: name, DeploymentPreference: { ...settings, StateMachineVersionArn: ref(version.logicalId) } },
    shared,
  );
  return [version, alias];
}

function eventsOf(session: Session, logicalId: string, events: Json | undefined, target: MachineTarget): Made[] {
  if (!isObject(events)) return [];
  return Object.entries(events).flatMap(([eventId, event]) => {
    const type = isObject(event) ? event['Type'] : undefined;
    if (!isObject(event) || !isText(type)) throw new EventProblem(eventId, 'Resource dict has missing or invalid value for field Type.');
    const source = Object.hasOwn(stateMachineEvents, type) ? stateMachineEvents[type] : undefined;
    if (!source) throw new EventProblem(eventId, `Resource dict has missing or invalid value for field Type. Event Type is: ${type}.`);
    const properties = isObject(event['Properties']) ? event['Properties'] : {};
    checkProperties(logicalId + eventId, `StateMachine.${type}`, properties, type);
    return source(session, { id: logicalId + eventId, eventId, properties, target });
  });
}

function propagate(out: readonly Made[], tags: Json | undefined): void {
  if (!isObject(tags) || !isTruthy(tags)) return;
  for (const { resource } of out) {
    const settings = resource['Properties'];
    const takes = ['AWS::StepFunctions::StateMachine', 'AWS::IAM::Role', 'AWS::SQS::Queue'].includes(String(resource['Type']));
    if (takes && isObject(settings)) settings['Tags'] = plainTags(tags);
  }
}
