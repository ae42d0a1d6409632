import type { Readable } from 'node:stream';

/** An opaque name of a stored body. */
export type BlobId = string;

/**
 * Bodies: code packages and S3 objects. A blob is immutable and on disk (file and directory synced) before `write` resolves; the
 * commit that names it comes after, and what no commit names is swept.
 */
export interface Blobs {
  /** Streams `source` to disk with back-pressure. */
  write(source: AsyncIterable<Uint8Array>): Promise<{ id: BlobId; size: number }>;
  /** Bytes `start`..`end` (both inclusive, default the whole). Rejects with an Error of code `ENOENT` where there is none. */
  read(id: BlobId, range?: { start?: number; end?: number }): Promise<Readable>;
  /** The whole body in memory; for small bodies (templates, code up to 250 MB). */
  readAll(id: BlobId): Promise<Buffer>;
  /** Joins blobs into a new one (multipart completion). */
  concat(ids: readonly BlobId[]): Promise<{ id: BlobId; size: number }>;
  delete(id: BlobId): Promise<void>;
  /** Deletes blobs older than `olderThanMs` that `isReferenced` denies; returns how many. */
  sweep(olderThanMs: number, isReferenced: (id: BlobId) => Promise<boolean>): Promise<number>;
}
