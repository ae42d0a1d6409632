import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, part, prefixEnd, uint64, utf8 } from '../../kit/key.ts';
import type { Declaration, KeyRange, Store, Tx } from '../../store/store.ts';
import type { Ctx } from '../service.ts';
import { defaultLock } from './domain/lock.ts';
import { versionIdOf } from './domain/names.ts';
import type { Body, BucketRecord, PartOfObject, PartRecord, UploadRecord, VersionRecord } from './domain/records.ts';
import { NULL_VERSION } from './domain/records.ts';
import { noSuchBucket } from './errors.ts';

/** The bus target that removes what a commit has let go of. */
export const CLEANUP_TARGET = 's3:cleanup';

/** Work of {@link CLEANUP_TARGET}. Doing it twice does no harm. */
export type Cleanup =
  | { readonly kind: 'blobs'; readonly blobs: readonly string[] }
  /** A multipart object's parts. */
  | { readonly kind: 'parts'; readonly bucketId: string; readonly id: string }
  /** An upload's parts, but for those that its object (`keep`: the object's list of parts) has taken over. */
  | { readonly kind: 'upload'; readonly bucketId: string; readonly uploadId: string; readonly keep?: string }
  /** Uploads that were under way when their bucket was deleted. */
  | { readonly kind: 'bucket'; readonly bucketId: string };

const MAX_UINT64 = 2n ** 64n - 1n;

/** Every key of the room; the README lists them. */
export const keys = {
  bucket: (name: string): Key => keyOf('s3', 'bucket', name),
  owned: (account: string, name: string): Key => keyOf('s3', 'owned', account, name),
  config: (bucketId: string, kind: string): Key => keyOf('s3', 'config', bucketId, kind),
  /** Configurations of which a bucket has many; they go with its others when it is deleted. */
  listedOf: (bucketId: string, kind: string): Key => keyOf('s3', 'config', bucketId, kind),
  listed: (bucketId: string, kind: string, id: string): Key => keyOf('s3', 'config', bucketId, kind, id),
  /** The last part is the key's bytes as they are: rows are in S3's order, and a prefix of keys is a prefix of rows. */
  object: (bucketId: string, key: string): Key => keyOf('s3', 'object', bucketId) + utf8(key),
  versionsOf: (bucketId: string, key: string): Key => keyOf('s3', 'version', bucketId) + part(utf8(key)),
  /** Newest first. */
  version: (bucketId: string, key: string, sequence: number): Key => keys.versionsOf(bucketId, key) + uint64(MAX_UINT64 - BigInt(sequence)),
  versionId: (bucketId: string, key: string, versionId: string): Key => keyOf('s3', 'versionid', bucketId) + part(utf8(key)) + versionId,
  inline: (bucketId: string, id: string): Key => keyOf('s3', 'inline', bucketId, id),
  parts: (bucketId: string, id: string): Key => keyOf('s3', 'parts', bucketId, id),
  uploadsOf: (bucketId: string): Key => keyOf('s3', 'upload', bucketId),
  upload: (bucketId: string, key: string, uploadId: string): Key => keys.uploadsOf(bucketId) + part(utf8(key)) + part(utf8(uploadId)),
  uploadPartsOf: (bucketId: string, uploadId: string): Key => keyOf('s3', 'uploadpart', bucketId, uploadId),
  uploadPart: (bucketId: string, uploadId: string, number: number): Key => keys.uploadPartsOf(bucketId, uploadId) + uint64(number),
  /** Counts the parts uploaded, so that a completion notices one that came while it was looking. */
  uploadCount: (bucketId: string, uploadId: string): Key => keyOf('s3', 'uploadcount', bucketId, uploadId),
  /** Numbers the events of a bucket, so that those of one key can be put in order. */
  sequence: (bucketId: string): Key => keyOf('s3', 'sequence', bucketId),
  /** Present while a committed row names the blob. */
  blob: (id: string): Key => keyOf('s3', 'blob', id),
};

export function rangeOf(prefix: Key): KeyRange {
  return { from: prefix, to: prefixEnd(prefix) };
}

export async function readBucket(store: Store, name: string): Promise<BucketRecord | undefined> {
  const value = await store.get(keys.bucket(name));
  return value && decodeJson<BucketRecord>(value);
}

