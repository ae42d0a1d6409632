import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { transformApplication } from './application.ts';
import { deploymentResources } from './deployment.ts';
import { isProblem, problemsError, ResourceProblem, SamError } from './errors.ts';
import { transformFunction } from './function.ts';
import { mergeGlobals } from './globals.ts';
import { transformHttpApi } from './http-api.ts';
import { apiIdOf, defaultDefinitions, HTTP, implicitApi, REST } from './implicit.ts';
import { expandPolicyTemplates } from './policies.ts';
import { pythonOrder } from './python.ts';
import { transformRestApi } from './rest-api.ts';
import { checkProperties, refuseUnsupported } from './schema.ts';
import type { Session } from './session.ts';
import { transformStateMachine } from './state-machine.ts';
import { layerVersion, simpleTable } from './tables.ts';
import { emptyPlan } from './usage-plan.ts';
import { deepCopy, isTruthy, type Made, type SamContext, withParameters } from './values.ts';

export { SamError } from './errors.ts';
export type { SamContext } from './values.ts';

const FUNCTION = 'AWS::Serverless::Function';

/**
 * The CloudFormation template that a SAM template stands for, as AWS's transform makes it. Pure. Throws {@link SamError} with AWS's message.
 * "AWS SAM template anatomy" in the SAM Developer Guide.
 */
export function transformServerless(source: JsonObject, context: SamContext & { readonly nowSeconds?: number }): JsonObject {
  const template = deepCopy(source);
  const session = open(template, context);
  defaultDefinitions(session, REST);
  defaultDefinitions(session, HTTP);
  implicitApi(session, REST);
  implicitApi(session, HTTP);
  const problems: Error[] = [];
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      if (!isProblem(error)) throw error;
      problems.push(error);
    }
  };
  attempt(() => mergeGlobals(template));
  attempt(() => expandPolicies(session));
  if (problems.length > 0) throw problemsError(problems);
  Object.assign(session.original, deepCopy(session.resources));
  const output: JsonObject = {};
  const renamed = new Map<string, string>();
  const derived = new Map<string, string>();
  const ids = order(session);
  for (const [logicalId, resource] of Object.entries(session.resources)) {
    if (ids.includes(logicalId)) continue;
    output[logicalId] = resource;
    attempt(() => refuseUnsupported(logicalId, resource as JsonObject));
  }
  for (const logicalId of ids) {
    attempt(() => {
      const made = transformOne(session, logicalId);
      const [first] = made;
      if (first && first.logicalId !== logicalId && first.resource['Type'] === 'AWS::Lambda::LayerVersion') renamed.set(logicalId, first.logicalId);
      for (const each of made) {
        const taken = session.resources[each.logicalId];
        const ours = each.logicalId === logicalId || (isObject(taken) && each.resource['Type'] === 'AWS::S3::Bucket');
        if (taken !== undefined && !ours && isReserved(each)) throw new DuplicateProblem(logicalId, each);
        output[each.logicalId] = each.resource;
      }
      noteDerived(derived, logicalId, made);
    });
  }
  attempt(() => {
    for (const each of deploymentResources(session)) output[each.logicalId] = each.resource;
  });
  if (problems.length > 0) throw problemsError(problems);
  return finish(template, session, output, renamed, derived);
}

function open(template: JsonObject, context: SamContext & { readonly nowSeconds?: number }): Session {
  const resources = template['Resources'];
  if (!isObject(resources) || Object.keys(resources).length === 0) {
    throw new SamError(
      "Invalid Serverless Application Specification document. Number of errors found: 1. Structure of the SAM template is invalid. 'Resources' section is required",
    );
  }
  for (const [logicalId, resource] of Object.entries(resources)) {
    if (!isObject(resource)) {
      throw new SamError(
        "Invalid Serverless Application Specification document. Number of errors found: 1. Structure of the SAM template is invalid. All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.",
      );
    }
    const properties = resource['Properties'];
    if (properties !== undefined && properties !== null && !isObject(properties)) {
      throw new SamError(
        "Invalid Serverless Application Specification document. Number of errors found: 1. Structure of the SAM template is invalid. All 'Resources' must be Objects and have a 'Properties' Object. If you're using YAML, this may be an indentation issue.",
      );
    }
    if (isText(resource['Type']) && resource['Type'].startsWith('AWS::Serverless::') && !/^[A-Za-z0-9]+$/.test(logicalId)) {
      throw problemsError([new ResourceProblem(logicalId, 'Logical ids must be alphanumeric.')]);
    }
  }
  const declared = isObject(template['Parameters']) ? template['Parameters'] : {};
  const parameters: Record<string, string> = { ...context.parameters };
  for (const [name, declaration] of Object.entries(declared)) {
    const fallback = isObject(declaration) ? declaration['Default'] : undefined;
    if (!Object.hasOwn(parameters, name) && fallback !== undefined) parameters[name] = fallback as string;
  }
  const globals = isObject(template['Globals']) ? deepCopy(template['Globals']) : {};
  const conditions = isObject(template['Conditions']) ? template['Conditions'] : {};
  return {
    context: { ...context, parameters },
    resources,
    original: {},
    conditions,
    mappings: isObject(template['Mappings']) ? template['Mappings'] : {},
    deployments: [],
    sharedPlan: emptyPlan(),
    bodies: new Map(),
    managed: new Set(),
    functionNames: new Map(),
    globals,
    nowSeconds: context.nowSeconds ?? 0,
  };
}

