import { notImplemented } from '../../../kit/errors.ts';
import { templateError, validationError } from '../errors.ts';
import { cidrSubnets } from './cidr.ts';
import { TEMPLATE_FUNCTIONS } from './functions.ts';
import { isObject, isText, type Json, type JsonObject, scalarText } from './json.ts';

/** `AWS::NoValue`: whoever holds it drops the member. */
export const NO_VALUE = Symbol('AWS::NoValue');
/** Known only once another resource has been made: change sets meet it. */
export const UNKNOWN = Symbol('known after apply');
export type Value = null | boolean | number | string | typeof NO_VALUE | typeof UNKNOWN | Value[] | { [key: string]: Value };

/** What intrinsic functions look things up in. */
export interface Environment {
  readonly mappings: JsonObject;
  /** Evaluated conditions. */
  readonly conditions: Readonly<Record<string, boolean>>;
  /** A parameter's or pseudo-parameter's value, or a resource's `Ref`; undefined where there is none. */
  ref(name: string): Value | undefined;
  getAtt(logicalId: string, attribute: string): Value;
  importValue(name: string): Value;
  readonly region: string;
}

export const FUNCTION_NAMES: ReadonlySet<string> = new Set(['Ref', 'Condition', ...TEMPLATE_FUNCTIONS.map((name) => `Fn::${name}`)]);

/** The one function that an object is, or undefined. */
export function functionOf(value: JsonObject): [name: string, argument: Json] | undefined {
  const keys = Object.keys(value);
  const [name] = keys;
  if (keys.length !== 1 || name === undefined || !(name === 'Ref' || name.startsWith('Fn::'))) return undefined;
  return [name, value[name] ?? null];
}

/** Evaluates every intrinsic function in `value`; dynamic references stay. Throws `ValidationError` in AWS's wording. */
export function resolve(value: Json, env: Environment): Value {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => resolve(item, env)).filter((item) => item !== NO_VALUE);
  const call = functionOf(value);
  if (call) return evaluate(call[0], call[1], env);
  const out: { [key: string]: Value } = {};
  for (const [key, member] of Object.entries(value)) {
    const resolved = resolve(member, env);
    if (resolved !== NO_VALUE) out[key] = resolved;
  }
  return out;
}

function evaluate(name: string, argument: Json, env: Environment): Value {
  switch (name) {
    case 'Ref':
      return evaluateRef(argument, env);
    case 'Fn::GetAtt':
      return evaluateGetAtt(argument, env);
    case 'Fn::Sub':
      return evaluateSub(argument, env);
    case 'Fn::Join':
      return evaluateJoin(argument, env);
    case 'Fn::Select':
      return evaluateSelect(argument, env);
    case 'Fn::Split':
      return evaluateSplit(argument, env);
    case 'Fn::FindInMap':
      return evaluateFindInMap(argument, env);
    case 'Fn::If':
      return evaluateIf(argument, env);
    case 'Fn::Equals':
    case 'Fn::And':
    case 'Fn::Or':
    case 'Fn::Not':
      return evaluateCondition({ [name]: argument }, env);
    case 'Fn::Base64': {
      const text = resolve(argument, env);
      return text === UNKNOWN ? UNKNOWN : Buffer.from(needText(text, 'every Fn::Base64 object must have a String-typed value.'), 'utf8').toString('base64');
    }
    case 'Fn::ImportValue': {
      const exported = resolve(argument, env);
      return exported === UNKNOWN
        ? UNKNOWN
        : env.importValue(needText(exported, 'the attribute in Fn::ImportValue must be a string or a function that returns a string'));
    }
    case 'Fn::GetAZs': {
      const region = resolve(argument, env);
      return region === UNKNOWN ? UNKNOWN : ['a', 'b', 'c'].map((zone) => `${scalarText(region as Json) || env.region}${zone}`);
    }
    case 'Fn::Cidr':
      return evaluateCidr(argument, env);
    case 'Fn::Length': {
      const list = resolve(argument, env);
      if (list === UNKNOWN) return UNKNOWN;
      if (!Array.isArray(list)) throw templateError('Fn::Length expects a list.');
      return list.length;
    }
    case 'Fn::ToJsonString': {
      const object = resolve(argument, env);
      return holdsUnknown(object) ? UNKNOWN : JSON.stringify(object);
    }
    case 'Fn::Transform':
      throw notImplemented('Fn::Transform');
    default:
      throw validationError(`Template format error: unsupported intrinsic function ${name}`);
  }
}

function needText(value: Value, message: string): string {
  const text = scalarText(value as Json);
  if (text === undefined) throw templateError(message);
  return text;
}

/** Whether a value is not wholly known yet. */
export function holdsUnknown(value: Value): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsUnknown);
}