export async function readVersion(store: Store, bucketId: string, key: string, versionId: string | undefined): Promise<VersionRecord | undefined> {
  const value = await store.get(keys.object(bucketId, key));
  const current = value && decodeJson<VersionRecord>(value);
  if (versionId === undefined || current?.versionId === versionId) return current;
  const sequence = await store.get(keys.versionId(bucketId, key, versionId));
  if (!sequence) return undefined;
  const older = await store.get(keys.version(bucketId, key, decodeJson<number>(sequence)));
  return older && decodeJson<VersionRecord>(older);
}

export async function readConfig<T>(store: Store, bucketId: string, kind: string): Promise<T | undefined> {
  const value = await store.get(keys.config(bucketId, kind));
  return value && decodeJson<T>(value);
}

export async function readParts(store: Store, bucketId: string, id: string): Promise<readonly PartOfObject[] | undefined> {
  const value = await store.get(keys.parts(bucketId, id));
  return value && decodeParts(value);
}

/** Compact, since a list of 10,000 parts must fit a value. */
type PackedPart = [number: number, blob: string, size: number, checksum?: string];

function decodeParts(value: Uint8Array): PartOfObject[] {
  return decodeJson<PackedPart[]>(value).map(([number, blob, size, checksum]) => ({ number, blob, size, ...(checksum === undefined ? {} : { checksum }) }));
}

function encodeParts(parts: readonly PartOfObject[]): Buffer {
  return encodeJson(
    parts.map(({ number, blob, size, checksum }): PackedPart => (checksum === undefined ? [number, blob, size] : [number, blob, size, checksum])),
  );
}

export async function readUpload(store: Store, bucketId: string, key: string, uploadId: string): Promise<UploadRecord | undefined> {
  const value = await store.get(keys.upload(bucketId, key, uploadId));
  return value && decodeJson<UploadRecord>(value);
}

/** All parts uploaded so far, in order, with the count they belong to. */
export async function readUploadParts(store: Store, bucketId: string, uploadId: string): Promise<{ parts: PartRecord[]; count: string }> {
  const count = await store.get(keys.uploadCount(bucketId, uploadId));
  const { to, ...start } = rangeOf(keys.uploadPartsOf(bucketId, uploadId));
  const parts: PartRecord[] = [];
  for (let from = start.from; ; ) {
    const page = await store.range({ from, to });
    for (const [, value] of page.entries) parts.push(decodeJson<PartRecord>(value));
    const last = page.entries.at(-1);
    if (!page.more || !last) return { parts, count: countText(count) };
    from = `${last[0]}\x00`;
  }
}

function countText(value: Uint8Array | undefined): string {
  return value ? Buffer.from(value).toString('hex') : '';
}

/** A transaction on a bucket's row, or on rows that only need the bucket to be there still. */
export function inBucket<T>(ctx: Ctx, bucket: BucketRecord, declaration: Declaration, fn: (tx: Tx, bucket: BucketRecord) => T): Promise<T> {
  const bucketKey = keys.bucket(bucket.name);
  const reads = declaration.keys?.includes(bucketKey) ? (declaration.reads ?? []) : [bucketKey, ...(declaration.reads ?? [])];
  return ctx.platform.store.transact({ ...declaration, reads }, (tx) => {
    const value = tx.get(bucketKey);
    const now = value && decodeJson<BucketRecord>(value);
    if (!now || now.id !== bucket.id) throw noSuchBucket(bucket.name);
    return fn(tx, now);
  });
}

/** A transaction on one key of a bucket and its versions. */
export function inObject<T>(
  ctx: Ctx,
  bucket: BucketRecord,
  key: string,
  more: { readonly keys?: readonly Key[] },
  fn: (object: ObjectTx, tx: Tx) => T,
): Promise<T> {
  const versions = bucket.versioning ? { ranges: [rangeOf(keys.versionsOf(bucket.id, key))] } : {};
  const reads = bucket.notifies ? { reads: [keys.config(bucket.id, 'notification')] } : {};
  return inBucket(ctx, bucket, { keys: [keys.object(bucket.id, key), ...(more.keys ?? [])], ...versions, ...reads }, (tx, now) =>
    fn(new ObjectTx(ctx, tx, now, key), tx),
  );
}

