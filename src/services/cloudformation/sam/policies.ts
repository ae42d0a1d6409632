import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem, TemplateProblem } from './errors.ts';
import templates from './policy-templates.json' with { type: 'json' };
import { isIf, isIntrinsic, isNoValue } from './values.ts';

interface PolicyTemplate {
  readonly parameters: readonly string[];
  readonly definition: JsonObject;
}

const TEMPLATES = templates as unknown as Readonly<Record<string, PolicyTemplate>>;

type Kind = 'managed' | 'statement' | 'template' | 'unknown';

export interface PolicyEntry {
  readonly kind: Kind;
  readonly data: Json;
}

/** Tells the forms of `Policies` apart: names, documents, SAM's policy templates; alone or in a list. "AWS SAM policy templates" in the SAM Developer Guide. */
export function policyEntries(policies: Json | undefined): PolicyEntry[] {
  if (policies === undefined || policies === null) return [];
  const list = Array.isArray(policies) ? policies : [policies];
  return list.map((data) => ({ kind: kindOf(data), data }));
}

function kindOf(policy: Json | undefined): Kind {
  if (isText(policy)) return 'managed';
  if (isIf(policy)) return kindOfIf(policy['Fn::If']);
  if (isIntrinsic(policy)) return 'managed';
  if (isObject(policy) && 'Statement' in policy) return 'statement';
  const [name = ''] = isObject(policy) ? Object.keys(policy) : [];
  return isObject(policy) && Object.keys(policy).length === 1 && Object.hasOwn(TEMPLATES, name) ? 'template' : 'unknown';
}

function kindOfIf(items: Json | undefined): Kind {
  if (!Array.isArray(items) || items.length !== 3) throw new TemplateProblem('Fn::If requires 3 arguments');
  const [yes, no] = [kindOf(items[1]), kindOf(items[2])];
  if (yes === no || isNoValue(items[2])) return yes;
  if (isNoValue(items[1])) return no;
  throw new TemplateProblem(
    'Different policy types within the same Fn::If statement is unsupported. Separate different policy types into different Fn::If statements',
  );
}

/** Policies with SAM's templates expanded to documents. */
export function expandPolicyTemplates(logicalId: string, policies: Json | undefined): Json[] | undefined {
  const entries = policyEntries(policies);
  if (entries.length === 0) return undefined;
  return entries.map(({ kind, data }) => {
    if (kind !== 'template') return data;
    if (!isIf(data)) return expand(logicalId, data);
    const items = data['Fn::If'] as Json[];
    return { 'Fn::If': [items[0] ?? null, ...items.slice(1).map((item) => (isNoValue(item) ? item : expand(logicalId, item)))] };
  });
}

function expand(logicalId: string, data: Json): Json {
  const [[name, values] = ['', null]] = Object.entries(data as JsonObject);
  const template = Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
  if (!template) throw new ResourceProblem(logicalId, `Policy template '${name}' is not known`);
  if (!isObject(values) && values !== null) throw new ResourceProblem(logicalId, `Must specify valid parameter values for policy template '${name}'`);
  const given = values ?? {};
  const missing = template.parameters.filter((parameter) => !Object.hasOwn(given, parameter));
  if (values === null || missing.length > 0) {
    if (values === null) throw new ResourceProblem(logicalId, `Must specify valid parameter values for policy template '${name}'`);
    throw new ResourceProblem(
      logicalId,
      `Following required parameters of template '${name}' don't have values: [${missing.map((each) => `'${each}'`).join(', ')}]`,
    );
  }
  return substitute(template.definition, given, template.parameters);
}

/** `Ref` of a template's parameter becomes the value given. */
function substitute(node: Json, values: JsonObject, parameters: readonly string[]): Json {
  if (Array.isArray(node)) return node.map((item) => substitute(item, values, parameters));
  if (!isObject(node)) return node;
  const name = node['Ref'];
  if (Object.keys(node).length === 1 && isText(name) && parameters.includes(name)) return structuredClone(values[name] ?? null);
  return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, substitute(member, values, parameters)]));
}
