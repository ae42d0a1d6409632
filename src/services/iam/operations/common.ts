import type { AttachedPermissionsBoundary, Tag } from '@aws-sdk/client-iam';
import { ALPHABET_BASE32 } from '../../../identity/access-key.ts';
import { partitionOf } from '../../../kit/arn.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import type { Entity, Identity, IdentityKind, Kind, Tags } from '../domain/entities.ts';
import { ID_PREFIX } from '../domain/entities.ts';
import { alreadyExists, invalidInput, limitExceeded, notFound, unmodifiable, validationError } from '../errors.ts';
import { PAGE_ITEMS_DEFAULT, TAGS_MAX } from '../limits.ts';
import { entityKey, list, read, readTx, type Stored, writeTx } from '../store.ts';

/** `arn:aws:iam::<account>:<resource>`. */
export const iamArn = (ctx: Ctx, resource: string): string => `arn:${partitionOf(ctx.region)}:iam::${ctx.account}:${resource}`;

/** What every new entity has. Names and paths were checked by the model. */
export function newEntity(ctx: Ctx, kind: Kind, name: string, path: string | undefined, tags: readonly Tag[] | undefined): Entity {
  const at = path ?? '/';
  if (!/^\/(?:[!-.0-~]+\/)*$/.test(at)) {
    throw validationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    );
  }
  return {
    name,
    path: at,
    id: ID_PREFIX[kind] + ctx.platform.ids.text(17, ALPHABET_BASE32),
    arn: iamArn(ctx, `${kind}${at}${name}`),
    createdMs: ctx.platform.clock.virtual(),
    tags: mergeTags({}, tags),
  };
}

/** Adds tags to those there are; keys are unique without regard to case. Throws `InvalidInput`, `LimitExceeded`. */
export function mergeTags(tags: Tags, added: readonly Tag[] | undefined): Tags {
  const seen = new Set<string>();
  const merged = new Map(Object.entries(tags));
  for (const { Key: key = '', Value: value = '' } of added ?? []) {
    const folded = key.toLowerCase();
    if (seen.has(folded)) throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    seen.add(folded);
    for (const present of [...merged.keys()]) if (present.toLowerCase() === folded) merged.delete(present);
    merged.set(key, value);
  }
  if (merged.size > TAGS_MAX) throw limitExceeded(`The number of tags has reached the maximum limit.`);
  return Object.fromEntries(merged);
}

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** The tags without those keys. */
export function withoutTags(tags: Tags, keys: readonly string[] | undefined): Tags {
  const gone = new Set(keys ?? []);
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key)));
}

/** A permissions boundary as answers have it. The model's only enum value is not the word that IAM sends. */
export const describeBoundary = (arn: string): AttachedPermissionsBoundary => ({
  PermissionsBoundaryType: 'Policy' as AttachedPermissionsBoundary['PermissionsBoundaryType'],
  PermissionsBoundaryArn: arn,
});

/** The identity, unless AWS alone may change it (`UnmodifiableEntity`). */
export function modifiable<T extends Identity>(identity: T): T {
  if ('serviceLinked' in identity && identity.serviceLinked) throw unmodifiable(identity.name);
  return identity;
}

/** Reads an entity or throws `NoSuchEntity`. */
export async function need<K extends Kind>(ctx: Ctx, kind: K, name: string | undefined): Promise<Stored[K]> {
  const entity = await read(ctx.platform.store, ctx.account, kind, name ?? '');
  if (!entity) throw notFound(kind, name ?? '');
  return entity;
}

/** The entity within a transaction, or `NoSuchEntity`. */
export function needTx<K extends Kind>(tx: Tx, ctx: Ctx, kind: K, name: string): Stored[K] {
  const entity = readTx(tx, ctx.account, kind, name);
  if (!entity) throw notFound(kind, name);
  return entity;
}

/** Replaces an entity by what `change` makes of it, in one commit. */
export function change<K extends Kind>(ctx: Ctx, kind: K, name: string | undefined, apply: (entity: Stored[K], tx: Tx) => Stored[K]): Promise<Stored[K]> {
  const key = entityKey(ctx.account, kind, name ?? '');
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const next = apply(needTx(tx, ctx, kind, name ?? ''), tx);
    writeTx(tx, ctx.account, kind, next);
    return next;
  });
}

/**
 * Writes a new entity, unless its name is taken (`EntityAlreadyExists`). With a `token`, an entity that the same token
 * made before is the answer: a stack operation may be tried again.
 */
export function putNew<K extends Kind>(ctx: Ctx, kind: K, entity: Stored[K], token?: string): Promise<Stored[K]> {
  return ctx.platform.store.transact({ keys: [entityKey(ctx.account, kind, entity.name)] }, (tx) => {
    const present = readTx(tx, ctx.account, kind, entity.name);
    if (present && token !== undefined && present.token === token) return present;
    if (present) throw alreadyExists(kind, entity.name);
    const made = token === undefined ? entity : { ...entity, token };
    writeTx(tx, ctx.account, kind, made);
    return made;
  });
}

interface Paging {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

/** The next page's marker, opaque to the caller. */
const markerOf = (key: string): string => Buffer.from(key, 'latin1').toString('base64url');

function keyOfMarker(marker: string): string {
  const key = Buffer.from(marker, 'base64url');
  if (key.length === 0 || key.toString('base64url') !== marker) throw validationError(`Invalid Marker.`);
  return key.toString('latin1');
}

/** One page of a kind, in the form of IAM's answers. */
export async function pageOf<K extends Kind>(ctx: Ctx, kind: K, input: Paging, keep: (entity: Stored[K]) => boolean) {
  const page = await list(ctx.platform.store, ctx.account, kind, {
    ...(input.Marker ? { after: keyOfMarker(input.Marker) } : {}),
    limit: input.MaxItems ?? PAGE_ITEMS_DEFAULT,
    keep,
  });
  return { entities: page.entities, IsTruncated: page.more, ...(page.more && page.last ? { Marker: markerOf(page.last) } : {}) };
}

/** One page of a list that stands within an entity (names of inline policies, tags, versions): the marker is a position. */
export function pageIn<T>(items: readonly T[], input: Paging): { items: T[]; IsTruncated: boolean; Marker?: string } {
  const start = input.Marker ? Number(keyOfMarker(input.Marker)) : 0;
  if (!Number.isSafeInteger(start) || start < 0) throw validationError('Invalid Marker.');
  const end = start + (input.MaxItems ?? PAGE_ITEMS_DEFAULT);
  const more = end < items.length;
  return { items: items.slice(start, end), IsTruncated: more, ...(more ? { Marker: markerOf(String(end)) } : {}) };
}

/** Policy documents stand URL-encoded (RFC 3986) in answers. */
export const encodeDocument = (document: string): string =>
  encodeURIComponent(document).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** `Role`, `User`, `Group`, as the names of operations and members have it. */
export const TITLE: Readonly<Record<IdentityKind, 'Role' | 'User' | 'Group'>> = { role: 'Role', user: 'User', group: 'Group' };