/** The bytes and rows that a new version brings with it. */
export interface NewBody {
  readonly body: Body;
  /** Of an inline body. */
  readonly bytes?: Uint8Array;
  /** Of a multipart body. */
  readonly parts?: readonly PartOfObject[];
}

/** What a caller gives of a version; its place in the key's history is found here. */
export type Draft = VersionRecord extends infer R ? (R extends VersionRecord ? Omit<R, 'sequence' | 'versionId' | 'stamp'> : never) : never;

/** One key inside a transaction: its current version in the `object` row, older ones in `version` rows. */
export class ObjectTx {
  readonly bucket: BucketRecord;
  readonly current: VersionRecord | undefined;
  readonly #ctx: Ctx;
  readonly #tx: Tx;
  readonly #key: string;

  constructor(ctx: Ctx, tx: Tx, bucket: BucketRecord, key: string) {
    this.#ctx = ctx;
    this.#tx = tx;
    this.bucket = bucket;
    this.#key = key;
    const value = tx.get(keys.object(bucket.id, key));
    this.current = value && decodeJson<VersionRecord>(value);
  }

  /**
   * Makes `draft` the current version: in place of the old one without versioning, before it with versioning, in place of the
   * null version while versioning is suspended.
   */
  write(draft: Draft, stamp: string, content?: NewBody): VersionRecord {
    const { versioning } = this.bucket;
    const old = this.current;
    const sequence = (old?.sequence ?? 0) + 1;
    const versionId = versioning === 'Enabled' ? versionIdOf(sequence, stamp) : NULL_VERSION;
    if (old) {
      if (versioning === undefined || (versioning === 'Suspended' && old.versionId === NULL_VERSION)) this.#release(old);
      else {
        this.#archive(old);
        if (versioning === 'Suspended') this.#removeOlder(NULL_VERSION);
      }
    }
    const record = { ...(draft.deleteMarker ? {} : defaultLock(this.bucket, draft.modifiedMs)), ...draft, sequence, versionId, stamp } as VersionRecord;
    this.#tx.put(keys.object(this.bucket.id, this.#key), encodeJson(record));
    if (content) this.#keep(content);
    return record;
  }

  /** The version of that id; the current one without an id. */
  find(versionId: string | undefined): VersionRecord | undefined {
    if (versionId === undefined || this.current?.versionId === versionId) return this.current;
    return this.#older(versionId)?.record;
  }

  /** Changes what is said about a version, not its bytes. */
  replace(record: VersionRecord): void {
    if (this.current?.versionId === record.versionId) this.#tx.put(keys.object(this.bucket.id, this.#key), encodeJson(record));
    else this.#tx.put(keys.version(this.bucket.id, this.#key, record.sequence), encodeJson(record));
  }

  /** Removes one version for good; the next older one becomes current. Returns what was removed. */
  remove(versionId: string): VersionRecord | undefined {
    const current = this.current;
    if (current?.versionId !== versionId) return this.#removeOlder(versionId);
    this.#release(current);
    this.#promote();
    return current;
  }

  /** The noncurrent versions, newest first. */
  older(): VersionRecord[] {
    const found: VersionRecord[] = [];
    const { from, to } = rangeOf(keys.versionsOf(this.bucket.id, this.#key));
    for (let next = from; ; ) {
      const page = this.#tx.range({ from: next, to });
      for (const [, value] of page.entries) found.push(decodeJson<VersionRecord>(value));
      const last = page.entries.at(-1);
      if (!page.more || !last) return found;
      next = `${last[0]}\x00`;
    }
  }

  #older(versionId: string): { row: Key; record: VersionRecord } | undefined {
    const sequence = this.#tx.get(keys.versionId(this.bucket.id, this.#key, versionId));
    if (!sequence) return undefined;
    const row = keys.version(this.bucket.id, this.#key, decodeJson<number>(sequence));
    const value = this.#tx.get(row);
    return value && { row, record: decodeJson<VersionRecord>(value) };
  }

  #removeOlder(versionId: string): VersionRecord | undefined {
    const found = this.#older(versionId);
    if (!found) return undefined;
    this.#tx.delete(found.row);
    this.#tx.delete(keys.versionId(this.bucket.id, this.#key, versionId));
    this.#release(found.record);
    return found.record;
  }

  #archive(record: VersionRecord): void {
    this.#tx.put(keys.version(this.bucket.id, this.#key, record.sequence), encodeJson(record));
    this.#tx.put(keys.versionId(this.bucket.id, this.#key, record.versionId), encodeJson(record.sequence));
  }

