import type { Tx } from '../../store/store.ts';
import type { Ctx } from '../service.ts';
import { type Manifest, readManifest } from './domain/manifest.ts';
import { DIGEST, type Place, TAG } from './domain/names.ts';
import {
  digestDoesNotMatch,
  imageExists,
  imageNotFound,
  invalidParameter,
  layersNotFound,
  referencedImagesNotFound,
  repositoryNotFound,
  tagIsImmutable,
} from './errors.ts';
import { MANIFEST_BYTES_MAX } from './limits.ts';
import { type ImageRow, keys, load, type RepositoryRow, read, write } from './store.ts';

export interface ImageName {
  readonly digest?: string | undefined;
  readonly tag?: string | undefined;
}

interface Push {
  readonly text: string;
  readonly mediaType?: string | undefined;
  readonly tag?: string | undefined;
  /** Must be the manifest's. */
  readonly digest?: string | undefined;
  /** A push of what is there already is a success: the registry protocol says so, the API does not. */
  readonly again: boolean;
}

/** Keeps a manifest, and gives it the tag. What it is made of has to be there. */
export async function pushImage(ctx: Ctx, place: Place, name: string, push: Push): Promise<ImageRow> {
  const manifest = readManifest(push.text, push.mediaType);
  if (!manifest) throw invalidParameter("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'");
  if (Buffer.byteLength(push.text) > MANIFEST_BYTES_MAX) throw invalidParameter(`The image manifest is longer than ${MANIFEST_BYTES_MAX} bytes`);
  if (push.digest !== undefined && push.digest !== manifest.digest) throw digestDoesNotMatch(push.digest, manifest.digest);
  if (push.tag !== undefined && !TAG.test(push.tag)) throw invalidParameter("Invalid parameter at 'imageTag' failed to satisfy constraint: 'Invalid tag'");
  const { digest } = manifest;
  const nowMs = ctx.platform.clock.virtual();
  const repositoryKey = keys.repository(place, name);
  const imageKey = keys.image(place, name, digest);
  const tagKey = push.tag === undefined ? undefined : keys.tag(place, name, push.tag);
  const parts = partsOf(place, name, manifest);
  return ctx.platform.store.transact({ keys: tagKey ? [imageKey, tagKey] : [imageKey], reads: [repositoryKey, ...parts.map(({ key }) => key)] }, (tx) => {
    const repository = read<RepositoryRow>(tx, repositoryKey);
    if (!repository) throw repositoryNotFound(name, place.account);
    checkParts(tx, parts, name, place);
    const before = read<ImageRow>(tx, imageKey);
    const tagged = tagKey && read<string>(tx, tagKey);
    if (before && !push.again && (push.tag === undefined || tagged === digest)) throw imageExists(digest, push.tag, name, place.account);
    if (push.tag !== undefined && tagged !== undefined && tagged !== digest) {
      if (isImmutable(repository, push.tag)) throw tagIsImmutable(push.tag, name);
      dropTag(tx, place, name, tagged, push.tag);
    }
    const row: ImageRow = {
      digest,
      mediaType: manifest.mediaType,
      manifest: push.text,
      ...(manifest.artifactMediaType ? { artifactMediaType: manifest.artifactMediaType } : {}),
      size: manifest.size,
      pushedMs: before?.pushedMs ?? nowMs,
      tags: [...new Set([...(before?.tags ?? []), ...(push.tag === undefined ? [] : [push.tag])])],
    };
    write(tx, imageKey, row);
    if (tagKey) write(tx, tagKey, digest);
    return row;
  });
}

interface Part {
  readonly key: string;
  readonly digest: string;
  readonly image: boolean;
}

function partsOf(place: Place, name: string, manifest: Manifest): Part[] {
  return [
    ...manifest.blobs.map(({ digest }) => ({ key: keys.layer(place, name, digest), digest, image: false })),
    ...manifest.manifests.map((digest) => ({ key: keys.image(place, name, digest), digest, image: true })),
  ];
}

function checkParts(tx: Tx, parts: readonly Part[], name: string, place: Place): void {
  const missing = parts.filter(({ key }) => tx.get(key) === undefined);
  const layers = missing.filter(({ image }) => !image).map(({ digest }) => digest);
  if (layers.length > 0) throw layersNotFound(layers, name, place.account);
  const images = missing.filter(({ image }) => image).map(({ digest }) => digest);
  if (images.length > 0) throw referencedImagesNotFound(images, name, place.account);
}

/** `IMMUTABLE` and its exclusions; "Preventing image tags from being overwritten in Amazon ECR". */
function isImmutable({ mutability, mutabilityExclusions = [] }: RepositoryRow, tag: string): boolean {
  const excluded = mutabilityExclusions.some((one) => matches(String((one as { filter?: unknown }).filter ?? ''), tag));
  if (mutability === 'IMMUTABLE_WITH_EXCLUSION') return !excluded;
  if (mutability === 'MUTABLE_WITH_EXCLUSION') return excluded;
  return mutability === 'IMMUTABLE';
}

/** `*` stands for any text. Linear: each piece is looked for once, from the left. */
function matches(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  const [first = '', ...rest] = pieces;
  if (pieces.length === 1) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop() ?? '';
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function dropTag(tx: Tx, place: Place, name: string, digest: string, tag: string): void {
  const key = keys.image(place, name, digest);
  const row = read<ImageRow>(tx, key);
  if (row) write(tx, key, { ...row, tags: row.tags.filter((one) => one !== tag) });
}

/** The image of a digest or a tag; undefined where there is none. */
export async function findImage(ctx: Ctx, place: Place, name: string, { digest, tag }: ImageName): Promise<ImageRow | undefined> {
  const { store } = ctx.platform;
  const tagged = tag === undefined ? undefined : await load<string>(store, keys.tag(place, name, tag));
  if (tag !== undefined && (tagged === undefined || (digest !== undefined && digest !== tagged))) return undefined;
  const wanted = digest ?? tagged;
  return wanted === undefined ? undefined : load<ImageRow>(store, keys.image(place, name, wanted));
}

/** Throws ImageNotFoundException. */
export async function openImage(ctx: Ctx, place: Place, name: string, image: ImageName): Promise<ImageRow> {
  const row = await findImage(ctx, place, name, image);
  if (!row) throw imageNotFound(image.digest, image.tag, name, place.account);
  return row;
}

/** A tag or a digest, as the registry protocol's paths have it. */
export const imageNamed = (reference: string): ImageName => (DIGEST.test(reference) ? { digest: reference } : { tag: reference });

/** Removes a tag, and with its last one the image; a digest removes the image with all of its tags. What was removed, undefined where there was nothing. */
export function removeImage(tx: Tx, place: Place, name: string, image: ImageName): { digest: string; tags: readonly (string | undefined)[] } | undefined {
  const tagged = image.tag === undefined ? undefined : read<string>(tx, keys.tag(place, name, image.tag));
  const digest = image.digest ?? tagged;
  const row = digest === undefined ? undefined : read<ImageRow>(tx, keys.image(place, name, digest));
  if (!row || digest === undefined || (image.tag !== undefined && tagged !== digest)) return undefined;
  const tags = image.tag === undefined ? row.tags : [image.tag];
  for (const tag of tags) tx.delete(keys.tag(place, name, tag));
  const left = row.tags.filter((one) => !tags.includes(one));
  if (image.tag !== undefined && left.length > 0) write(tx, keys.image(place, name, digest), { ...row, tags: left });
  else tx.delete(keys.image(place, name, digest));
  return { digest, tags: tags.length > 0 ? tags : [undefined] };
}
