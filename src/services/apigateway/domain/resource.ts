import type { Method, Resource } from '@aws-sdk/client-api-gateway';
import { badRequest, conflict } from '../errors.ts';
import type { ResourceRow } from './types.ts';

const PATH_PART = /^(?:\{[a-zA-Z0-9._-]+\+?\}|[a-zA-Z0-9._:-]+)$/;

export const isVariable = (pathPart: string | undefined): boolean => pathPart?.startsWith('{') ?? false;
export const isGreedy = (pathPart: string | undefined): boolean => pathPart?.endsWith('+}') ?? false;

/** What GetResource answers; methods whole where `embedded`, else their names. */
export function describeResource(row: ResourceRow, embedded = false): Resource {
  const { methods, ...rest } = row;
  const names = Object.keys(methods);
  if (names.length === 0) return rest;
  return { ...rest, resourceMethods: embedded ? methods : Object.fromEntries(names.map((name) => [name, {} as Method])) };
}

export const pathUnder = (parent: ResourceRow, pathPart: string): string => `${parent.path === '/' ? '' : parent.path}/${pathPart}`;

/** Checks a new child's (or a moved or renamed resource's) place among its siblings. */
export function checkPlace(parent: ResourceRow, siblings: readonly ResourceRow[], pathPart: string): void {
  if (pathPart === '') throw badRequest("Resource's path part must be specified");
  if (!PATH_PART.test(pathPart)) {
    throw badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.");
  }
  if (isGreedy(parent.pathPart)) throw badRequest(`Cannot create a child of a resource with a greedy path variable: ${parent.pathPart}`);
  if (siblings.some((sibling) => sibling.pathPart === pathPart)) throw conflict(`Another resource with the same parent already has this name: ${pathPart}`);
  const variable = isVariable(pathPart) ? siblings.find((sibling) => isVariable(sibling.pathPart)) : undefined;
  if (variable) throw badRequest(`A sibling (${variable.pathPart}) of this resource already has a variable path part -- only one is allowed`);
}

/** The resource and everything below it. */
export function subtree(resources: readonly ResourceRow[], rootId: string): ResourceRow[] {
  const children = new Map<string, ResourceRow[]>();
  for (const row of resources) if (row.parentId !== undefined) children.set(row.parentId, [...(children.get(row.parentId) ?? []), row]);
  const found = resources.filter((row) => row.id === rootId);
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]?.id ?? '') ?? []));
  return found;
}

/** Paths again, from a changed resource downwards. */
export function repath(resources: readonly ResourceRow[], changed: ResourceRow): ResourceRow[] {
  const byId = new Map(resources.map((row) => [row.id, row] as const));
  byId.set(changed.id, changed);
  return subtree([...byId.values()], changed.id).map((row) => {
    const parent = row.parentId === undefined ? undefined : byId.get(row.parentId);
    const next = parent && row.pathPart !== undefined ? { ...row, path: pathUnder(parent, row.pathPart) } : row;
    byId.set(next.id, next);
    return next;
  });
}