function evaluateRef(argument: Json, env: Environment): Value {
  if (!isText(argument)) throw templateError('every Ref object must have a single String value.');
  const value = env.ref(argument);
  if (value === undefined)
    throw validationError(`Template format error: Unresolved resource dependencies [${argument}] in the Resources block of the template`);
  return value;
}

const GET_ATT = 'every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute';

/** The two parts of `Fn::GetAtt` in any of its forms; the attribute may be a function. */
export function getAttParts(argument: Json): [logicalId: string, attribute: Json] {
  if (isText(argument)) {
    const dot = argument.indexOf('.');
    if (dot > 0 && dot < argument.length - 1) return [argument.slice(0, dot), argument.slice(dot + 1)];
  } else if (Array.isArray(argument) && argument.length >= 2 && isText(argument[0]) && argument[0] !== '') {
    if (argument.length > 2 && argument.every(isText)) return [argument[0], argument.slice(1).join('.')];
    if (argument.length === 2 && argument[1] !== undefined && argument[1] !== '') return [argument[0], argument[1]];
  }
  throw templateError(GET_ATT);
}

function evaluateGetAtt(argument: Json, env: Environment): Value {
  const [logicalId, attribute] = getAttParts(argument);
  const name = resolve(attribute, env);
  return name === UNKNOWN ? UNKNOWN : env.getAtt(logicalId, needText(name, GET_ATT));
}

const SUB =
  "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string";

/** The text of `Fn::Sub` and the values given beside it. */
export function subParts(argument: Json): [text: string, values: JsonObject] {
  if (isText(argument)) return [argument, {}];
  if (Array.isArray(argument) && argument.length === 2 && isText(argument[0]) && isObject(argument[1])) return [argument[0], argument[1]];
  throw templateError(SUB);
}

/** `${Name}` in the text of `Fn::Sub`; `${!Literal}` stays. */
export const SUB_VARIABLE = /\$\{([^!{}][^{}]*)\}/g;

function evaluateSub(argument: Json, env: Environment): Value {
  const [text, values] = subParts(argument);
  let unknown = false;
  const replaced = text.replace(SUB_VARIABLE, (_whole, raw: string) => {
    const name = raw.trim();
    if (!/^[\w.:]+$/.test(name))
      throw templateError('variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons');
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    const value = given !== undefined ? resolve(given, env) : name.includes('.') ? evaluateGetAtt(name, env) : evaluateRef(name, env);
    if (value === UNKNOWN) unknown = true;
    return value === UNKNOWN || value === NO_VALUE ? '' : needText(value, SUB);
  });
  return unknown ? UNKNOWN : replaced.replace(/\$\{!([^{}]*)\}/g, (_whole, literal: string) => `\${${literal}}`);
}

function evaluateJoin(argument: Json, env: Environment): Value {
  const wording =
    'every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.';
  if (!Array.isArray(argument) || argument.length !== 2) throw templateError(wording);
  const delimiter = resolve(argument[0] ?? null, env);
  const list = resolve(argument[1] ?? null, env);
  if (holdsUnknown(list) || delimiter === UNKNOWN) return UNKNOWN;
  if (!isText(delimiter) || !Array.isArray(list)) throw templateError(wording);
  return list.map((item) => needText(item, wording)).join(delimiter);
}

function evaluateSelect(argument: Json, env: Environment): Value {
  const wording = 'Fn::Select requires a list argument with two elements: an integer index and a list';
  if (!Array.isArray(argument) || argument.length !== 2) throw templateError(wording);
  const at = resolve(argument[0] ?? null, env);
  const list = resolve(argument[1] ?? null, env);
  if (list === UNKNOWN || at === UNKNOWN) return UNKNOWN;
  const index = Number(needText(at, wording));
  if (!Array.isArray(list) || !Number.isInteger(index)) throw templateError(wording);
  const item = index < 0 ? undefined : list[index];
  if (item === undefined) throw templateError(Array.isArray(argument[1]) ? wording : `Fn::Select  cannot select nonexistent value at index ${index}`);
  return item;
}

function evaluateSplit(argument: Json, env: Environment): Value {
  const wording =
    'every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.';
  if (!Array.isArray(argument) || argument.length !== 2 || !isText(argument[0])) throw templateError(wording);
  const text = resolve(argument[1] ?? null, env);
  return text === UNKNOWN ? UNKNOWN : needText(text, wording).split(argument[0]);
}

