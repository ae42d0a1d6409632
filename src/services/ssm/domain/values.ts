import { AwsError } from '../../../kit/errors.ts';
import { matchesPattern } from '../../../kit/pattern.ts';
import { validation } from '../errors.ts';
import { ADVANCED_VALUE_BYTES_MAX, PATTERN_TIMEOUT_MS, STANDARD_VALUE_BYTES_MAX } from '../limits.ts';

const DATA_TYPES = ['text', 'aws:ec2:image', 'aws:ssm:integration'];
const MORE =
  'To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html';

/** The tier that a value gets; throws ValidationException where it is too long for it. */
export function tierFor(asked: string | undefined, before: string | undefined, value: string): string {
  const bytes = Buffer.byteLength(value);
  if (asked === 'Standard' && before === 'Advanced')
    throw validation(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier.",
    );
  const wanted =
    asked === 'Intelligent-Tiering' ? (bytes > STANDARD_VALUE_BYTES_MAX || before === 'Advanced' ? 'Advanced' : 'Standard') : (asked ?? before ?? 'Standard');
  if (wanted === 'Standard' && bytes > STANDARD_VALUE_BYTES_MAX)
    throw validation(`Standard tier parameters support a maximum parameter value of ${STANDARD_VALUE_BYTES_MAX} characters. ${MORE}`);
  if (bytes > ADVANCED_VALUE_BYTES_MAX)
    throw validation(`Advanced tier parameters support a maximum parameter value of ${ADVANCED_VALUE_BYTES_MAX} characters.`);
  return wanted;
}

export function checkDataType(dataType: string | undefined): string {
  if (dataType !== undefined && !DATA_TYPES.includes(dataType))
    throw validation(`The following data type is not supported: ${dataType} (Data type names are all lowercase.)`);
  return dataType ?? 'text';
}

/** Throws InvalidAllowedPatternException, ParameterPatternMismatchException. */
export function checkPattern(pattern: string | undefined, value: string): void {
  if (pattern === undefined || pattern === '') return;
  let fits: boolean;
  try {
    fits = matchesPattern(pattern, value, PATTERN_TIMEOUT_MS);
  } catch (cause) {
    throw new AwsError('InvalidAllowedPatternException', 'The allowed pattern is not a valid regular expression.', { cause });
  }
  if (!fits) throw new AwsError('ParameterPatternMismatchException', `Parameter value, cannot be validated against allowedPattern: ${pattern}`);
}
