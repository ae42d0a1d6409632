import { formatArn } from '../../../kit/arn.ts';
import { accessDenied, invalidParameter, notFound, validation } from '../errors.ts';
import { FUNCTION_NAME_LENGTH_MAX } from '../limits.ts';

/** Where a function lives. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A function as a request names it: a name, an ARN or part of one, with or without a qualifier. */
export interface FunctionReference {
  readonly name: string;
  /** As given: `$LATEST`, a version or an alias. Absent where none was given. */
  readonly qualifier?: string;
}

const PATTERN =
  /^(arn:(?:aws[a-zA-Z-]*)?:lambda:)?((?:eusc-)?[a-z]{2}(?:(?:-gov)|(?:-iso(?:[a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/;

/**
 * Reads `FunctionName` and `Qualifier`. Throws AWS's errors for a name of another region or account and for qualifiers that
 * contradict each other.
 */
export function readReference(place: Place, functionName: string, qualifier?: string): FunctionReference {
  const match = PATTERN.exec(functionName);
  if (!match) {
    throw validation(
      `Value '${functionName}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?`,
    );
  }
  const [, , region, account, , name = '', derived] = match;
  if (region && region.slice(0, -1) !== place.region)
    throw notFound(`Functions from '${region.slice(0, -1)}' are not reachable in this region ('${place.region}')`);
  if (account && account.slice(0, -1) !== place.account)
    throw accessDenied(`Cross-account access to the functions of ${account.slice(0, -1)} is not permitted`);
  if (derived !== undefined && qualifier !== undefined && derived !== qualifier) {
    throw invalidParameter('The derived qualifier from the function name does not match the specified qualifier.');
  }
  const given = qualifier ?? derived;
  return { name, ...(given === undefined ? {} : { qualifier: given }) };
}

/** The name of a function to create: only there is its length looked at. */
export function readNewName(place: Place, functionName: string): string {
  const { name } = readReference(place, functionName);
  if (name.length > FUNCTION_NAME_LENGTH_MAX) {
    throw invalidParameter(
      `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${FUNCTION_NAME_LENGTH_MAX}`,
    );
  }
  return name;
}

export function functionArn(place: Place, name: string, qualifier?: string): string {
  return formatArn({
    service: 'lambda',
    region: place.region,
    account: place.account,
    resource: `function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`,
  });
}

export function isVersion(qualifier: string): boolean {
  return /^\d+$/.test(qualifier);
}
