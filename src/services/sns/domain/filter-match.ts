import { FILTER_DEPTH_MAX } from '../limits.ts';
import type { FilterPolicy, Pattern, Tree } from './filter-policy.ts';
import { parseAddress } from './ip.ts';
import type { StoredAttribute } from './message.ts';

type Leaf = string | number | boolean | null;
interface Fields {
  readonly fields: Map<string, Node[]>;
}
/** A body's value; an array is all of its elements. */
type Node = Leaf | Fields;

const isFields = (node: Node): node is Fields => typeof node === 'object' && node !== null;
const NOTHING: Fields = { fields: new Map() };

/** Whether a message with these attributes is let through. Binary ones are not looked at. */
export function attributesMatch(policy: FilterPolicy, attributes: Readonly<Record<string, StoredAttribute>>): boolean {
  const root: Fields = { fields: new Map() };
  for (const [name, attribute] of Object.entries(attributes)) {
    const nodes = nodesOfAttribute(attribute);
    if (nodes.length > 0) put(root, name, nodes);
  }
  return matches(policy, root);
}

/** Whether a message with this body is let through; one that is no JSON object is not. */
export function bodyMatches(policy: FilterPolicy, body: string): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return false;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false;
  const [root] = nodesOf(parsed, 0);
  return root !== undefined && isFields(root) && matches(policy, root);
}

function nodesOfAttribute({ type, value }: StoredAttribute): Node[] {
  if (type.startsWith('Binary')) return [];
  if (type.startsWith('Number')) return Number.isNaN(Number(value)) ? [] : [Number(value)];
  if (!type.startsWith('String.Array')) return [value];
  try {
    const parsed: unknown = JSON.parse(value);
    if (Array.isArray(parsed)) return nodesOf(parsed, 0).filter((node) => !isFields(node));
  } catch {
    // Not an array after all: compared as the text it is.
  }
  return [value];
}

/** A dot in a name is a level. */
function put(into: Fields, name: string, nodes: readonly Node[]): void {
  const steps = name.split('.');
  let level = into;
  for (const step of steps.slice(0, -1)) {
    const next: Fields = { fields: new Map() };
    level.fields.set(step, [...(level.fields.get(step) ?? []), next]);
    level = next;
  }
  const last = steps.at(-1) ?? '';
  level.fields.set(last, [...(level.fields.get(last) ?? []), ...nodes]);
}

function nodesOf(value: unknown, depth: number): Node[] {
  if (depth > FILTER_DEPTH_MAX) return [];
  if (Array.isArray(value)) {
    const nodes: Node[] = [];
    for (const one of value) for (const node of nodesOf(one, depth + 1)) nodes.push(node);
    return nodes;
  }
  if (typeof value !== 'object' || value === null) return [value as Leaf];
  const fields: Fields = { fields: new Map() };
  for (const [name, one] of Object.entries(value)) put(fields, name, nodesOf(one, depth + 1));
  return [fields];
}

function matches(policy: FilterPolicy, root: Fields): boolean {
  return policy.rules.some((tree) => treeMatches(tree, root));
}

/** Properties of one object in an array must all be met by the same element. */
function treeMatches(tree: Tree, at: Fields): boolean {
  for (const [name, below] of tree) {
    const nodes = at.fields.get(name) ?? [];
    if (below instanceof Map) {
      const objects = nodes.filter(isFields);
      if (!(objects.length > 0 ? objects : [NOTHING]).some((node) => treeMatches(below as Tree, node))) return false;
    } else {
      const leaves = nodes.filter((node): node is Leaf => !isFields(node));
      if (!(below as readonly Pattern[]).some((pattern) => patternMatches(pattern, leaves))) return false;
    }
  }
  return true;
}

function patternMatches(pattern: Pattern, leaves: readonly Leaf[]): boolean {
  if (pattern.kind === 'exists') return pattern.wanted === leaves.length > 0;
  return leaves.some((leaf) => leafMatches(pattern, leaf));
}

function leafMatches(pattern: Pattern, leaf: Leaf): boolean {
  switch (pattern.kind) {
    case 'is':
      return leaf === pattern.value;
    case 'not':
      return !pattern.values.includes(leaf as string | number);
    case 'between':
      return typeof leaf === 'number' && above(leaf, pattern.low) && below(leaf, pattern.high);
    case 'exists':
      return false;
    case 'cidr': {
      const address = typeof leaf === 'string' ? parseAddress(leaf) : undefined;
      return address?.bits === pattern.range.bits && address.value >= pattern.range.low && address.value <= pattern.range.high;
    }
    case 'not-prefix':
      return typeof leaf !== 'string' || !leaf.startsWith(pattern.text);
    case 'not-wildcard':
      return typeof leaf !== 'string' || !wildcardMatches(pattern.text, leaf);
    default:
      return typeof leaf === 'string' && textMatches(pattern.kind, pattern.text, leaf);
  }
}

type Bounds = Extract<Pattern, { kind: 'between' }>;
const above = (value: number, low: Bounds['low']): boolean => low === undefined || value > low.value || (low.inclusive && value === low.value);
const below = (value: number, high: Bounds['high']): boolean => high === undefined || value < high.value || (high.inclusive && value === high.value);

function textMatches(kind: 'prefix' | 'suffix' | 'ignore-case' | 'wildcard', text: string, leaf: string): boolean {
  if (kind === 'prefix') return leaf.startsWith(text);
  if (kind === 'suffix') return leaf.endsWith(text);
  return kind === 'ignore-case' ? leaf.toLowerCase() === text : wildcardMatches(text, leaf);
}

/** `*` stands for any characters, `\*` for itself. Linear: each part is taken where it first occurs. */
export function wildcardMatches(pattern: string, text: string): boolean {
  const parts = partsOf(pattern);
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  const last = rest.pop() ?? '';
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function partsOf(pattern: string): string[] {
  const parts = [''];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    const escaped = char === '\\' && (pattern.charAt(i + 1) === '*' || pattern.charAt(i + 1) === '\\');
    if (char === '*') parts.push('');
    else parts[parts.length - 1] += escaped ? pattern.charAt(++i) : char;
  }
  return parts;
}
