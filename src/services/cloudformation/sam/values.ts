import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../domain/json.ts';
import { isObject, isText } from '../domain/json.ts';

/** What the transform is given beside the template. */
export interface SamContext {
  /** Values of the template's parameters, defaults included. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly region: string;
  /** ARNs of AWS managed policies by name. */
  readonly managedPolicies: ReadonlyMap<string, string>;
}

/** A CloudFormation resource that the transform makes. */
export interface Made {
  readonly logicalId: string;
  readonly resource: JsonObject;
}

export const ref = (logicalId: string): JsonObject => ({ Ref: logicalId });
export const getAtt = (logicalId: string, attribute: string): JsonObject => ({ 'Fn::GetAtt': [logicalId, attribute] });
export const sub = (text: string, values?: JsonObject): JsonObject => ({ 'Fn::Sub': values ? [text, values] : text });
export const ifElse = (condition: string, yes: Json, no: Json = NO_VALUE): JsonObject => ({ 'Fn::If': [condition, yes, no] });
export const NO_VALUE: JsonObject = { Ref: 'AWS::NoValue' };

export const isNoValue = (value: Json | undefined): boolean => isObject(value) && value['Ref'] === 'AWS::NoValue' && Object.keys(value).length === 1;
export const isIntrinsic = (value: Json | undefined): value is JsonObject => {
  if (!isObject(value) || Object.keys(value).length !== 1) return false;
  const [key = ''] = Object.keys(value);
  return key === 'Ref' || key === 'Condition' || key.startsWith('Fn::');
};
export const isIf = (value: Json | undefined): value is JsonObject => isIntrinsic(value) && 'Fn::If' in value;
/** True unless Python would call it false: nothing, zero, and what is empty. */
export const isTruthy = (value: Json | undefined): boolean =>
  !(
    value === undefined ||
    value === null ||
    value === false ||
    value === 0 ||
    value === '' ||
    (Array.isArray(value) && value.length === 0) ||
    (isObject(value) && Object.keys(value).length === 0)
  );

/** An object's member that is an object, made where it is missing. What is there and is none is left to be refused by the caller. */
export function ensureObject(parent: JsonObject, key: string): JsonObject {
  if (parent[key] === undefined || parent[key] === null) parent[key] = {};
  return parent[key] as JsonObject;
}

/** Members that have a value. */
export function present(members: { [key: string]: Json | undefined }): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined && value !== null) out[key] = value;
  return out;
}

/** `json.dumps(value, separators=(',', ':'), sort_keys=True)`. */
export function pythonJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(',')}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
    return `{${keys.map((key) => `${asciiJson(key)}:${pythonJson(value[key] ?? null)}`).join(',')}}`;
  }
  return isText(value) ? asciiJson(value) : JSON.stringify(value);
}

/** `json.dumps` with its default separators, keys as they come. */
export function pythonJsonSpaced(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(pythonJsonSpaced).join(', ')}]`;
  if (isObject(value))
    return `{${Object.entries(value)
      .map(([key, member]) => `${asciiJson(key)}: ${pythonJsonSpaced(member)}`)
      .join(', ')}}`;
  return isText(value) ? asciiJson(value) : JSON.stringify(value);
}

/** `json.dumps(value, sort_keys=True, indent=4, separators=(',', ': '))`. */
export function pythonIndented(value: Json, indent = ''): string {
  const inner = `${indent}    `;
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[\n${value.map((item) => inner + pythonIndented(item, inner)).join(',\n')}\n${indent}]`;
  if (!isObject(value)) return isText(value) ? asciiJson(value) : JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
  if (keys.length === 0) return '{}';
  return `{\n${keys.map((key) => `${inner}${asciiJson(key)}: ${pythonIndented(value[key] ?? null, inner)}`).join(',\n')}\n${indent}}`;
}

const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

export const sha1 = (text: string): string => createHash('sha1').update(text, 'utf8').digest('hex');

/** A logical id that changes with `data`: the prefix and ten digits of a SHA-1. Nothing is appended for what is empty. */
export const hashedId = (prefix: string, data: Json | undefined): string =>
  !isTruthy(data) || data === undefined ? prefix : prefix + sha1(isText(data) ? data : pythonJson(data)).slice(0, 10);

/** Values of parameters put in place of `Ref` and of `${…}` in `Fn::Sub`. */
export function withParameters(value: Json, context: SamContext): Json {
  const known = (name: string): string | undefined =>
    name === 'AWS::Region'
      ? context.region
      : name === 'AWS::Partition'
        ? partitionOf(context.region)
        : Object.hasOwn(context.parameters, name)
          ? context.parameters[name]
          : undefined;
  const walk = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(walk);
    if (!isObject(node)) return node;
    const name = node['Ref'];
    if (isText(name) && Object.keys(node).length === 1) return known(name) ?? node;
    const out: JsonObject = {};
    for (const [key, member] of Object.entries(node)) out[key] = walk(member);
    const text = out['Fn::Sub'];
    if (Object.keys(out).length === 1 && text !== undefined) {
      const fill = (template: string) => template.replace(/\$\{([A-Za-z0-9:]+)\}/g, (whole, variable: string) => known(variable) ?? whole);
      if (isText(text)) return { 'Fn::Sub': fill(text) };
      if (Array.isArray(text) && isText(text[0])) return { 'Fn::Sub': [fill(text[0]), ...text.slice(1)] };
    }
    return out;
  };
  return walk(value);
}

export const partitionOf = (region: string): string => (region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws');

export const deepCopy = <T>(value: T): T => structuredClone(value);

/** Tags as CloudFormation's list; SAM's own first. */
export function tagList(tags: Json | undefined, ...more: (Json | undefined)[]): JsonObject[] {
  const list: JsonObject[] = [{ Key: 'lambda:createdBy', Value: 'SAM' }];
  for (const each of [...more, tags]) if (isObject(each)) for (const [Key, Value] of Object.entries(each)) list.push({ Key, Value });
  return list;
}

export const plainTags = (tags: Json | undefined): JsonObject[] => (isObject(tags) ? Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) : []);

/** Resource attributes that what is derived from a resource shares with it. */
export const SHARED_ATTRIBUTES = ['Condition', 'DeletionPolicy', 'UpdateReplacePolicy'] as const;
export const OWN_ATTRIBUTES = [...SHARED_ATTRIBUTES, 'UpdatePolicy', 'Metadata'] as const;

export function attributesOf(resource: JsonObject, names: readonly string[] = SHARED_ATTRIBUTES): JsonObject {
  const out: JsonObject = {};
  for (const name of names) if (resource[name] !== undefined) out[name] = resource[name];
  return out;
}

/** A made resource: empty members of the frame are left out. */
export function made(logicalId: string, type: string, properties: { [key: string]: Json | undefined }, attributes: JsonObject = {}): Made {
  return { logicalId, resource: { Type: type, Properties: present(properties), ...attributes } };
}
