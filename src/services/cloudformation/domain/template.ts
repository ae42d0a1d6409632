import { formatError, templateError, validationError } from '../errors.ts';
import { MAPPINGS_MAX, OUTPUTS_MAX, PARAMETERS_MAX, RESOURCES_MAX } from '../limits.ts';
import { functionOf, getAttParts, SUB_VARIABLE, subParts } from './intrinsics.ts';
import { isObject, isText, type Json, type JsonObject, objectAt, scalarText } from './json.ts';
import { checkDeclarations } from './parameters.ts';

/** One resource of a checked template. */
export interface TemplateResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly condition?: string;
  /** Logical ids, explicit and by reference, each once. */
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: string;
  readonly updateReplacePolicy: string;
  readonly metadata?: Json;
}

/** A template whose form has been checked. */
export interface Template {
  readonly source: JsonObject;
  readonly description?: string;
  readonly parameters: JsonObject;
  readonly mappings: JsonObject;
  readonly conditions: JsonObject;
  readonly resources: ReadonlyMap<string, TemplateResource>;
  readonly outputs: JsonObject;
}

const SECTIONS = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Mappings',
  'Conditions',
  'Transform',
  'Resources',
  'Outputs',
  'Rules',
  'Hooks',
  'Globals',
]);
const RESOURCE_MEMBERS = new Set([
  'Type',
  'Properties',
  'DependsOn',
  'Condition',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'Metadata',
  'UpdatePolicy',
  'CreationPolicy',
  'Version',
]);
export const PSEUDO_PARAMETERS = new Set([
  'AWS::AccountId',
  'AWS::NotificationARNs',
  'AWS::NoValue',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
]);
const RESOURCE_TYPE =
  /^(?:(?:AWS|Alexa)::[A-Za-z0-9]+::[A-Za-z0-9]+(?:::[A-Za-z0-9]+)?|Custom::[\w@-]{1,60}|[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+(?:::MODULE)?)$/;

/** Checks a parsed (and transformed) template's form. Throws `ValidationError` in AWS's wording. "Template anatomy" in the CloudFormation User Guide. */
export function checkTemplate(source: JsonObject): Template {
  const unknown = Object.keys(source).filter((key) => !SECTIONS.has(key) || key === 'Globals');
  if (unknown.length > 0) throw validationError(`Invalid template property or properties [${unknown.join(', ')}]`);
  const version = source['AWSTemplateFormatVersion'];
  if (version !== undefined && scalarText(version) !== '2010-09-09') {
    throw formatError(`Template format version ${scalarText(version) ?? ''} is not supported.`);
  }
  if (source['Description'] !== undefined && !isText(source['Description'])) throw formatError('Template description must be a string.');
  const sections = {
    parameters: section(source, 'Parameters'),
    mappings: section(source, 'Mappings'),
    conditions: section(source, 'Conditions'),
    outputs: section(source, 'Outputs'),
  };
  checkCounts(source, sections);
  checkDeclarations(sections.parameters);
  const resources = new Map<string, TemplateResource>();
  for (const [logicalId, definition] of Object.entries(section(source, 'Resources'))) resources.set(logicalId, checkResource(logicalId, definition));
  if (resources.size === 0) throw formatError('At least one Resources member must be defined.');
  const unrecognized = [...new Set([...resources.values()].map((resource) => resource.type).filter((type) => !RESOURCE_TYPE.test(type)))];
  if (unrecognized.length > 0) throw formatError(`Unrecognized resource types: [${unrecognized.join(', ')}]`);
  const template: Template = {
    source,
    ...(isText(source['Description']) ? { description: source['Description'] } : {}),
    ...sections,
    resources,
  };
  checkReferences(template);
  return template;
}

function section(source: JsonObject, name: string): JsonObject {
  const value = source[name];
  if (value === undefined) return {};
  if (!isObject(value)) throw formatError(name === 'Resources' ? 'At least one Resources member must be defined.' : `${name} must be an object`);
  return value;
}

function checkCounts(source: JsonObject, { parameters, mappings, outputs }: Record<'parameters' | 'mappings' | 'outputs', JsonObject>): void {
  const over = (what: string, object: JsonObject, max: number) => {
    const count = Object.keys(object).length;
    if (count > max) throw formatError(`Number of ${what}, ${count}, is greater than maximum allowed, ${max}`);
  };
  over('resources', objectAt(source, 'Resources'), RESOURCES_MAX);
  over('parameters', parameters, PARAMETERS_MAX);
  over('mappings', mappings, MAPPINGS_MAX);
  over('outputs', outputs, OUTPUTS_MAX);
}

function checkResource(logicalId: string, definition: Json): TemplateResource {
  if (!/^[A-Za-z0-9]{1,255}$/.test(logicalId)) throw formatError(`Resource name ${logicalId} is non alphanumeric.`);
  if (!isObject(definition)) throw formatError('Every Resources object must contain a Type member.');
  const type = definition['Type'];
  if (!isText(type)) throw formatError(`[/Resources/${logicalId}] Every Resources object must contain a Type member.`);
  const strange = Object.keys(definition).filter((key) => !RESOURCE_MEMBERS.has(key));
  if (strange.length > 0) throw validationError(`Invalid template resource property '${strange[0]}'`);
  const properties = definition['Properties'] ?? {};
  if (!isObject(properties)) throw formatError(`[/Resources/${logicalId}/Properties] 'null' values are not allowed in templates`);
  const explicit = Array.isArray(definition['DependsOn']) ? definition['DependsOn'] : definition['DependsOn'] === undefined ? [] : [definition['DependsOn']];
  if (!explicit.every(isText)) throw formatError('Every value for DependsOn must be a string or a list of strings');
  const policy = (name: string) => {
    const value = definition[name];
    if (value !== undefined && (!isText(value) || !/^(Delete|Retain|RetainExceptOnCreate|Snapshot)$/.test(value))) {
      throw formatError(`Unrecognized ${name} ${scalarText(value) ?? JSON.stringify(value)} for resource ${logicalId}`);
    }
    return isText(value) ? value : 'Delete';
  };
  const references = new Set(explicit.filter(isText));
  collectReferences(properties, references);
  return {
    logicalId,
    type,
    properties,
    ...(isText(definition['Condition']) ? { condition: definition['Condition'] } : {}),
    dependsOn: [...references],
    deletionPolicy: policy('DeletionPolicy'),
    updateReplacePolicy: policy('UpdateReplacePolicy'),
    ...(definition['Metadata'] === undefined ? {} : { metadata: definition['Metadata'] }),
  };
}

/** Adds what `value` refers to by `Ref`, `Fn::GetAtt` and `Fn::Sub`: resources and parameters alike. */
export function collectReferences(value: Json, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectReferences(item, into);
  if (!isObject(value)) return;
  const call = functionOf(value);
  if (call?.[0] === 'Ref' && isText(call[1])) into.add(call[1]);
  else if (call?.[0] === 'Fn::GetAtt') {
    const [logicalId, attribute] = getAttParts(call[1]);
    into.add(logicalId);
    collectReferences(attribute, into);
  } else if (call?.[0] === 'Fn::Sub') {
    const [text, values] = subParts(call[1]);
    for (const match of text.matchAll(SUB_VARIABLE)) {
      const name = (match[1] ?? '').trim();
      if (!Object.hasOwn(values, name)) into.add(name.split('.')[0] ?? name);
    }
    collectReferences(values, into);
  } else for (const member of Object.values(value)) collectReferences(member, into);
}

function checkReferences(template: Template): void {
  const known = (name: string) => template.resources.has(name) || Object.hasOwn(template.parameters, name) || PSEUDO_PARAMETERS.has(name);
  const missing = new Set<string>();
  for (const resource of template.resources.values()) {
    for (const name of resource.dependsOn) if (!known(name)) missing.add(name);
    checkGetAtts(resource.properties, template);
    if (resource.condition !== undefined && !Object.hasOwn(template.conditions, resource.condition)) {
      throw formatError(`Unresolved condition dependency ${resource.condition} in the Resources block of the template`);
    }
  }
  if (missing.size > 0) throw formatError(`Unresolved resource dependencies [${[...missing].join(', ')}] in the Resources block of the template`);
  const inOutputs = new Set<string>();
  for (const output of Object.values(template.outputs)) {
    collectReferences(output, inOutputs);
    checkGetAtts(output, template);
    if (!isObject(output) || output['Value'] === undefined) throw formatError('Every Outputs member must contain a Value object');
  }
  const absent = [...inOutputs].filter((name) => !known(name));
  if (absent.length > 0) throw formatError(`Unresolved resource dependencies [${absent.join(', ')}] in the Outputs block of the template`);
  const inConditions = new Set<string>();
  collectReferences(template.conditions, inConditions);
  const wrong = [...inConditions].filter((name) => !Object.hasOwn(template.parameters, name) && !PSEUDO_PARAMETERS.has(name));
  if (wrong.length > 0) throw formatError(`Unresolved dependencies [${wrong.join(', ')}]. Cannot reference resources in the Conditions block of the template`);
  orderOf(template.resources);
}

function checkGetAtts(value: Json, template: Template): void {
  if (Array.isArray(value)) for (const item of value) checkGetAtts(item, template);
  if (!isObject(value)) return;
  const call = functionOf(value);
  if (call?.[0] === 'Fn::GetAtt') {
    const [logicalId] = getAttParts(call[1]);
    if (!template.resources.has(logicalId)) throw templateError(`instance of Fn::GetAtt references undefined resource ${logicalId}`);
  }
  for (const member of Object.values(value)) checkGetAtts(member, template);
}

/** Logical ids, each after those it depends on, in the template's order otherwise. Throws on a circle. */
export function orderOf(resources: ReadonlyMap<string, Pick<TemplateResource, 'dependsOn'>>): string[] {
  const waiting = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const [id, { dependsOn }] of resources) {
    const inside = dependsOn.filter((name) => resources.has(name));
    waiting.set(id, inside.length);
    for (const name of inside) dependents.set(name, [...(dependents.get(name) ?? []), id]);
  }
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  const order: string[] = [];
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] ?? '';
    order.push(id);
    for (const dependent of dependents.get(id) ?? []) {
      const left = (waiting.get(dependent) ?? 1) - 1;
      waiting.set(dependent, left);
      if (left === 0) ready.push(dependent);
    }
  }
  if (order.length < resources.size) {
    const circle = [...resources.keys()].filter((id) => !order.includes(id)).sort();
    throw validationError(`Circular dependency between resources: [${circle.join(', ')}]`);
  }
  return order;
}
