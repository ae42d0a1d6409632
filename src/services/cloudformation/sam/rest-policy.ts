import { isText, type Json, type JsonObject } from '../domain/json.ts';
import { TemplateProblem } from './errors.ts';
import { fromTemplate, fromTransform, PyDict, type PyText, type PyValue, pythonText, textOf, Uni } from './python.ts';
import { ANY_METHOD, branches } from './swagger.ts';
import { isIntrinsic, isTruthy } from './values.ts';

const POLICY = 'x-amazon-apigateway-policy';

/** Statements about who may call the methods of a path. "ResourcePolicyStatement" in the SAM Developer Guide. */
export function addResourcePolicy(document: PyDict, policy: JsonObject, path: PyText, stage: PyValue): void {
  const before = document.get(POLICY);
  const result = before instanceof PyDict && before.size > 0 ? before : new PyDict();
  const resources = () => methodUris(document, path, stage);
  for (const [name, effect] of [
    ['AwsAccountWhitelist', 'Allow'],
    ['AwsAccountBlacklist', 'Deny'],
  ] as const) {
    const accounts = policy[name];
    if (!isTruthy(accounts)) continue;
    const list = Array.isArray(accounts) ? accounts : [accounts ?? null];
    const principal = new PyDict([['AWS', fromTemplate(list)]]);
    append(result, [statement(effect, resources(), principal)], { always: true, bare: true });
  }
  for (const [name, operator] of [
    ['IpRangeWhitelist', 'NotIpAddress'],
    ['IpRangeBlacklist', 'IpAddress'],
  ] as const) {
    const ranges = policy[name];
    if (!isTruthy(ranges)) continue;
    const list = fromTemplate(Array.isArray(ranges) ? ranges : [ranges ?? null]);
    append(result, allowAndDeny(resources(), fromTransform({ [operator]: { 'aws:SourceIp': list } })));
  }
  for (const [name, operator] of [
    ['Blacklist', 'StringEquals'],
    ['Whitelist', 'StringNotEquals'],
  ] as const) {
    const plain = policy[`SourceVpc${name}`];
    if (plain !== undefined && plain !== null && !(Array.isArray(plain) && plain.every((each) => !isIntrinsic(each) && isText(each)))) {
      throw new TemplateProblem(`SourceVpc${name} must be a list of strings. Use IntrinsicVpc${name} instead for values that use Intrinsic Functions`);
    }
    const condition = sources(Array.isArray(plain) ? plain.filter(isText) : [], policy[`IntrinsicVpc${name}`], policy[`IntrinsicVpce${name}`]);
    if (condition.size > 0) append(result, allowAndDeny(resources(), fromTransform({ [operator]: condition })));
  }
  document.set(POLICY, result);
}

function sources(endpoints: readonly string[], vpcs: Json | undefined, vpces: Json | undefined): PyDict {
  const condition = new PyDict();
  const add = (key: string, values: readonly PyValue[]) => {
    if (values.length === 0) return;
    const present = condition.get(key);
    condition.set(key, [...(Array.isArray(present) ? present : []), ...values]);
  };
  const named = (prefix: string) => endpoints.filter((each) => each.startsWith(prefix)).map((each) => new Uni(each));
  const given = (list: Json | undefined) => (Array.isArray(list) ? (fromTemplate(list) as PyValue[]) : []);
  add('aws:SourceVpc', named('vpc-'));
  add('aws:SourceVpce', named('vpce-'));
  add('aws:SourceVpc', given(vpcs));
  add('aws:SourceVpce', given(vpces));
  return condition;
}

function statement(effect: string, resources: PyValue[], principal: PyValue, condition?: PyValue): PyDict {
  const out = new PyDict([
    ['Effect', effect],
    ['Action', 'execute-api:Invoke'],
    ['Resource', resources],
    ['Principal', principal],
  ]);
  if (condition !== undefined) out.set('Condition', condition);
  return out;
}

const allowAndDeny = (resources: PyValue[], condition: PyValue): PyDict[] => [statement('Allow', resources, '*'), statement('Deny', resources, '*', condition)];

/** Adds statements that are not there yet; a first account statement stands alone, not in a list. */
function append(policy: PyDict, statements: readonly PyValue[], options: { always?: boolean; bare?: boolean } = {}): void {
  policy.set('Version', '2012-10-17');
  const present = policy.get('Statement');
  if (present === undefined || present === null) {
    policy.set('Statement', options.bare ? (statements[0] ?? null) : [...statements]);
    return;
  }
  const list = Array.isArray(present) ? [...present] : [present];
  for (const each of statements) {
    if (options.always || !list.some((other) => pythonText(other) === pythonText(each))) list.push(each);
  }
  policy.set('Statement', list);
}

export function addCustomStatements(document: PyDict, custom: Json): void {
  const before = document.get(POLICY);
  const policy = before instanceof PyDict ? before : new PyDict();
  const given = fromTemplate(custom);
  if (policy.get('Statement') === undefined) policy.set('Version', '2012-10-17').set('Statement', given);
  else append(policy, Array.isArray(given) ? given : [given]);
  document.set(POLICY, policy);
}

/** The methods of a path, as policies name them. */
function methodUris(document: PyDict, path: PyText, stage: PyValue): PyValue[] {
  const plain = textOf(path).replace(/^(.+)\/$/, '$1');
  return branches(document.dict('paths').get(path)).flatMap((item) =>
    item.entries().map(([key]) => {
      const method = textOf(key).toLowerCase();
      const verb = method === ANY_METHOD || method === 'any' ? '*' : method.toUpperCase();
      const text = new Uni(`execute-api:/\${__Stage__}/${verb}${plain}`);
      return fromTransform({ 'Fn::Sub': [text, { __Stage__: stage }] });
    }),
  );
}
