import { type JsonObject, objectAt } from './json.ts';
import { declaredTransforms, processMacros } from './macros.ts';
import { checkDeclarations, type GivenParameter, parameterValues, type StackParameter } from './parameters.ts';
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
}

export interface Expanded {
  readonly source: JsonObject;
  readonly transforms: readonly string[];
  readonly parameters: readonly StackParameter[];
  /** After macros. */
  readonly processed: JsonObject;
}

/** Reads a template, gives its parameters values and runs its macros. Throws `ValidationError`. */
export function expand(task: ExpandTask): Expanded {
  const source = parseTemplate(task.text);
  const transforms = declaredTransforms(source);
  if (!task.values) return { source, transforms, parameters: [], processed: source };
  const declarations = objectAt(source, 'Parameters');
  checkDeclarations(declarations);
  const parameters = parameterValues(declarations, task.values.given, task.values.previous);
  const context = { account: task.account, region: task.region, parameters, managedPolicies: new Map(task.managedPolicies), nowSeconds: task.nowSeconds };
  return { source, transforms, parameters, processed: transforms.length === 0 ? source : processMacros(source, context) };
}
