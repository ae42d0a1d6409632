import { AwsError, notImplemented } from '../../../kit/errors.ts';
import { validationError } from '../errors.ts';
import { SamError, transformServerless } from '../sam/index.ts';
import { functionOf } from './intrinsics.ts';
import { isObject, isText, type Json, type JsonObject } from './json.ts';
import type { StackParameter } from './parameters.ts';

export const SERVERLESS = 'AWS::Serverless-2016-10-31';
const LANGUAGE_EXTENSIONS = 'AWS::LanguageExtensions';

/** The macros that a template's `Transform` names, in order. */
export function declaredTransforms(source: JsonObject): string[] {
  const declared = source['Transform'];
  const list = Array.isArray(declared) ? declared : declared === undefined ? [] : [declared];
  return list.map((each) => {
    if (isText(each)) return each;
    if (isObject(each) && isText(each['Name'])) return each['Name'];
    if (isObject(each)) throw validationError('Key Name of transform definition must be a string.');
    throw validationError('Template format error: Transform must be a string or a list of strings.');
  });
}

export interface MacroContext {
  readonly account: string;
  readonly region: string;
  readonly parameters: readonly StackParameter[];
  /** AWS managed policies by name. */
  readonly managedPolicies: ReadonlyMap<string, string>;
  /** For APIs that are deployed each time. */
  readonly nowSeconds: number;
}

/** The template after its macros. Throws `ValidationError`. "Template macros" in the CloudFormation User Guide. */
export function processMacros(source: JsonObject, context: MacroContext): JsonObject {
  let template = source;
  for (const name of declaredTransforms(source)) {
    if (name === SERVERLESS) template = serverless(template, context);
    else if (name === LANGUAGE_EXTENSIONS) refuseLoops(template);
    else if (name.startsWith('AWS::')) throw notImplemented(`The transform ${name}`);
    else throw validationError(`No transform named ${context.account}::${name} found.`);
  }
  const { Transform: _, ...rest } = template;
  return rest;
}

function serverless(template: JsonObject, context: MacroContext): JsonObject {
  try {
    return transformServerless(template, {
      parameters: Object.fromEntries(context.parameters.map(({ key, value }) => [key, value])),
      region: context.region,
      managedPolicies: context.managedPolicies,
      nowSeconds: context.nowSeconds,
    });
  } catch (error) {
    if (error instanceof SamError) throw validationError(`Transform ${SERVERLESS} failed with: ${error.message}`);
    if (error instanceof AwsError) throw error;
    // AWS's own words for a template that its transform trips over.
    throw Object.assign(validationError(`Transform ${SERVERLESS} failed with: Internal transform failure.`), { cause: error });
  }
}

/** `Fn::Length` and `Fn::ToJsonString` are evaluated with the other functions; loops would have to be unrolled here. */
function refuseLoops(value: Json): void {
  if (Array.isArray(value)) value.forEach(refuseLoops);
  if (!isObject(value)) return;
  const loop = Object.keys(value).find((key) => key.startsWith('Fn::ForEach'));
  if (loop !== undefined || functionOf(value)?.[0] === 'Fn::ForEach') throw notImplemented('Fn::ForEach');
  Object.values(value).forEach(refuseLoops);
}
