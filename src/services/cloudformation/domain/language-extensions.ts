import { validationError } from '../errors.ts';
import { EXPANDED_NODES_MAX, LOOPS_DEPTH_MAX, TEMPLATE_URL_BYTES_MAX } from '../limits.ts';
import { type Environment, evaluateConditions, functionOf, NO_VALUE, resolve } from './intrinsics.ts';
import { isObject, isText, type Json, type JsonObject, objectAt, scalarText } from './json.ts';

const LOOP = 'Fn::ForEach::';

/**
 * `AWS::LanguageExtensions`: unrolls `Fn::ForEach` and resolves deletion policies that are functions of parameters. `Fn::Length`, `Fn::ToJsonString` and defaults of
 * `Fn::FindInMap` are evaluated with the other functions. "AWS::LanguageExtensions transform" in the CloudFormation User Guide. Throws `ValidationError`.
 */
export function extendLanguage(template: JsonObject, env: Pick<Environment, 'ref' | 'region'> & { readonly mappings: JsonObject }): JsonObject {
  const context: Environment = {
    ...env,
    conditions: {},
    getAtt: () => {
      throw failed('Fn::GetAtt cannot be used where a value must be known beforehand');
    },
    importValue: () => {
      throw failed('Fn::ImportValue cannot be used where a value must be known beforehand');
    },
  };
  const unrolled = unroll(template, context, { made: 0 }, 0) as JsonObject;
  resolvePolicies(unrolled, context);
  const simple = (name: string) => (unrolled[name] === undefined ? {} : { [name]: simplified(unrolled[name] ?? null, context) });
  return { ...unrolled, ...simple('Resources'), ...simple('Outputs') };
}

/** Functions whose values the transform puts in their place, where all that they are given is known. */
const SIMPLE = new Set(['Fn::Length', 'Fn::ToJsonString', 'Fn::Join', 'Fn::Sub', 'Fn::Select', 'Fn::Split']);

function simplified(value: Json, env: Environment): Json {
  if (Array.isArray(value)) return value.map((item) => simplified(item, env));
  if (!isObject(value)) return value;
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, simplified(member, env)]));
  const call = functionOf(members);
  if (!call || !SIMPLE.has(call[0])) return members;
  const [name, argument] = call;
  // The length of a parameter's list is known; what the parameter is stays a reference.
  if (name === 'Fn::Length' && isObject(argument) && isText(argument['Ref']) && Array.isArray(env.ref(argument['Ref']))) return resolve(members, env) as Json;
  const known = name === 'Fn::Sub' ? isText(argument) && !argument.includes('${') : isLiteral(argument);
  return known ? (resolve(members, env) as Json) : members;
}

const isLiteral = (value: Json): boolean => {
  if (Array.isArray(value)) return value.every(isLiteral);
  return !isObject(value) || (!functionOf(value) && Object.values(value).every(isLiteral));
};

const failed = (message: string) => validationError(`Transform AWS::LanguageExtensions failed with: ${message}`);

function unroll(value: Json, env: Environment, count: { made: number }, depth: number): Json {
  if (Array.isArray(value)) return value.map((item) => unroll(item, env, count, depth));
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  const add = (name: string, member: Json) => {
    if (Object.hasOwn(out, name)) throw failed(`Duplicate key ${name} produced by Fn::ForEach`);
    out[name] = member;
  };
  for (const [name, member] of Object.entries(value)) {
    if (!name.startsWith(LOOP)) add(name, unroll(member, env, count, depth));
    else for (const [made, each] of loop(name, member, env, count, depth)) add(made, each);
  }
  return out;
}

function loop(name: string, definition: Json, env: Environment, count: { made: number }, depth: number): [string, Json][] {
  if (depth >= LOOPS_DEPTH_MAX) throw failed(`Fn::ForEach loops are nested more than ${LOOPS_DEPTH_MAX} deep`);
  const [identifier, collection, body] = Array.isArray(definition) && definition.length === 3 ? definition : [];
  if (!isText(identifier) || collection === undefined || !isObject(body)) throw failed(`${name} layout is incorrect`);
  const made: [string, Json][] = [];
  for (const item of itemsOf(name, collection, env)) {
    count.made += nodesOf(body);
    if (count.made > EXPANDED_NODES_MAX) throw failed('Fn::ForEach makes too many elements');
    made.push(...Object.entries(unroll(substitute(body, identifier, item), env, count, depth + 1) as JsonObject));
  }
  return made;
}

function itemsOf(name: string, collection: Json, env: Environment): string[] {
  const resolved = resolve(collection, env);
  if (!Array.isArray(resolved)) throw failed(`${name} layout is incorrect: the collection must be a list`);
  return resolved.map((item) => {
    const text = scalarText(item as Json);
    if (text === undefined) throw failed(`${name} layout is incorrect: the collection must hold texts only`);
    return text;
  });
}

function nodesOf(value: Json): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + nodesOf(item), 1);
  return isObject(value) ? Object.values(value).reduce<number>((sum, item) => sum + nodesOf(item), 1) : 1;
}

/** `${Identifier}`, `&{Identifier}` (letters and digits of it only) and `Ref: Identifier` become the item. */
function substitute(value: Json, identifier: string, item: string): Json {
  if (isText(value)) {
    const grown = value.length + (value.split(`{${identifier}}`).length - 1) * item.length;
    if (grown > TEMPLATE_URL_BYTES_MAX) throw failed('Fn::ForEach makes too long a text');
    return value.replaceAll(`\${${identifier}}`, () => item).replaceAll(`&{${identifier}}`, () => item.replace(/[^A-Za-z0-9]/g, ''));
  }
  if (Array.isArray(value)) return value.map((each) => substitute(each, identifier, item));
  if (!isObject(value)) return value;
  if (value['Ref'] === identifier && Object.keys(value).length === 1) return item;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [substitute(name, identifier, item) as string, substitute(member, identifier, item)]),
  );
}

/** Whether a policy of a resource is written as a function. */
export const hasPolicyFunctions = (template: JsonObject): boolean =>
  Object.values(objectAt(template, 'Resources')).some(
    (resource) => isObject(resource) && (isObject(resource['DeletionPolicy']) || isObject(resource['UpdateReplacePolicy'])),
  );

/** Puts what they say in the place of policies that are functions; changes `template`. */
export function resolvePolicies(template: JsonObject, env: Environment): void {
  const conditions = isObject(template['Conditions']) ? template['Conditions'] : {};
  const resources = isObject(template['Resources']) ? template['Resources'] : {};
  for (const resource of Object.values(resources)) {
    if (!isObject(resource)) continue;
    for (const name of ['DeletionPolicy', 'UpdateReplacePolicy']) {
      const policy = resource[name];
      if (!isObject(policy)) continue;
      const value = resolve(policy, { ...env, conditions: evaluateConditions(conditions, env) });
      if (value === NO_VALUE) delete resource[name];
      else resource[name] = value as Json;
    }
  }
}
