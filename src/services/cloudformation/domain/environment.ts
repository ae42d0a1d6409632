import { partitionOf } from '../../../kit/arn.ts';
import { templateError, validationError } from '../errors.ts';
import { type Environment, evaluateConditions, NO_VALUE, resolve, UNKNOWN, type Value } from './intrinsics.ts';
import { isObject, type Json, objectAt } from './json.ts';
import { parameterRef, type StackParameter, textOfParameter } from './parameters.ts';
import type { Template, TemplateResource } from './template.ts';

/** What of a resource the template can refer to. */
export interface ResourceView {
  readonly ref: Value;
  /** Undefined: no such attribute. */
  attribute(name: string): Value | undefined;
}

export interface EnvironmentOptions {
  readonly template: Template;
  readonly parameters: readonly StackParameter[];
  readonly account: string;
  readonly region: string;
  readonly stackId: string;
  readonly stackName: string;
  readonly notificationArns: readonly string[];
  readonly exports: ReadonlyMap<string, string>;
  readonly resource: (logicalId: string) => ResourceView | undefined;
  /** Told each export that is read. */
  readonly onImport?: (name: string) => void;
}

/** `Ref` of the pseudo-parameters. "Get AWS values using pseudo parameters" in the CloudFormation User Guide. */
export function pseudoParameters(options: Omit<EnvironmentOptions, 'template' | 'parameters' | 'exports' | 'resource'>): Record<string, Value> {
  const { region } = options;
  return {
    'AWS::AccountId': options.account,
    'AWS::Region': region,
    'AWS::StackId': options.stackId,
    'AWS::StackName': options.stackName,
    'AWS::Partition': partitionOf(region),
    'AWS::URLSuffix': region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com',
    'AWS::NotificationARNs': [...options.notificationArns],
    'AWS::NoValue': NO_VALUE,
  };
}

/** Where the intrinsic functions of a template look things up. */
export function environmentOf(options: EnvironmentOptions): Environment {
  const { template } = options;
  const pseudo = pseudoParameters(options);
  const values = new Map(
    options.parameters.map((one) => [one.key, parameterValue(String(objectAt(template.parameters, one.key)['Type']), textOfParameter(one))]),
  );
  const ref = (name: string): Value | undefined => {
    if (Object.hasOwn(pseudo, name)) return pseudo[name];
    return values.has(name) ? (values.get(name) as Value) : options.resource(name)?.ref;
  };
  const base = {
    mappings: template.mappings,
    region: options.region,
    ref,
    getAtt(logicalId: string, attribute: string): Value {
      const view = options.resource(logicalId);
      if (!view) throw templateError(`instance of Fn::GetAtt references undefined resource ${logicalId}`);
      const value = view.attribute(attribute);
      if (value === undefined) throw templateError(`resource ${logicalId} does not support attribute type ${attribute} in Fn::GetAtt`);
      return value;
    },
    importValue(name: string): Value {
      const value = options.exports.get(name);
      if (value === undefined) throw validationError(`No export named ${name} found.`);
      options.onImport?.(name);
      return value;
    },
  };
  return { ...base, conditions: evaluateConditions(template.conditions, base) };
}

/** A parameter with the text `AWS::NoValue` stands for that pseudo-parameter. */
const parameterValue = (type: string, value: string): Value => (value === 'AWS::NoValue' ? NO_VALUE : parameterRef(type, value));

/**
 * Evaluates all that can be known before anything is made: a mapping's missing key, say, is a mistake that the request is refused for. Throws `ValidationError`.
 * Exports that are missing are found when the resource is made.
 */
export function checkStatics(options: Omit<EnvironmentOptions, 'resource' | 'exports'>): void {
  const { template } = options;
  const present = new Set<string>();
  const env = environmentOf({
    ...options,
    exports: new Map(),
    resource: (logicalId) => (present.has(logicalId) ? { ref: UNKNOWN, attribute: () => UNKNOWN } : undefined),
  });
  const active = activeResources(template, env);
  for (const logicalId of active.keys()) present.add(logicalId);
  const statics: Environment = { ...env, importValue: () => UNKNOWN };
  for (const { properties } of active.values()) resolve(properties, statics);
}

/** Resources whose condition holds, in the template's order. */
export function activeResources(template: Template, env: Environment): Map<string, TemplateResource> {
  return new Map([...template.resources].filter(([, { condition }]) => condition === undefined || env.conditions[condition] === true));
}

/** An attribute of a resource: a name with dots, or a path into nested objects. */
export function attributeOf(attributes: Readonly<Record<string, unknown>>, name: string): Value | undefined {
  if (Object.hasOwn(attributes, name)) return attributes[name] as Value;
  let value: unknown = attributes;
  for (const part of name.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part] as Json;
  }
  return value as Value;
}
