import { notImplemented } from '../../../kit/errors.ts';
import { formatError, validationError } from '../errors.ts';
import { type Environment, resolve, type Value } from './intrinsics.ts';
import { isObject, isText, type Json, type JsonObject, objectAt, scalarText } from './json.ts';

/** Parameters of a template, by what rules ask of them. */
interface RuleContext {
  readonly env: Environment;
  readonly declarations: JsonObject;
}

/**
 * Checks a template's `Rules` against the values of its parameters, before anything is made. Throws `ValidationError` with the descriptions of the assertions that do
 * not hold. "CloudFormation template Rules syntax" and "Rule-specific intrinsic functions" in the CloudFormation User Guide.
 */
export function checkRules(rules: JsonObject, declarations: JsonObject, env: Environment): void {
  const context: RuleContext = { env, declarations };
  const failed: string[] = [];
  for (const [name, rule] of Object.entries(rules)) {
    if (!isObject(rule)) throw formatError('Every Rules member must be an object.');
    const strange = Object.keys(rule).find((member) => member !== 'RuleCondition' && member !== 'Assertions');
    if (strange !== undefined) throw formatError(`Invalid template rule property '${strange}'`);
    const assertions = rule['Assertions'];
    if (!Array.isArray(assertions)) throw formatError(`Rule ${name} must contain a list of Assertions.`);
    if (rule['RuleCondition'] !== undefined && !holds(rule['RuleCondition'], context)) continue;
    for (const assertion of assertions) {
      if (!isObject(assertion) || assertion['Assert'] === undefined) throw formatError(`Every assertion of rule ${name} must contain an Assert member.`);
      if (!holds(assertion['Assert'], context)) failed.push(scalarText(assertion['AssertDescription']) ?? `Rule ${name} does not hold`);
    }
  }
  if (failed.length > 0) throw validationError(`Template error: Unable to satisfy ${failed.length} rule assertion(s): ${failed.join(', ')}`);
}

function listOf(argument: Json, name: string, count: number): Json[] {
  if (!Array.isArray(argument) || argument.length !== count) throw formatError(`every ${name} object in Rules requires a list of ${count} arguments.`);
  return argument;
}

/** A rule function as true or false. */
function holds(definition: Json, context: RuleContext): boolean {
  if (!isObject(definition)) return scalarText(definition) === 'true';
  const [name = ''] = Object.keys(definition);
  const argument = definition[name] ?? null;
  const texts = (value: Json): string[] => valuesOf(value, context).map((each) => scalarText(each as Json) ?? JSON.stringify(each));
  switch (name) {
    case 'Fn::And':
      return many(argument, name).every((item) => holds(item, context));
    case 'Fn::Or':
      return many(argument, name).some((item) => holds(item, context));
    case 'Fn::Not':
      return !holds(listOf(argument, name, 1)[0] ?? null, context);
    case 'Fn::Equals': {
      const [left = null, right = null] = listOf(argument, name, 2);
      return JSON.stringify(texts(left)) === JSON.stringify(texts(right));
    }
    case 'Fn::Contains': {
      const [list = null, value = null] = listOf(argument, name, 2);
      return texts(value).every((each) => texts(list).includes(each));
    }
    case 'Fn::EachMemberEquals': {
      const [list = null, value = null] = listOf(argument, name, 2);
      const [wanted] = texts(value);
      return texts(list).every((each) => each === wanted);
    }
    case 'Fn::EachMemberIn': {
      const [list = null, allowed = null] = listOf(argument, name, 2);
      return texts(list).every((each) => texts(allowed).includes(each));
    }
    default:
      throw formatError(`Rules can only use rule-specific intrinsic functions, not ${name}`);
  }
}

function many(argument: Json, name: string): Json[] {
  if (!Array.isArray(argument) || argument.length < 2 || argument.length > 10) {
    throw formatError(`every ${name} object requires a list of at least 2 and at most 10 boolean parameters.`);
  }
  return argument;
}

/** A value or a list of values: what the functions about parameters give, or any other value. */
function valuesOf(value: Json, context: RuleContext): Value[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(item, context));
  if (isObject(value)) {
    const [name = ''] = Object.keys(value);
    const argument = value[name] ?? null;
    if (name === 'Fn::RefAll' && isText(argument)) {
      return ofType(context.declarations, argument).flatMap((parameter) => valuesOf({ Ref: parameter }, context));
    }
    if (name === 'Fn::ValueOf' || name === 'Fn::ValueOfAll') {
      // They read attributes of existing VPCs, subnets and the like: none of those exist here.
      throw notImplemented(`The rule function ${name}`);
    }
  }
  const resolved = resolve(value, context.env);
  return Array.isArray(resolved) ? resolved : [resolved];
}

const ofType = (declarations: JsonObject, type: string): string[] =>
  Object.keys(declarations).filter((name) => {
    const declared = scalarText(objectAt(declarations, name)['Type']);
    return declared === type || declared === `List<${type}>`;
  });
