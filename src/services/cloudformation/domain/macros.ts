import { AwsError, notImplemented } from '../../../kit/errors.ts';
import { validationError } from '../errors.ts';
import { SamError, transformServerless } from '../sam/index.ts';
import { INCLUDE, type Includes } from './includes.ts';
import type { Environment } from './intrinsics.ts';
import { isObject, isText, type JsonObject, objectAt } from './json.ts';
import { extendLanguage } from './language-extensions.ts';
import { type StackParameter, textOfParameter } from './parameters.ts';

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
export function processMacros(source: JsonObject, context: MacroContext, env: Environment, includes: Includes): JsonObject {
  const declared = source['Transform'];
  let template = includes.expand(source) as JsonObject;
  if (includes.missing.length > 0) return template;
  for (const each of Array.isArray(declared) ? declared : declared === undefined ? [] : [declared]) {
    const name = isObject(each) ? each['Name'] : each;
    if (name === SERVERLESS) template = serverless(template, context);
    else if (name === LANGUAGE_EXTENSIONS) template = extendLanguage(template, { ...env, mappings: objectAt(template, 'Mappings') });
    else if (name === INCLUDE) template = mergeSections(template, includes.snippet(isObject(each) ? objectAt(each, 'Parameters')['Location'] : undefined));
    else if (String(name).startsWith('AWS::')) throw notImplemented(`The transform ${String(name)}`);
    else throw validationError(`No transform named ${context.account}::${String(name)} found.`);
  }
  const { Transform: _, ...rest } = template;
  return rest;
}

/** A snippet for the whole template adds sections, and members of sections. */
function mergeSections(template: JsonObject, snippet: JsonObject): JsonObject {
  const out = { ...template };
  for (const [name, section] of Object.entries(snippet)) {
    const present = out[name];
    out[name] = isObject(present) && isObject(section) ? { ...section, ...present } : (present ?? section);
  }
  return out;
}

function serverless(template: JsonObject, context: MacroContext): JsonObject {
  try {
    return transformServerless(template, {
      parameters: Object.fromEntries(context.parameters.map((one) => [one.key, textOfParameter(one)])),
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
