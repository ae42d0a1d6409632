import { validationError } from '../errors.ts';
import { pseudoParameters } from './environment.ts';
import { INCLUDE, Includes } from './includes.ts';
import type { Environment, Value } from './intrinsics.ts';
import { type JsonObject, objectAt } from './json.ts';
import { hasPolicyFunctions, resolvePolicies } from './language-extensions.ts';
import { declaredTransforms, processMacros } from './macros.ts';
import { checkDeclarations, type GivenParameter, parameterRef, parameterValues, type StackParameter, textOfParameter } from './parameters.ts';
import { parseTemplate } from './parse.ts';

/** All that reading a template needs; plain data, so that another thread can do it. */
export interface ExpandTask {
  readonly text: string;
  /** Absent: the template is only read. */
  readonly values?: { readonly given: readonly GivenParameter[]; readonly previous?: readonly StackParameter[] };
  readonly account: string;
  readonly region: string;
  /** AWS managed policies, name and ARN. */
  readonly managedPolicies: readonly (readonly [name: string, arn: string])[];
  readonly nowSeconds: number;
  /** Snippets read so far, location and text. */
  readonly includes?: readonly (readonly [location: string, text: string])[];
  /** Parameter Store's values read so far, name and value. */
  readonly stored?: readonly (readonly [name: string, value: string])[];
}

export interface Expanded {
  readonly source: JsonObject;
  readonly transforms: readonly string[];
  readonly parameters: readonly StackParameter[];
  /** After macros. */
  readonly processed: JsonObject;
  /** Locations of snippets that must be read first. */
  readonly missing: readonly string[];
  /** Names in Parameter Store whose values must be read first. */
  readonly unread: readonly string[];
}

/** Reads a template, gives its parameters values and runs its macros. Throws `ValidationError`. */
export function expand(task: ExpandTask): Expanded {
  const source = parseTemplate(task.text);
  const transforms = declaredTransforms(source);
  if (!task.values) return { source, transforms, parameters: [], processed: source, missing: [], unread: [] };
  const declarations = objectAt(source, 'Parameters');
  checkDeclarations(declarations);
  const stored = { known: new Map(task.stored ?? []), unread: new Set<string>() };
  const parameters = parameterValues(declarations, task.values.given, task.values.previous, stored);
  if (stored.unread.size > 0) return { source, transforms, parameters, processed: source, missing: [], unread: [...stored.unread] };
  const context = { account: task.account, region: task.region, parameters, managedPolicies: new Map(task.managedPolicies), nowSeconds: task.nowSeconds };
  if (transforms.length === 0 && !task.text.includes('Fn::Transform') && !task.text.includes('!Transform')) {
    return { source, transforms, parameters, processed: policiesIn(source, task, parameters), missing: [], unread: [] };
  }
  const env = beforehand(task, source, parameters);
  const includes = new Includes(new Map(task.includes ?? []), env);
  const processed = processMacros(source, context, env, includes);
  const used = includes.used && !transforms.includes(INCLUDE) ? [...transforms, INCLUDE] : transforms;
  return { source, transforms: used, parameters, processed, missing: includes.missing, unread: [] };
}

/** The template with its policies decided: parameters, mappings and conditions say what they are. */
function policiesIn(source: JsonObject, task: ExpandTask, parameters: readonly StackParameter[]): JsonObject {
  if (!hasPolicyFunctions(source)) return source;
  const copy = structuredClone(source);
  resolvePolicies(copy, beforehand(task, source, parameters));
  return copy;
}

/** What macros may look up: parameters, mappings and where the stack is. */
function beforehand({ account, region }: ExpandTask, source: JsonObject, parameters: readonly StackParameter[]): Environment {
  const known = new Map<string, Value>(
    Object.entries(pseudoParameters({ account, region, stackId: '', stackName: '', notificationArns: [] })).filter(([, value]) => value !== ''),
  );
  for (const one of parameters) known.set(one.key, parameterRef(String(objectAt(objectAt(source, 'Parameters'), one.key)['Type']), textOfParameter(one)));
  const none = (): never => {
    throw validationError('Template format error: transforms can refer to parameters and mappings only.');
  };
  return { mappings: objectAt(source, 'Mappings'), conditions: {}, region, ref: (name) => known.get(name), getAtt: none, importValue: none };
}
