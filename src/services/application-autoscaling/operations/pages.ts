import { type Key, partsOf } from '../../../kit/key.ts';
import type { Ctx } from '../../service.ts';
import type { Target } from '../domain/target.ts';
import { invalidNextToken, validation } from '../errors.ts';
import { keys, list } from '../store.ts';

interface PageInput {
  readonly ServiceNamespace?: string | undefined;
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

interface Narrowed extends PageInput {
  readonly ResourceId?: string | undefined;
  readonly ScalableDimension?: string | undefined;
}

export interface Item<T> {
  readonly row: T;
  readonly target: Target;
}

/** One page of rows of a namespace. The token is the last key of the page before. */
export async function page<T>(
  ctx: Ctx,
  kind: 'target' | 'policy' | 'action' | 'activity',
  input: PageInput,
  most: number,
  wanted: (row: T) => boolean,
  narrower: readonly string[] = [],
): Promise<{ readonly items: readonly Item<T>[]; readonly NextToken?: string }> {
  const limit = input.MaxResults ?? most;
  if (limit < 1 || limit > most) throw validation(`MaxResults must be between 1 and ${most}`);
  const prefix = keys.listed(ctx, kind, input.ServiceNamespace ?? '', ...narrower);
  const after = readToken(input.NextToken, prefix);
  const { rows, more } = await list<T>(ctx.platform.store, prefix, limit, { ...(after === undefined ? {} : { after }), wanted });
  const last = rows.at(-1);
  return {
    items: rows.map(({ key, row }) => ({ row, target: targetIn(key) })),
    ...(more && last ? { NextToken: Buffer.from(last.key, 'latin1').toString('base64') } : {}),
  };
}

/** The resource, and of that the dimension, to which a request narrows a list. */
export function narrowed(input: Narrowed): readonly string[] {
  if (input.ResourceId === undefined) {
    if (input.ScalableDimension !== undefined) throw validation('Resource ID must be specified when a scalable dimension is specified');
    return [];
  }
  return input.ScalableDimension === undefined ? [input.ResourceId] : [input.ResourceId, input.ScalableDimension];
}

function targetIn(key: Key): Target {
  const [, , , , namespace = '', resource = '', dimension = ''] = partsOf(key);
  return { namespace, resource, dimension };
}

function readToken(token: string | undefined, prefix: Key): Key | undefined {
  if (token === undefined || token === '') return undefined;
  const key = Buffer.from(token, 'base64').toString('latin1');
  if (!key.startsWith(prefix)) throw invalidNextToken();
  return key;
}