/** SAM's own kind of logical id clash. */
class DuplicateProblem extends ResourceProblem {
  constructor(logicalId: string, taken: Made) {
    super(logicalId, '');
    this.message = `Transforming resource with id [${logicalId}] attempts to create a new resource with id [${taken.logicalId}] and type "${String(taken.resource['Type'])}". A resource with that id already exists within this template. Please use a different id for that resource.`;
  }
}

/** Types whose generated logical ids must not be taken. */
const isReserved = ({ resource }: Made): boolean =>
  ['AWS::Lambda::Permission', 'AWS::Lambda::EventSourceMapping', 'AWS::Events::Rule', 'AWS::IAM::Role'].includes(String(resource['Type']));

function expandPolicies(session: Session): void {
  for (const [logicalId, resource] of Object.entries(session.resources)) {
    if (!isObject(resource) || ![FUNCTION, 'AWS::Serverless::StateMachine'].includes(String(resource['Type']))) continue;
    const properties = resource['Properties'];
    if (!isObject(properties)) continue;
    const expanded = expandPolicyTemplates(logicalId, properties['Policies']);
    if (expanded) properties['Policies'] = expanded;
  }
}

/** Functions first, because their events complete the APIs; in Python 2.7's order where there is a REST API. */
function order(session: Session): string[] {
  const all = Object.values(session.resources).some((resource) => isObject(resource) && resource['Type'] === REST.resourceType)
    ? pythonOrder(Object.keys(session.resources))
    : Object.keys(session.resources);
  const typeOf = (id: string) => String((session.resources[id] as JsonObject)['Type']);
  const rank = (type: string) =>
    type === FUNCTION
      ? 0
      : type === 'AWS::Serverless::StateMachine'
        ? 1
        : /^AWS::Serverless::(Http|WebSocket)?Api$/.test(type)
          ? 2
          : type === 'AWS::Serverless::Connector'
            ? 4
            : 3;
  return all
    .filter((id) => typeOf(id).startsWith('AWS::Serverless::'))
    .map((id, index) => ({ id, index, rank: rank(typeOf(id)) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ id }) => id);
}

function transformOne(session: Session, logicalId: string): Made[] {
  const resource = session.resources[logicalId] as JsonObject;
  const properties = isObject(resource['Properties']) ? resource['Properties'] : {};
  // YAML reads `3.1` as a number.
  const version = properties['OpenApiVersion'];
  if (typeof version === 'number' && !Number.isInteger(version)) properties['OpenApiVersion'] = String(version);
  checkProperties(logicalId, String(resource['Type']), properties);
  switch (resource['Type']) {
    case FUNCTION: {
      noteFunctionName(session, properties);
      const made = transformFunction(session, logicalId, resource);
      refuseUnsupported(logicalId, resource);
      return made;
    }
    case 'AWS::Serverless::StateMachine':
      refuseUnsupported(logicalId, resource);
      return transformStateMachine(session, logicalId, resource);
    case 'AWS::Serverless::Api':
      refuseUnsupported(logicalId, resource);
      return transformRestApi(session, logicalId, resource);
    case 'AWS::Serverless::HttpApi':
      refuseUnsupported(logicalId, resource);
      return transformHttpApi(session, logicalId, resource);
    case 'AWS::Serverless::Application':
      refuseUnsupported(logicalId, resource);
      return transformApplication(logicalId, resource);
    case 'AWS::Serverless::SimpleTable':
      refuseUnsupported(logicalId, resource);
      return simpleTable(logicalId, resource, properties);
    case 'AWS::Serverless::LayerVersion':
      return layerVersion(logicalId, resource, properties, session.context);
    default:
      throw new ResourceProblem(logicalId, `Croft does not support the type ${String(resource['Type'])}`);
  }
}

