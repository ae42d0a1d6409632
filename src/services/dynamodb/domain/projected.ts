import { Projection } from './expression/path.ts';
import type { Path, Placeholders } from './expression/placeholders.ts';
import { projectionPaths } from './expression/projection.ts';
import type { Item } from './value.ts';

/** Which attributes a read returns: a projection expression, or its legacy form. */
export interface Projected {
  readonly paths: readonly Path[];
  apply(item: Item): Item;
}

export function resolveProjected(
  expression: string | undefined,
  attributesToGet: readonly string[] | undefined,
  placeholders: Placeholders,
): Projected | undefined {
  const paths = expression !== undefined ? projectionPaths(expression, placeholders) : attributesToGet?.map((name) => [name]);
  if (paths === undefined) return undefined;
  const projection = new Projection(paths);
  return { paths, apply: (item) => projection.apply(item) };
}

export function nestedHeadsOf(projected: Projected | undefined): ReadonlySet<string> | undefined {
  return projected && new Set(projected.paths.filter((path) => path.length > 1).map((path) => path[0] as string));
}
