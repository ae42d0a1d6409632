import { matchesPattern } from '../../../kit/pattern.ts';
import { formatError, validationError } from '../errors.ts';
import { PARAMETER_VALUE_BYTES_MAX, PATTERN_TIMEOUT_MS } from '../limits.ts';
import { isObject, type Json, type JsonObject, objectAt, scalarText } from './json.ts';

/** What a caller gives for a parameter. */
export interface GivenParameter {
  readonly ParameterKey?: string | undefined;
  readonly ParameterValue?: string | undefined;
  readonly UsePreviousValue?: boolean | undefined;
}

/** A parameter with the value it has in a stack. */
export interface StackParameter {
  readonly key: string;
  readonly value: string;
  readonly noEcho: boolean;
  /** What the named parameter of Parameter Store had when the template was read: types `AWS::SSM::Parameter::Value<…>`. */
  readonly resolved?: string;
}

const STORED = 'AWS::SSM::Parameter::';

/** Values read from Parameter Store, by the name that was given; and the names that are still to be read. */
export interface StoredValues {
  readonly known: ReadonlyMap<string, string>;
  readonly unread: Set<string>;
}

const TYPES = /^(String|Number|List<Number>|List<String>|CommaDelimitedList|AWS::[A-Za-z0-9]+(::[A-Za-z0-9]+)+|List<AWS::[A-Za-z0-9]+(::[A-Za-z0-9]+)+>)$/;

/** Checks the declarations of a template's parameters. */
export function checkDeclarations(declarations: JsonObject): void {
  for (const [name, declaration] of Object.entries(declarations)) {
    if (!/^[A-Za-z0-9]+$/.test(name)) throw formatError(`Parameter name ${name} is non alphanumeric.`);
    if (!isObject(declaration)) throw formatError(`Every Parameters object must contain a Type member.`);
    const type = declaration['Type'];
    if (typeof type !== 'string') throw formatError('Every Parameters object must contain a Type member.');
    if (type === `${STORED}Name`) continue;
    if (!TYPES.test(innerType(type))) throw formatError(`Unrecognized parameter type: ${type}`);
  }
}

/** The type of what a stored parameter's name stands for; any other type is itself. */
const innerType = (type: string): string => /^AWS::SSM::Parameter::Value<(.+)>$/.exec(type)?.[1] ?? type;

/** Whether a parameter's text stands for a list. */
export const isListType = (type: string): boolean => innerType(type) === 'CommaDelimitedList' || innerType(type).startsWith('List<');

/** The text that a parameter stands for. */
export const textOfParameter = ({ value, resolved }: StackParameter): string => resolved ?? value;

/** The values of a template's parameters: what was given, what stands from before, or the default. Throws `ValidationError`. */
export function parameterValues(
  declarations: JsonObject,
  given: readonly GivenParameter[],
  previous: readonly StackParameter[] | undefined,
  stored: StoredValues = { known: new Map(), unread: new Set() },
): StackParameter[] {
  const unknown = given.map(({ ParameterKey = '' }) => ParameterKey).filter((key) => !Object.hasOwn(declarations, key));
  if (unknown.length > 0) throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const missing: string[] = [];
  const values: StackParameter[] = [];
  for (const key of Object.keys(declarations)) {
    const declaration = objectAt(declarations, key);
    const value = givenValue(
      key,
      declaration,
      given.find((each) => each.ParameterKey === key),
      previous,
    );
    if (value === undefined) missing.push(key);
    else values.push({ key, value, noEcho: scalarText(declaration['NoEcho']) === 'true', ...resolvedOf(String(declaration['Type']), value, stored) });
  }
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(', ')}] must have values`);
  for (const { key, value } of values) checkValue(key, value, objectAt(declarations, key));
  return values;
}

/** A name of Parameter Store's, looked up; of type `Name` it stays a name, but must be there. */
function resolvedOf(type: string, name: string, { known, unread }: StoredValues): { resolved?: string } {
  if (!type.startsWith(STORED)) return {};
  const resolved = known.get(name);
  if (resolved === undefined) unread.add(name);
  return resolved === undefined || type === `${STORED}Name` ? {} : { resolved };
}

function givenValue(
  key: string,
  declaration: JsonObject,
  given: GivenParameter | undefined,
  previous: readonly StackParameter[] | undefined,
): string | undefined {
  if (given?.UsePreviousValue) {
    const before = previous?.find((each) => each.key === key);
    if (!before)
      throw validationError(`Invalid input for parameter key ${key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`);
    if (given.ParameterValue !== undefined)
      throw validationError(`Invalid input for parameter key ${key}. Either ParameterValue or UsePreviousValue must be specified, not both.`);
    return before.value;
  }
  if (given?.ParameterValue !== undefined) return given.ParameterValue;
  const fallback = declaration['Default'];
  return Array.isArray(fallback) ? fallback.map((item) => scalarText(item) ?? '').join(',') : scalarText(fallback);
}

function checkValue(key: string, value: string, declaration: JsonObject): void {
  const type = String(declaration['Type']);
  if (type.startsWith(STORED)) return;
  const described = scalarText(declaration['ConstraintDescription']);
  const fail = (message: string) =>
    validationError(described === undefined ? `Parameter '${key}' ${message}` : `Parameter '${key}' failed to satisfy constraint: ${described}`);
  if (Buffer.byteLength(value) > PARAMETER_VALUE_BYTES_MAX) throw validationError(`Parameter '${key}' must contain at most ${PARAMETER_VALUE_BYTES_MAX} bytes`);
  const items = isListType(type) ? value.split(',').map((item) => item.trim()) : [value];
  const allowed = declaration['AllowedValues'];
  if (Array.isArray(allowed) && !items.every((item) => allowed.some((each) => scalarText(each) === item))) throw fail('must be one of AllowedValues');
  const number = (name: string) => (declaration[name] === undefined ? undefined : Number(scalarText(declaration[name])));
  if (type === 'Number' || type === 'List<Number>') {
    const [min, max] = [number('MinValue'), number('MaxValue')];
    for (const item of items) {
      if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(item)) throw validationError(`Parameter '${key}' must be a number.`);
      if (min !== undefined && Number(item) < min) throw fail(`must be a number not less than ${min}`);
      if (max !== undefined && Number(item) > max) throw fail(`must be a number not greater than ${max}`);
    }
    return;
  }
  const [min, max] = [number('MinLength'), number('MaxLength')];
  if (min !== undefined && value.length < min) throw fail(`must contain at least ${min} characters`);
  if (max !== undefined && value.length > max) throw fail(`must contain at most ${max} characters`);
  const pattern = scalarText(declaration['AllowedPattern']);
  if (pattern !== undefined && type === 'String' && !matches(pattern, value, key)) throw fail(`must match pattern ${pattern}`);
}

function matches(pattern: string, value: string, key: string): boolean {
  try {
    return matchesPattern(pattern, value, PATTERN_TIMEOUT_MS);
  } catch (cause) {
    throw Object.assign(validationError(`Parameter '${key}' has an AllowedPattern that is no regular expression or takes too long`), { cause });
  }
}

/** A parameter's value as `Ref` gives it. */
export const parameterRef = (type: string, value: string): Json => (isListType(type) ? value.split(',').map((item) => item.trim()) : value);
