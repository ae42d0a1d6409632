import type { ApiSnapshot, Method, ResourceRow } from '../domain/types.ts';

/** A deployment's paths as a tree, compiled once. */
export interface Router {
  match(segments: readonly string[], httpMethod: string): Match | undefined;
}

export interface Match {
  readonly resource: ResourceRow;
  readonly method: Method;
  /** As they stand in the URL, percent-encoded. */
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface Node {
  readonly literals: Map<string, Node>;
  variable?: { readonly name: string; readonly node: Node };
  greedy?: { readonly name: string; readonly resource: ResourceRow };
  resource?: ResourceRow;
}

const newNode = (): Node => ({ literals: new Map() });

/** Literal parts go before parameters, these before `{proxy+}`; a path that lacks the method falls back to the next. */
export function compileRouter(snapshot: ApiSnapshot): Router {
  const root = newNode();
  for (const resource of snapshot.resources) insert(root, resource);
  return {
    match(segments, httpMethod) {
      const values: string[] = [];
      return walk(root, segments, 0, httpMethod, [], values);
    },
  };
}

function insert(root: Node, resource: ResourceRow): void {
  let node = root;
  for (const part of resource.path.split('/').filter((p) => p !== '')) {
    const name = /^\{(.*?)(\+?)\}$/.exec(part);
    if (name?.[2]) {
      node.greedy = { name: name[1] ?? '', resource };
      return;
    }
    if (name) {
      node.variable ??= { name: name[1] ?? '', node: newNode() };
      node = node.variable.node;
      continue;
    }
    const next = node.literals.get(part) ?? newNode();
    node.literals.set(part, next);
    node = next;
  }
  node.resource = resource;
}

const methodOf = (resource: ResourceRow | undefined, httpMethod: string): Method | undefined =>
  resource ? (resource.methods[httpMethod] ?? resource.methods['ANY']) : undefined;

/** Depth first; each node is visited at most once, since its depth is fixed. */
function walk(node: Node, segments: readonly string[], at: number, httpMethod: string, names: string[], values: string[]): Match | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    const method = methodOf(node.resource, httpMethod);
    return node.resource && method ? { resource: node.resource, method, pathParameters: parametersOf(names, values) } : undefined;
  }
  const literal = node.literals.get(segment) ?? node.literals.get(decode(segment));
  const found = literal && walk(literal, segments, at + 1, httpMethod, names, values);
  if (found) return found;
  if (node.variable && segment !== '') {
    const match = walk(node.variable.node, segments, at + 1, httpMethod, [...names, node.variable.name], [...values, segment]);
    if (match) return match;
  }
  const method = methodOf(node.greedy?.resource, httpMethod);
  if (!node.greedy || !method) return undefined;
  const rest = segments.slice(at).join('/');
  return rest === '' ? undefined : { resource: node.greedy.resource, method, pathParameters: parametersOf([...names, node.greedy.name], [...values, rest]) };
}

function parametersOf(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A malformed escape stands for itself.
    return segment;
  }
}