function evaluateFindInMap(argument: Json, env: Environment): Value {
  const wording = 'every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value';
  if (!Array.isArray(argument) || argument.length < 3 || argument.length > 4) throw templateError(wording);
  const names = argument.slice(0, 3).map((part) => resolve(part, env));
  if (names.includes(UNKNOWN)) return UNKNOWN;
  const [map = '', top = '', second = ''] = names.map((part) => needText(part, wording));
  const row = objectOwn(objectOwn(env.mappings, map), top);
  const found = isObject(row) && Object.hasOwn(row, second) ? row[second] : undefined;
  if (found !== undefined) return resolve(found, env);
  const options = argument[3];
  if (isObject(options) && Object.hasOwn(options, 'DefaultValue')) return resolve(options['DefaultValue'] ?? null, env);
  if (!Object.hasOwn(env.mappings, map)) throw templateError(`Mapping named '${map}' is not present in the 'Mappings' section of template.`);
  throw templateError(`Unable to get mapping for ${map}::${top}::${second}`);
}

const objectOwn = (value: Json | undefined, key: string): Json | undefined => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined);

function evaluateIf(argument: Json, env: Environment): Value {
  const wording = 'Fn::If requires a list argument with the first element being a condition';
  if (!Array.isArray(argument) || argument.length !== 3) throw templateError(wording);
  const [condition, yes, no] = argument;
  if (!isText(condition)) throw templateError(wording);
  const holds = Object.hasOwn(env.conditions, condition) ? env.conditions[condition] : undefined;
  if (holds === undefined) throw templateError(`unresolved condition dependency ${condition} in Fn::If`);
  return resolve((holds ? yes : no) ?? null, env);
}

function evaluateCidr(argument: Json, env: Environment): Value {
  if (!Array.isArray(argument) || argument.length < 2 || argument.length > 3)
    throw templateError('Fn::Cidr expects a block, a count and the bits of each subnet');
  const [block, count, bits] = argument.map((part) => resolve(part, env));
  if (block === UNKNOWN || count === UNKNOWN || bits === UNKNOWN) return UNKNOWN;
  return cidrSubnets(String(block), Number(count), bits === undefined ? undefined : Number(bits));
}

/** A condition's definition as true or false. `lookup` evaluates a named one. */
export function evaluateCondition(definition: Json, env: Environment, lookup: (name: string) => boolean = (name) => namedCondition(name, env)): boolean {
  if (!isObject(definition)) return scalarText(definition) === 'true';
  const [name = ''] = Object.keys(definition);
  const argument = definition[name] ?? null;
  const list = Array.isArray(argument) ? argument : [];
  const each = (item: Json) => evaluateCondition(item, env, lookup);
  switch (name) {
    case 'Condition':
      return lookup(String(argument));
    case 'Fn::Equals': {
      if (list.length !== 2) throw templateError('every Fn::Equals object requires a list of 2 string parameters.');
      const [left, right] = list.map((item) => resolve(item, env));
      return JSON.stringify(comparable(left)) === JSON.stringify(comparable(right));
    }
    case 'Fn::Not':
      if (list.length !== 1) throw templateError('every Fn::Not object requires a list of exactly 1 boolean parameter.');
      return !each(list[0] ?? null);
    case 'Fn::And':
    case 'Fn::Or':
      if (list.length < 2 || list.length > 10) throw templateError(`every ${name} object requires a list of at least 2 and at most 10 boolean parameters.`);
      return name === 'Fn::And' ? list.every(each) : list.some(each);
    default: {
      const call = functionOf(definition);
      if (!call) throw validationError('Template format error: Conditions can only be boolean operations on parameters and other conditions');
      return scalarText(resolve(definition, env) as Json) === 'true';
    }
  }
}

const comparable = (value: Value | undefined): unknown =>
  value !== undefined && scalarText(value as Json) !== undefined ? scalarText(value as Json) : (value ?? null);

function namedCondition(name: string, env: Environment): boolean {
  const holds = Object.hasOwn(env.conditions, name) ? env.conditions[name] : undefined;
  if (holds === undefined) throw validationError(`Template format error: Unresolved condition dependency ${name} in the Conditions block of the template`);
  return holds;
}

/** Every condition of a template, each evaluated once, those they name first. */
export function evaluateConditions(definitions: JsonObject, env: Omit<Environment, 'conditions'>): Record<string, boolean> {
  const done: Record<string, boolean> = {};
  const open: string[] = [];
  const one = (name: string): boolean => {
    const known = Object.hasOwn(done, name) ? done[name] : undefined;
    if (known !== undefined) return known;
    if (!Object.hasOwn(definitions, name))
      throw validationError(`Template format error: Unresolved condition dependency ${name} in the Conditions block of the template`);
    if (open.includes(name)) throw validationError(`Template format error: Circular dependencies for conditions [${open.join(', ')}]`);
    open.push(name);
    const holds = evaluateCondition(definitions[name] ?? null, { ...env, conditions: done }, one);
    open.pop();
    done[name] = holds;
    return holds;
  };
  for (const name of Object.keys(definitions)) one(name);
  return done;
}
