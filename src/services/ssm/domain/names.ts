import { formatArn, parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import { parameterNotFound, validation } from '../errors.ts';
import { HIERARCHY_LEVELS_MAX } from '../limits.ts';

export interface Scope {
  readonly account: string;
  readonly region: string;
}

export const parameterArn = ({ account, region }: Scope, name: string): string =>
  formatArn({ service: 'ssm', account, region, resource: `parameter${name.startsWith('/') ? '' : '/'}${name}` });

const SUB_PATHS =
  'If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_';

/** A name that a parameter can have; "PutParameter". Throws ValidationException, AccessDeniedException. */
export function checkNewName(name: string): string {
  const bare = name.toLowerCase().replace(/^\//, '');
  const isPath = name.lastIndexOf('/') > 0;
  if (/^(aws|ssm)/.test(bare)) {
    if (isPath && bare.startsWith('aws')) throw new AwsError('AccessDeniedException', `No access to reserved parameter name: ${name}.`);
    if (!isPath) throw validation('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).');
    throw validation(`Parameter name: can't be prefixed with "ssm" (case-insensitive). ${SUB_PATHS}`);
  }
  if (isPath && !name.startsWith('/')) throw validation('Parameter name must be a fully qualified name.');
  if (!isName(name)) throw validation(`Parameter name: can't be prefixed with "ssm" (case-insensitive). ${SUB_PATHS}`);
  if (name.split('/').length - 1 > HIERARCHY_LEVELS_MAX)
    throw new AwsError('HierarchyLevelLimitExceededException', `Parameter name must have at most ${HIERARCHY_LEVELS_MAX} levels.`);
  return storedName(name);
}

const isName = (name: string): boolean => /^\/?[\w.-]+(\/[\w.-]+)*$/.test(name);

/** A name of one level is the same with a slash before it and without. */
export const storedName = (name: string): string => (/^\/[^/]+$/.test(name) ? name.slice(1) : name);

/** A parameter as it is asked for: by name or ARN, with `:version` or `:label`. */
export interface Reference {
  readonly name: string;
  /** As the answer says it. */
  readonly shown: string;
  readonly selector?: string;
  readonly owner?: Scope;
}

/** Reads a reference; throws ValidationException. */
export function readReference(text: string): Reference {
  if (text.startsWith('arn:')) return readArn(text);
  const [name = '', selector, ...more] = text.split(':');
  if (more.length > 0 || (selector !== undefined && !/^[\w.-]+$/.test(selector))) throw validation("Parameter name: can't contain more than one selector.");
  checkReference(name);
  return { name: storedName(name), shown: name, ...(selector === undefined ? {} : { selector }) };
}

function checkReference(name: string): void {
  if (!isName(name) || (name.includes('/') && !name.startsWith('/')))
    throw validation(`Parameter name: can't be prefixed with "ssm" (case-insensitive). ${SUB_PATHS}`);
}

function readArn(text: string): Reference {
  const arn = parseArn(text);
  const match = /^parameter\/([^:]+)(?::([\w.-]+))?$/.exec(arn?.resource ?? '');
  if (arn?.service !== 'ssm' || !match?.[1]) throw parameterNotFound();
  const name = match[1].includes('/') ? `/${match[1]}` : match[1];
  return { name, shown: name, ...(match[2] === undefined ? {} : { selector: match[2] }), owner: { account: arn.account, region: arn.region } };
}

const PATH_RULES = `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`;

/** The path of a listing, without a slash at its end: `''` for the root. Throws ValidationException. */
export function checkPath(path: string): string {
  if (path === '/') return '';
  const bare = path.endsWith('/') ? path.slice(0, -1) : path;
  if (!path.startsWith('/') || !isName(bare) || /^\/(aws|ssm)/i.test(bare)) throw validation(PATH_RULES);
  return bare;
}