/** An API is deployed anew when a function behind it changes its name. */
function noteFunctionName(session: Session, properties: JsonObject): void {
  const name = properties['FunctionName'] === undefined ? undefined : withParameters(properties['FunctionName'], session.context);
  if (!isTruthy(name) || !isObject(properties['Events'])) return;
  for (const event of Object.values(properties['Events'])) {
    const settings = isObject(event) && event['Type'] === 'Api' ? event['Properties'] : undefined;
    const api = isObject(settings) ? apiIdOf(settings['RestApiId']) : undefined;
    if (isText(api)) session.functionNames.set(api, [...(session.functionNames.get(api) ?? []), isText(name) ? name : JSON.stringify(name)]);
  }
}

/** `Ref: Function.Alias` and the like. "Referencing generated resources" in the SAM Developer Guide. */
const DERIVED: Readonly<Record<string, string>> = {
  'AWS::Lambda::Alias': 'Alias',
  'AWS::Lambda::Version': 'Version',
  'AWS::SNS::Topic': 'DestinationTopic',
  'AWS::SQS::Queue': 'DestinationQueue',
  'AWS::ApiGateway::Stage': 'Stage',
  'AWS::ApiGateway::Deployment': 'Deployment',
};

function noteDerived(derived: Map<string, string>, logicalId: string, made: readonly Made[]): void {
  for (const each of made) {
    const name = DERIVED[String(each.resource['Type'])];
    if (name !== undefined) derived.set(`${logicalId}.${name}`, each.logicalId);
  }
}

function finish(
  template: JsonObject,
  session: Session,
  resources: JsonObject,
  renamed: ReadonlyMap<string, string>,
  derived: ReadonlyMap<string, string>,
): JsonObject {
  const { Transform: _transform, Globals: _globals, Resources: _resources, ...rest } = template;
  const result: JsonObject = { ...rest, ...(Object.keys(session.conditions).length > 0 ? { Conditions: session.conditions } : {}), Resources: resources };
  for (const resource of Object.values(resources)) {
    if (!isObject(resource)) continue;
    delete resource['IgnoreGlobals'];
    const depends = resource['DependsOn'];
    const rename = (id: Json): Json => (isText(id) ? (renamed.get(id) ?? id) : id);
    if (depends !== undefined) resource['DependsOn'] = Array.isArray(depends) ? depends.map(rename) : rename(depends);
  }
  return relink(result, renamed, derived) as JsonObject;
}

/** Puts new logical ids in place of old ones, and of the dotted names of derived resources. */
function relink(node: Json, renamed: ReadonlyMap<string, string>, derived: ReadonlyMap<string, string>): Json {
  const find = (name: string): string | undefined => derived.get(name) ?? renamed.get(name);
  const walk = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    const [key = ''] = Object.keys(value);
    const argument = value[key];
    if (Object.keys(value).length === 1) {
      if (key === 'Ref' && isText(argument)) return { Ref: find(argument) ?? argument };
      if (key === 'Fn::GetAtt' && Array.isArray(argument) && argument.every(isText)) return { 'Fn::GetAtt': relinkGetAtt(argument, find) };
      if (key === 'Fn::Sub') return { 'Fn::Sub': relinkSub(argument ?? null, find, walk) };
    }
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, walk(member)]));
  };
  return walk(node);
}

function relinkGetAtt(parts: string[], find: (name: string) => string | undefined): string[] {
  const [head = '', ...attribute] = parts;
  const [first = '', ...rest] = attribute.join('.').split('.');
  const dotted = head.includes('.') ? find(head) : find(`${head}.${first}`);
  if (dotted !== undefined) return head.includes('.') ? [dotted, ...attribute] : [dotted, rest.join('.')];
  return [find(head) ?? head, ...attribute];
}

function relinkSub(argument: Json, find: (name: string) => string | undefined, walk: (value: Json) => Json): Json {
  const fill = (text: string): string =>
    text.replace(/\$\{([A-Za-z0-9.]+)\}/g, (whole, name: string) => {
      const direct = find(name);
      if (direct !== undefined) return `\${${direct}}`;
      const parts = name.split('.');
      const dotted = parts.length > 2 ? find(parts.slice(0, 2).join('.')) : undefined;
      if (dotted !== undefined) return `\${${[dotted, ...parts.slice(2)].join('.')}}`;
      const plain = parts.length > 1 ? find(parts[0] ?? '') : undefined;
      return plain === undefined ? whole : `\${${[plain, ...parts.slice(1)].join('.')}}`;
    });
  if (isText(argument)) return fill(argument);
  if (Array.isArray(argument) && isText(argument[0])) return [fill(argument[0]), ...argument.slice(1).map(walk)];
  return walk(argument);
}
