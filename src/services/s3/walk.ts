import { decodeJson } from '../../kit/json.ts';
import { type Key, prefixEnd, utf8 } from '../../kit/key.ts';
import type { Entry, Store } from '../../store/store.ts';
import { commonPrefix } from './domain/listing.ts';
import { sequenceOf } from './domain/names.ts';
import type { BucketRecord, UploadRecord, VersionRecord } from './domain/records.ts';
import { invalidArgument } from './errors.ts';
import { keys, rangeOf } from './store.ts';

const PAGE_ROWS = 1000;
const PAGE_ROWS_MIN = 8;

/**
 * Rows of a range one at a time, read in pages. Whoever seeks past most of what it reads (a delimiter with many keys to each common
 * prefix) is given small pages, so that a million keys under ten prefixes are ten short reads.
 */
class Cursor {
  readonly #store: Store;
  readonly #to: Key;
  #from: Key;
  #page: readonly Entry[] = [];
  #at = 0;
  #more = true;
  #rows = PAGE_ROWS;
  /** Rows of the page at hand that were looked at. */
  #looked = 0;

  constructor(store: Store, from: Key, to: Key) {
    this.#store = store;
    this.#from = from;
    this.#to = to;
  }

  /** The row at hand, undefined past the end. */
  async peek(): Promise<Entry | undefined> {
    while (this.#at >= this.#page.length) {
      if (!this.#more || this.#from >= this.#to) return undefined;
      const page = await this.#store.range({ from: this.#from, to: this.#to, limit: this.#rows });
      this.#page = page.entries;
      this.#at = 0;
      this.#looked = 0;
      this.#rows = Math.min(PAGE_ROWS, this.#rows * 2);
      this.#more = page.more;
      const last = page.entries.at(-1);
      if (last) this.#from = `${last[0]}\x00`;
    }
    this.#looked++;
    return this.#page[this.#at];
  }

  skip(): void {
    this.#at++;
  }

  /** Goes forward to the first row that is not below `row`. */
  seek(row: Key): void {
    while (this.#at < this.#page.length && (this.#page[this.#at]?.[0] ?? '') < row) this.#at++;
    if (this.#at >= this.#page.length && this.#from < row) {
      if (this.#looked * 4 <= this.#page.length) this.#rows = Math.max(PAGE_ROWS_MIN, Math.floor(this.#page.length / 8));
      this.#from = row;
      this.#more = true;
    }
  }
}

export interface Walk {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** Results come after this key; where it is rolled up into a common prefix, after all that goes there. */
  readonly after: string | undefined;
  readonly limit: number;
}

export interface Walked<T> {
  readonly items: readonly { readonly key: string; readonly record: T }[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix of the page. */
  readonly last: string | undefined;
  readonly truncated: boolean;
}

/** Where a walk begins among rows that end in the raw key. */
function startRow(base: Key, { prefix, delimiter, after }: Walk): Key {
  const first = base + utf8(prefix);
  if (after === undefined) return first;
  const rolled = after.startsWith(prefix) ? commonPrefix(after, prefix, delimiter) : undefined;
  const start = rolled === undefined ? `${base}${utf8(after)}\x00` : prefixEnd(base + utf8(rolled));
  if (start < first) return first;
  return start;
}

const textOf = (row: Key, base: Key) => Buffer.from(row.slice(base.length), 'latin1').toString('utf8');

/** One page of a bucket's current objects, in the order of their keys' UTF-8 bytes. */
export async function walkObjects(store: Store, bucketId: string, walk: Walk): Promise<Walked<VersionRecord & { deleteMarker?: undefined }>> {
  const base = keys.object(bucketId, '');
  const cursor = new Cursor(store, startRow(base, walk), prefixEnd(base + utf8(walk.prefix)));
  const items: { key: string; record: VersionRecord & { deleteMarker?: undefined } }[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (let entry = await cursor.peek(); entry && walk.limit > 0; entry = await cursor.peek()) {
    const record = decodeJson<VersionRecord>(entry[1]);
    if (record.deleteMarker) {
      cursor.skip();
      continue;
    }
    if (items.length + prefixes.length >= walk.limit) return { items, prefixes, last, truncated: true };
    const key = textOf(entry[0], base);
    const rolled = commonPrefix(key, walk.prefix, walk.delimiter);
    last = rolled ?? key;
    if (rolled === undefined) {
      items.push({ key, record });
      cursor.skip();
    } else {
      prefixes.push(rolled);
      cursor.seek(prefixEnd(base + utf8(rolled)));
    }
  }
  return { items, prefixes, last, truncated: false };
}

export interface ListedVersion {
  readonly key: string;
  readonly record: VersionRecord;
  readonly isLatest: boolean;
}

export interface WalkedVersions {
  readonly versions: readonly ListedVersion[];
  readonly prefixes: readonly string[];
  readonly last: { readonly key: string; readonly versionId?: string } | undefined;
  readonly truncated: boolean;
}

/** One page of all versions: keys in order, newest first within a key. Every key with versions has a row of its current one. */
export async function walkVersions(store: Store, bucket: BucketRecord, walk: Walk & { readonly afterVersion: string | undefined }): Promise<WalkedVersions> {
  const base = keys.object(bucket.id, '');
  const within = walk.afterVersion === undefined ? undefined : await markerSequence(store, bucket.id, walk.after ?? '', walk.afterVersion);
  const start = within === undefined ? startRow(base, walk) : base + utf8(walk.after ?? '');
  const current = new Cursor(store, start, prefixEnd(base + utf8(walk.prefix)));
  const olderBase = rangeOf(keys.versionsOf(bucket.id, '').slice(0, -2));
  const older = new Cursor(store, olderBase.from, olderBase.to);
  const versions: ListedVersion[] = [];
  const prefixes: string[] = [];
  let last: WalkedVersions['last'];
  const full = () => versions.length + prefixes.length >= walk.limit;
  for (let entry = await current.peek(); entry && walk.limit > 0; entry = await current.peek()) {
    const key = textOf(entry[0], base);
    const rolled = commonPrefix(key, walk.prefix, walk.delimiter);
    if (rolled !== undefined) {
      if (full()) return { versions, prefixes, last, truncated: true };
      prefixes.push(rolled);
      last = { key: rolled };
      current.seek(prefixEnd(base + utf8(rolled)));
      continue;
    }
    const before = within !== undefined && key === walk.after ? within : Number.POSITIVE_INFINITY;
    for await (const listed of versionsOfKey(key, decodeJson<VersionRecord>(entry[1]), bucket, older)) {
      if (listed.record.sequence >= before) continue;
      if (full()) return { versions, prefixes, last, truncated: true };
      versions.push(listed);
      last = { key, versionId: listed.record.versionId };
    }
    current.skip();
  }
  return { versions, prefixes, last, truncated: false };
}

async function* versionsOfKey(key: string, newest: VersionRecord, bucket: BucketRecord, older: Cursor): AsyncGenerator<ListedVersion> {
  yield { key, record: newest, isLatest: true };
  if (bucket.versioning === undefined) return;
  const prefix = keys.versionsOf(bucket.id, key);
  older.seek(prefix);
  for (let entry = await older.peek(); entry?.[0].startsWith(prefix); entry = await older.peek()) {
    yield { key, record: decodeJson<VersionRecord>(entry[1]), isLatest: false };
    older.skip();
  }
}

async function markerSequence(store: Store, bucketId: string, key: string, versionId: string): Promise<number> {
  const written = sequenceOf(versionId);
  if (written !== undefined) return written;
  const current = await store.get(keys.object(bucketId, key));
  const record = current && decodeJson<VersionRecord>(current);
  if (record?.versionId === versionId) return record.sequence;
  const sequence = await store.get(keys.versionId(bucketId, key, versionId));
  if (!sequence) throw invalidArgument('Invalid version id specified', 'version-id-marker', versionId);
  return decodeJson<number>(sequence);
}

/** One page of the uploads under way: by key, then by when they began. */
export async function walkUploads(store: Store, bucketId: string, walk: Walk & { readonly afterUpload: string | undefined }): Promise<Walked<UploadRecord>> {
  const { from, to } = rangeOf(keys.uploadsOf(bucketId));
  const start = walk.after === undefined ? from : uploadStart(bucketId, walk);
  const cursor = new Cursor(store, start, to);
  const items: { key: string; record: UploadRecord }[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (let entry = await cursor.peek(); entry && walk.limit > 0; entry = await cursor.peek()) {
    const record = decodeJson<UploadRecord>(entry[1]);
    cursor.skip();
    const { key } = record;
    if (!key.startsWith(walk.prefix)) {
      if (utf8(key) > utf8(walk.prefix)) break;
      continue;
    }
    const rolled = commonPrefix(key, walk.prefix, walk.delimiter);
    if (rolled !== undefined && (rolled === prefixes.at(-1) || walk.after?.startsWith(rolled))) continue;
    if (items.length + prefixes.length >= walk.limit) return { items, prefixes, last, truncated: true };
    last = rolled ?? key;
    if (rolled === undefined) items.push({ key, record });
    else prefixes.push(rolled);
  }
  return { items, prefixes, last, truncated: false };
}

function uploadStart(bucketId: string, walk: Walk & { readonly afterUpload: string | undefined }): Key {
  const after = walk.after ?? '';
  if (walk.afterUpload !== undefined) return `${keys.upload(bucketId, after, walk.afterUpload)}\x00`;
  return prefixEnd(keys.upload(bucketId, after, '').slice(0, -2));
}
