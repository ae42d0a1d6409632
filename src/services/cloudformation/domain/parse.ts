import { type CollectionTag, parseDocument, type ScalarTag, type Tags, visit, YAMLMap, type YAMLSeq } from 'yaml';
import { formatError } from '../errors.ts';
import { EXPANDED_NODES_MAX, TEMPLATE_ALIASES_MAX, TEMPLATE_DEPTH_MAX } from '../limits.ts';
import { TEMPLATE_FUNCTIONS } from './functions.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/** The short forms: "Intrinsic function reference". `Ref` and `Condition` have no `Fn::` of their own. */
const FUNCTIONS = [
  ...TEMPLATE_FUNCTIONS,
  // Functions of rules.
  'Contains',
  'EachMemberEquals',
  'EachMemberIn',
  'RefAll',
  'ValueOf',
  'ValueOfAll',
] as const;

const longName = (tag: string): string => (tag === 'Ref' || tag === 'Condition' ? tag : `Fn::${tag}`);

const scalarTag = (name: string): ScalarTag => ({
  tag: `!${name}`,
  resolve: (text) => {
    if (name !== 'GetAtt') return { [longName(name)]: text };
    const dot = text.indexOf('.');
    return { 'Fn::GetAtt': dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)] };
  },
});

const collectionTag = (name: string, collection: 'seq' | 'map'): CollectionTag => ({
  tag: `!${name}`,
  collection,
  resolve: (node: YAMLMap.Parsed | YAMLSeq.Parsed) => {
    const wrapped = new YAMLMap();
    // The wrapper takes the tag; the list or map within must lose it, or it would be wrapped again.
    wrapped.set(longName(name), node);
    return wrapped;
  },
});

const CLOUDFORMATION_TAGS = ['Ref', 'Condition', ...FUNCTIONS].flatMap((name) => [scalarTag(name), collectionTag(name, 'seq'), collectionTag(name, 'map')]);

/** YAML 1.1's words, but not its single letters: `n:` is a key. */
const BOOLEAN: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:true|True|TRUE|yes|Yes|YES|on|On|ON|false|False|FALSE|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:t|y|on)/i.test(text),
};

/** A leading zero makes text, not base 8: account ids begin with one. What a double cannot hold stays text, too. */
const INTEGER: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:0|[1-9][0-9]{0,15})$/,
  resolve: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text),
};

const REPLACED = /:(?:timestamp|bool|int)$/;

/** Dates stay text; so do numbers that YAML 1.1 would read in base 8 or 60 (`12:30`). */
const customTags = (tags: Tags): Tags => [
  BOOLEAN,
  INTEGER,
  ...tags.filter((tag) => typeof tag === 'string' || !(REPLACED.test(tag.tag) || ('format' in tag && tag.format === 'TIME'))),
  ...CLOUDFORMATION_TAGS,
];

/**
 * A template's text, JSON or YAML with the short forms of intrinsic functions, as plain JSON. Linear in its length, bounded in depth and in what aliases expand to.
 * Throws `ValidationError` in AWS's wording. "Template anatomy" in the CloudFormation User Guide.
 */
export function parseTemplate(body: string): JsonObject {
  const value = /^\s*\{/.test(body) ? parseJson(body) : parseYaml(body);
  if (!isObject(value)) throw formatError('unsupported structure.');
  return value;
}

/** As {@link parseTemplate}, for a part of a template; `wrong` makes the error. */
export function parseFragment(body: string, wrong: () => Error): JsonObject {
  try {
    return parseTemplate(body);
  } catch (cause) {
    throw Object.assign(wrong(), { cause });
  }
}

function parseJson(body: string): Json {
  let value: Json;
  try {
    value = JSON.parse(body) as Json;
  } catch (error) {
    const at = /position (\d+)/.exec(String(error))?.[1];
    // What starts with a brace may still be YAML's flow form.
    const yaml = tryYaml(body);
    if (yaml !== undefined) return yaml;
    throw formatError(`JSON not well-formed. ${position(body, at === undefined ? body.length : Number(at))}`);
  }
  checkSize(value);
  return value;
}

function tryYaml(body: string): Json | undefined {
  try {
    return parseYaml(body);
  } catch {
    // The JSON error says more about a text that begins as JSON.
    return undefined;
  }
}

function parseYaml(body: string): Json {
  checkNesting(body);
  try {
    const document = parseDocument(body, { version: '1.1', customTags, uniqueKeys: false, logLevel: 'silent', prettyErrors: false });
    const [problem] = document.errors;
    if (problem) throw formatError(`YAML not well-formed. ${position(body, problem.pos[0])}`);
    const [warning] = document.warnings.filter((each) => each.code === 'TAG_RESOLVE_FAILED');
    if (warning) throw formatError(`YAML not well-formed. ${position(body, warning.pos[0])}`);
    visit(document, {
      Scalar: (_key, node) => {
        if (typeof node.value === 'bigint') node.value = String(node.value);
      },
    });
    const value = document.toJS({ maxAliasCount: TEMPLATE_ALIASES_MAX }) as Json;
    checkSize(value);
    return value;
  } catch (error) {
    // Too many aliases, or nested deeper than the stack: hostile or broken, either way not a template.
    if (error instanceof RangeError || error instanceof ReferenceError) throw formatError('YAML not well-formed.');
    throw error;
  }
}

/** Flow collections nest without indentation: bounded before the parser recurses into them. */
function checkNesting(body: string): void {
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    const code = body.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) depth = Math.max(0, depth - 1);
    else if (code === 0x0a && depth > 0 && /^\S/.test(body[at + 1] ?? '')) depth = Math.max(0, depth - 1);
    if (depth > TEMPLATE_DEPTH_MAX * 10) throw formatError('YAML not well-formed.');
  }
}

function checkSize(value: Json): void {
  let nodes = 0;
  const stack: [Json, number][] = [[value, 0]];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [node, depth] = next;
    if (++nodes > EXPANDED_NODES_MAX || depth > TEMPLATE_DEPTH_MAX) throw formatError('the template is nested too deeply or expands to too much.');
    if (Array.isArray(node)) for (const item of node) stack.push([item, depth + 1]);
    else if (isObject(node)) for (const item of Object.values(node)) stack.push([item, depth + 1]);
  }
}

function position(body: string, offset: number): string {
  const before = body.slice(0, offset);
  const line = before.split('\n').length;
  return `(line ${line}, column ${offset - before.lastIndexOf('\n')})`;
}
