import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX } from '../limits.ts';

/** One page of `items`, already in order; `position` is the id of the first item of the next page. */
export function pageOf<T>(
  items: readonly T[],
  request: { position?: string | undefined; limit?: number | undefined },
  idOf: (item: T) => string,
): { items: T[]; position?: string } {
  const limit = request.limit === undefined || request.limit <= 0 ? LIST_LIMIT_DEFAULT : Math.min(request.limit, LIST_LIMIT_MAX);
  const wanted = request.position === undefined ? undefined : Buffer.from(request.position, 'base64url').toString('utf8');
  const found = wanted === undefined ? 0 : items.findIndex((item) => idOf(item) === wanted);
  const start = found === -1 ? items.length : found;
  const next = items[start + limit];
  return {
    items: items.slice(start, start + limit),
    ...(next === undefined ? {} : { position: Buffer.from(idOf(next), 'utf8').toString('base64url') }),
  };
}
