import { malformedPolicy } from '../errors.ts';
import { POLICY_DEPTH_MAX } from '../limits.ts';

type Json = Record<string, unknown>;

const TOP_ELEMENTS = new Set(['Version', 'Id', 'Statement']);
const STATEMENT_ELEMENTS = new Set(['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']);
const CONDITION_OPERATOR =
  /^(For(Any|All)(Value|Values):)?(String(Not)?Equals(IgnoreCase)?|String(Not)?Like|(Numeric|Date)((Not)?Equals|LessThan(Equals)?|GreaterThan(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?$|^Null$/i;
const SYNTAX = 'Syntax errors in policy.';

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const capitalised = (value: unknown): unknown => (isText(value) ? value.charAt(0).toUpperCase() + value.slice(1).toLowerCase() : value);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** The characters that a quota counts: white space is free. */
export const countedCharacters = (document: string): number => document.replace(/\s/g, '').length;

/**
 * Checks a policy of an identity as IAM does when it is stored. Throws `MalformedPolicyDocument`.
 * "Grammar of the IAM JSON policy language" in the IAM User Guide.
 */
export function checkIdentityPolicy(document: string): void {
  const policy = parse(document, SYNTAX);
  const statements = checkTop(policy, SYNTAX);
  if (policy['Version'] !== undefined && policy['Version'] !== '2012-10-17' && statements.length > 0) {
    throw malformedPolicy('Policy document must be version 2012-10-17 or greater.');
  }
  const sids = statements.map((statement) => statement['Sid']).filter((sid) => sid !== undefined && sid !== '');
  for (const statement of statements) {
    if ('Principal' in statement || 'NotPrincipal' in statement) throw malformedPolicy('Policy document should not specify a principal.');
    checkStatement(statement, SYNTAX);
  }
  if (new Set(sids).size !== sids.length) throw malformedPolicy('Statement IDs (SID) in a single policy must be unique.');
  for (const statement of statements) {
    if (!('Action' in statement) && !('NotAction' in statement)) throw malformedPolicy('Policy statement must contain actions.');
    if (!('Resource' in statement) && !('NotResource' in statement)) throw malformedPolicy('Policy statement must contain resources.');
    checkActions([...listOf(statement['Action']), ...listOf(statement['NotAction'])]);
    checkResources([...listOf(statement['Resource']), ...listOf(statement['NotResource'])]);
  }
}

/** Checks a role's trust policy. Throws `MalformedPolicyDocument`. */
export function checkTrustPolicy(document: string): void {
  const policy = parse(document, 'This policy contains invalid Json');
  for (const statement of checkTop(policy, SYNTAX)) {
    if ('Resource' in statement) throw malformedPolicy('Has prohibited field Resource');
    if ('NotResource' in statement) throw malformedPolicy('Has prohibited field NotResource');
    // Unlike in permissions, AWS takes "ALLOW" and "deny" here.
    checkStatement({ ...statement, Effect: capitalised(statement['Effect']) }, SYNTAX);
    if (!('Principal' in statement) && !('NotPrincipal' in statement)) throw malformedPolicy('Missing required field Principal');
    checkPrincipal(statement['Principal'] ?? statement['NotPrincipal']);
    const actions = [...listOf(statement['Action']), ...listOf(statement['NotAction'])];
    if (actions.length === 0) throw malformedPolicy('Missing required field Action');
    if (actions.some((action) => isText(action) && !/^(sts:|rolesanywhere:|\*$)/i.test(action))) {
      throw malformedPolicy('AssumeRole policy may only specify STS AssumeRole actions.');
    }
  }
}

function parse(document: string, wording: string): Json {
  if (depthOf(document) > POLICY_DEPTH_MAX) throw malformedPolicy(wording);
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch (cause) {
    throw Object.assign(malformedPolicy(wording), { cause });
  }
  if (!isObject(policy)) throw malformedPolicy(wording);
  return policy;
}

/** Brackets open at once; those within texts count too, which only makes the bound stricter. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

function checkTop(policy: Json, wording: string): Json[] {
  if (Object.keys(policy).some((key) => !TOP_ELEMENTS.has(key))) throw malformedPolicy(wording);
  const version = policy['Version'];
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') throw malformedPolicy(wording);
  if (policy['Id'] !== undefined && !isText(policy['Id'])) throw malformedPolicy(wording);
  const statements = listOf(policy['Statement']);
  if (statements.length === 0 || !statements.every(isObject)) throw malformedPolicy(wording);
  return statements;
}

function checkStatement(statement: Json, wording: string): void {
  const bad = () => malformedPolicy(wording);
  if (Object.keys(statement).some((key) => !STATEMENT_ELEMENTS.has(key))) throw bad();
  if (statement['Effect'] !== 'Allow' && statement['Effect'] !== 'Deny') throw bad();
  if (statement['Sid'] !== undefined && !(isText(statement['Sid']) && /^[A-Za-z0-9]*$/.test(statement['Sid']))) throw bad();
  for (const [plain, not] of [
    ['Action', 'NotAction'],
    ['Resource', 'NotResource'],
    ['Principal', 'NotPrincipal'],
  ] as const) {
    if (plain in statement && not in statement) throw bad();
  }
  for (const element of ['Action', 'NotAction', 'Resource', 'NotResource'] as const) {
    if (element in statement && !listOf(statement[element]).every(isText)) throw bad();
    if (element in statement && listOf(statement[element]).length === 0) throw bad();
  }
  if (statement['Condition'] !== undefined) checkCondition(statement['Condition'], bad);
}

function checkCondition(condition: unknown, bad: () => Error): void {
  if (!isObject(condition)) throw bad();
  for (const [operator, keys] of Object.entries(condition)) {
    if (!CONDITION_OPERATOR.test(operator) || !isObject(keys)) throw bad();
    for (const values of Object.values(keys)) {
      if (!listOf(values).every((value) => ['string', 'number', 'boolean'].includes(typeof value))) throw bad();
    }
  }
}

function checkActions(actions: unknown[]): void {
  for (const action of actions.filter(isText)) {
    if (action === '*') continue;
    const [vendor = '', ...rest] = action.split(':');
    if (rest.length === 0) throw malformedPolicy('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
    if (rest.length > 1) throw malformedPolicy('Actions/Condition can contain only one colon.');
    if (vendor !== '*' && /[^a-zA-Z0-9\-.]/.test(vendor)) throw malformedPolicy(`Vendor ${vendor} is not valid`);
  }
}

function checkResources(resources: unknown[]): void {
  for (const resource of resources.filter(isText)) {
    if (resource === '*') continue;
    if (!resource.includes(':')) throw malformedPolicy(`Resource ${resource} must be in ARN format or "*".`);
    const [arn, partition = '', vendor, region = '*', account = '*', ...rest] = resource.split(':');
    if (arn !== 'arn' && arn !== '*') throw malformedPolicy('The policy failed legacy parsing');
    if (!/^(aws|aws-cn|aws-us-gov|\*)$/.test(partition) && !/[${*?]/.test(partition)) {
      throw malformedPolicy(
        `Partition "${partition}" is not valid for resource "arn:${partition}:${vendor ?? '*'}:${region}:${account}:${rest.join(':') || '*'}".`,
      );
    }
    if (vendor === undefined) throw malformedPolicy('Resource vendor must be fully qualified and cannot contain regexes.');
    if (rest.length === 0) throw malformedPolicy('The policy failed legacy parsing');
  }
}

function checkPrincipal(principal: unknown): void {
  if (principal === '*') return;
  if (!isObject(principal) || Object.keys(principal).length === 0) throw malformedPolicy('Invalid principal in policy.');
  for (const [type, values] of Object.entries(principal)) {
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(type)) throw malformedPolicy('Invalid principal in policy.');
    for (const value of listOf(values)) {
      if (!isText(value)) throw malformedPolicy('Invalid principal in policy.');
      if (type === 'Service' && !/^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$/.test(value)) {
        throw malformedPolicy(`Invalid principal in policy: "SERVICE":"${value}"`);
      }
      if (type === 'AWS' && !(value === '*' || /^\d{12}$/.test(value) || value.startsWith('arn:') || /^A[A-Z0-9]{15,}$/.test(value))) {
        throw malformedPolicy(`Invalid principal in policy: "AWS":"${value}"`);
      }
    }
  }
}
