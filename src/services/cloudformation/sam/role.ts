import { isText, type Json, type JsonObject, sameJson } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { policyEntries } from './policies.ts';
import { isIf, isNoValue, type Made, made, partitionOf, type SamContext } from './values.ts';

/** An execution role in the making: event sources add to it. */
export interface RoleDraft {
  readonly logicalId: string;
  readonly managed: Json[];
  readonly inline: Json[];
  readonly finish: () => Made;
}

export const managedArn = (context: SamContext, name: string): string => `arn:${partitionOf(context.region)}:iam::aws:policy/${name}`;

export const assumedBy = (service: string): JsonObject => ({
  Version: '2012-10-17',
  Statement: [{ Action: ['sts:AssumeRole'], Effect: 'Allow', Principal: { Service: [service] } }],
});

/** A named inline policy with one statement. */
export const inlinePolicy = (name: string, action: Json, resource: Json): JsonObject => ({
  PolicyName: name,
  PolicyDocument: { Statement: [{ Action: action, Effect: 'Allow', Resource: resource }] },
});

export interface RoleOptions {
  readonly owner: string;
  readonly assumeRolePolicy: Json;
  readonly managed: readonly string[];
  readonly inline: readonly Json[];
  readonly policies: Json | undefined;
  readonly path: Json | undefined;
  readonly boundary: Json | undefined;
  readonly tags: Json | undefined;
  readonly attributes: JsonObject;
}

/** The role that SAM makes for a function or a state machine. */
export function draftRole(context: SamContext, options: RoleOptions): RoleDraft {
  const logicalId = `${options.owner}Role`;
  const managed: Json[] = [...options.managed];
  const inline: Json[] = [...options.inline];
  const document = (index: number, data: Json): JsonObject => ({ PolicyName: `${logicalId}Policy${index}`, PolicyDocument: data });
  policyEntries(options.policies).forEach(({ kind, data }, index) => {
    if (kind === 'statement') inline.push(mapIf(data, (value) => document(index, value)));
    else if (kind === 'managed') {
      const arn = isText(data) || isIf(data) ? mapIf(data, (value) => (isText(value) ? arnOf(context, value) : value)) : data;
      if (!managed.some((present) => sameJson(present, arn))) managed.push(arn);
    } else throw new ResourceProblem(options.owner, `Policy at index ${index} in the 'Policies' property is not valid`);
  });
  return {
    logicalId,
    managed,
    inline,
    finish: () =>
      made(
        logicalId,
        'AWS::IAM::Role',
        {
          AssumeRolePolicyDocument: options.assumeRolePolicy,
          ManagedPolicyArns: managed,
          Policies: inline.length > 0 ? inline : undefined,
          Path: options.path,
          PermissionsBoundary: options.boundary,
          Tags: options.tags,
        },
        options.attributes,
      ),
  };
}

/** Applies a change to a value, or to both branches of an `Fn::If`. */
function mapIf(data: Json, change: (value: Json) => Json): Json {
  if (!isIf(data)) return change(data);
  const [condition = null, ...branches] = data['Fn::If'] as Json[];
  return { 'Fn::If': [condition, ...branches.map((branch) => (isNoValue(branch) ? branch : change(branch)))] };
}

const arnOf = (context: SamContext, name: string): string =>
  context.managedPolicies.get(name)?.replace(/^arn:aws:/, `arn:${partitionOf(context.region)}:`) ?? name;