  #promote(): void {
    const row = keys.object(this.bucket.id, this.#key);
    const newest = this.bucket.versioning && this.#tx.range({ ...rangeOf(keys.versionsOf(this.bucket.id, this.#key)), limit: 1 }).entries[0];
    if (!newest) {
      this.#tx.delete(row);
      return;
    }
    this.#tx.delete(newest[0]);
    this.#tx.delete(keys.versionId(this.bucket.id, this.#key, decodeJson<VersionRecord>(newest[1]).versionId));
    this.#tx.put(row, newest[1]);
  }

  #keep({ body, bytes, parts }: NewBody): void {
    if (body.kind === 'inline' && bytes) this.#tx.put(keys.inline(this.bucket.id, body.id), bytes);
    if (body.kind === 'blob') this.#tx.put(keys.blob(body.id), new Uint8Array());
    if (body.kind === 'parts' && parts) this.#tx.put(keys.parts(this.bucket.id, body.id), encodeParts(parts));
  }

  #release(record: VersionRecord): void {
    if (!record.deleteMarker) releaseBody(this.#ctx, this.#tx, this.bucket.id, record.body);
  }
}

function releaseBody(ctx: Ctx, tx: Tx, bucketId: string, body: Body): void {
  if (body.kind === 'inline') tx.delete(keys.inline(bucketId, body.id));
  if (body.kind === 'blob') enqueueCleanup(ctx, tx, { kind: 'blobs', blobs: [body.id] });
  if (body.kind === 'parts') enqueueCleanup(ctx, tx, { kind: 'parts', bucketId, id: body.id });
}

/** In the commit that lets go of something: its removal, later. */
export function enqueueCleanup(ctx: Ctx, tx: Tx, payload: Cleanup): void {
  ctx.platform.bus.enqueue(tx, { target: CLEANUP_TARGET, account: ctx.account, region: ctx.region, payload, trace: ctx.trace });
}

/** Adds a part to an upload; the blob of a part of the same number is let go of. False where the upload is no more. */
export function putUploadPart(ctx: Ctx, bucket: BucketRecord, upload: UploadRecord, record: PartRecord): Promise<boolean> {
  const uploadKey = keys.upload(bucket.id, upload.key, upload.uploadId);
  const partKey = keys.uploadPart(bucket.id, upload.uploadId, record.number);
  return inBucket(ctx, bucket, { keys: [partKey], reads: [uploadKey] }, (tx) => {
    if (tx.get(uploadKey) === undefined) return false;
    const old = tx.get(partKey);
    if (old) enqueueCleanup(ctx, tx, { kind: 'blobs', blobs: [decodeJson<PartRecord>(old).blob] });
    tx.put(partKey, encodeJson(record));
    tx.put(keys.blob(record.blob), new Uint8Array());
    tx.add(keys.uploadCount(bucket.id, upload.uploadId), 1n);
    return true;
  });
}

/** Ends an upload inside a transaction that declared these keys. `changed` where its parts are not those of `count` any more. */
export function endUpload(
  ctx: Ctx,
  tx: Tx,
  bucket: BucketRecord,
  upload: UploadRecord,
  end: { count?: string; keep?: string },
): 'ended' | 'absent' | 'changed' {
  const uploadKey = keys.upload(bucket.id, upload.key, upload.uploadId);
  const countKey = keys.uploadCount(bucket.id, upload.uploadId);
  if (tx.get(uploadKey) === undefined) return 'absent';
  if (end.count !== undefined && countText(tx.get(countKey)) !== end.count) return 'changed';
  tx.delete(uploadKey);
  tx.delete(countKey);
  enqueueCleanup(ctx, tx, { kind: 'upload', bucketId: bucket.id, uploadId: upload.uploadId, ...(end.keep === undefined ? {} : { keep: end.keep }) });
  return 'ended';
}

export function uploadKeys(bucket: BucketRecord, upload: UploadRecord): Key[] {
  return [keys.upload(bucket.id, upload.key, upload.uploadId), keys.uploadCount(bucket.id, upload.uploadId)];
}
