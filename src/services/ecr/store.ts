import { decodeJson } from '../../kit/json.ts';
import { type Key, keyOf } from '../../kit/key.ts';
import type { Store } from '../../store/store.ts';
import { load, rangeOf, read, write } from '../rows.ts';
import type { Place } from './domain/names.ts';

export interface RepositoryRow {
  readonly name: string;
  readonly createdMs: number;
  readonly mutability: string;
  readonly mutabilityExclusions?: readonly unknown[];
  readonly scanOnPush: boolean;
  readonly encryption: { readonly encryptionType: string; readonly kmsKey?: string };
  readonly tags: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly policy?: string;
  /** JSON text. */
  readonly lifecycle?: string;
}

export interface ImageRow {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: string;
  readonly artifactMediaType?: string;
  readonly size: number;
  readonly pushedMs: number;
  readonly tags: readonly string[];
}

/** A layer or an image's configuration. */
export interface LayerRow {
  readonly blobId: string;
  readonly size: number;
}

export interface UploadRow {
  readonly id: string;
  readonly startedMs: number;
  readonly blobs: readonly string[];
  readonly size: number;
}

const of = (kind: string, { account, region }: Place, ...more: string[]): Key => keyOf('ecr', account, region, kind, ...more);

export const keys = {
  repository: (place: Place, name: string) => of('repo', place, name),
  repositories: (place: Place) => of('repo', place),
  image: (place: Place, name: string, digest: string) => of('image', place, name, digest),
  images: (place: Place, name: string) => of('image', place, name),
  tag: (place: Place, name: string, tag: string) => of('tag', place, name, tag),
  tags: (place: Place, name: string) => of('tag', place, name),
  layer: (place: Place, name: string, digest: string) => of('layer', place, name, digest),
  layers: (place: Place, name: string) => of('layer', place, name),
  upload: (place: Place, name: string, id: string) => of('upload', place, name, id),
  uploads: (place: Place, name: string) => of('upload', place, name),
  /** Signs authorization tokens. */
  secret: keyOf('ecr', 'secret'),
};

export { load, rangeOf, read, write };

/** All rows below a prefix, in order of their keys, a page at a time. */
export async function* rowsOf<T>(store: Store, prefix: Key, after?: Key): AsyncGenerator<readonly [key: Key, row: T], void> {
  const { from: start, to } = rangeOf(prefix);
  for (let from = after === undefined ? start : `${after}\x00`; ; ) {
    const page = await store.range({ from, to });
    for (const [key, value] of page.entries) yield [key, decodeJson<T>(value)];
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    from = `${last[0]}\x00`;
  }
}
