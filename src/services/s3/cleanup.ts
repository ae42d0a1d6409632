import type { Attempt, Outcome } from '../../bus/bus.ts';
import { decodeJson } from '../../kit/json.ts';
import type { Key } from '../../kit/key.ts';
import type { Platform } from '../service.ts';
import type { PartRecord, UploadRecord } from './domain/records.ts';
import { CLEANUP_ROWS } from './limits.ts';
import { type Cleanup, keys, rangeOf, readParts } from './store.ts';

/**
 * Removes blobs and rows that a commit has let go of. Each step can be repeated: a blob goes before the row that names it, and a
 * list of parts goes after all its blobs.
 */
export async function cleanUp(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const work = attempt.payload as Cleanup;
  switch (work.kind) {
    case 'blobs':
      await deleteBlobs(platform, work.blobs);
      break;
    case 'parts': {
      const parts = await readParts(platform.store, work.bucketId, work.id);
      await deleteBlobs(platform, parts?.map((part) => part.blob) ?? []);
      await deleteRows(platform, [keys.parts(work.bucketId, work.id)]);
      break;
    }
    case 'upload':
      await forgetUpload(platform, work);
      break;
    case 'bucket':
      await forgetUploads(platform, work.bucketId);
      break;
  }
  return { done: true };
}

async function deleteBlobs(platform: Platform, blobs: readonly string[]): Promise<void> {
  for (let i = 0; i < blobs.length; i += CLEANUP_ROWS) {
    const some = blobs.slice(i, i + CLEANUP_ROWS);
    await Promise.all(some.map((id) => platform.blobs.delete(id)));
    await deleteRows(platform, some.map(keys.blob));
  }
}

async function deleteRows(platform: Platform, rows: readonly Key[]): Promise<void> {
  await platform.store.transact({ keys: rows }, (tx) => {
    for (const row of rows) tx.delete(row);
  });
}

async function forgetUpload(platform: Platform, work: Cleanup & { kind: 'upload' }): Promise<void> {
  const kept = work.keep === undefined ? [] : ((await readParts(platform.store, work.bucketId, work.keep)) ?? []);
  const keep = new Set(kept.map((part) => part.blob));
  // Where the object is gone already its own clean-up has its parts; without its list they cannot be told from the others.
  const objectGone = work.keep !== undefined && kept.length === 0;
  const range = rangeOf(keys.uploadPartsOf(work.bucketId, work.uploadId));
  for (;;) {
    const page = await platform.store.range({ ...range, limit: CLEANUP_ROWS });
    const blobs = page.entries.map(([, value]) => decodeJson<PartRecord>(value).blob).filter((id) => objectGone || !keep.has(id));
    await deleteBlobs(platform, blobs);
    await deleteRows(
      platform,
      page.entries.map(([row]) => row),
    );
    if (!page.more) return;
  }
}

async function forgetUploads(platform: Platform, bucketId: string): Promise<void> {
  for (;;) {
    const page = await platform.store.range({ ...rangeOf(keys.uploadsOf(bucketId)), limit: CLEANUP_ROWS });
    for (const [row, value] of page.entries) {
      const { uploadId } = decodeJson<UploadRecord>(value);
      await forgetUpload(platform, { kind: 'upload', bucketId, uploadId });
      await deleteRows(platform, [row, keys.uploadCount(bucketId, uploadId)]);
    }
    if (!page.more) return;
  }
}
