import type { BlobId } from '../blobs/blobs.ts';
import { type Key, keyOf, prefixEnd } from '../kit/key.ts';
import type { Platform, Service } from '../services/service.ts';
import type { KeyRange, Store } from '../store/store.ts';

/** Blobs younger than this may belong to a commit that is still to come. */
const YOUNG_MS = 24 * 3_600_000;
/** The first sweep is not part of the start; the next ones follow once a day. */
const FIRST_MS = 10 * 60_000;
const EVERY_MS = 24 * 3_600_000;
/** Read at one go: looking through it stays far below what the event loop may be held for. */
const PAGE_BYTES = 128 * 1024;

/**
 * Rows that name no blobs, by the first part of their keys: the large ones are not looked through. S3's are not either, because it can be
 * asked about each blob (`ownsBlob`).
 */
const NAME_NO_BLOBS = ['ddb', 'lineage', 'logs', 'meter', 'notes', 's3', 'sqs'] as const;

const ID = /[0-9a-f]{32}/g;

/**
 * Deletes blobs that no committed row names: what a crash left between the write of a body and its commit. Whatever looks like a blob's id
 * in any other row counts as naming it, so that a room need not do anything for its blobs to be safe. An id has to be missing twice, in case
 * a row moved past the first look. Returns how many were deleted.
 */
export async function sweepBlobs({ platform, rooms }: { platform: Platform; rooms: readonly Service[] }, olderThanMs = YOUNG_MS): Promise<number> {
  const owners = rooms.flatMap((room) => (room.ownsBlob ? [room.ownsBlob] : []));
  const owned = async (id: BlobId) => {
    for (const owns of owners) if (await owns(platform, id)) return true;
    return false;
  };
  const named = await idsNamed(platform.store);
  const orphans: BlobId[] = [];
  await platform.blobs.sweep(olderThanMs, async (id) => {
    if (!named.has(id) && !(await owned(id))) orphans.push(id);
    return true;
  });
  if (orphans.length === 0) return 0;
  const still = await idsNamed(platform.store);
  let deleted = 0;
  for (const id of orphans) {
    if (still.has(id) || (await owned(id))) continue;
    await platform.blobs.delete(id);
    deleted++;
  }
  return deleted;
}

/** Everything that looks like a blob's id in the rows that may name blobs. */
async function idsNamed(store: Store): Promise<Set<BlobId>> {
  const ids = new Set<BlobId>();
  for (const { from, to } of rangesWithBlobs()) {
    for (let at = from; ; ) {
      const page = await store.range({ from: at, to, maxBytes: PAGE_BYTES });
      for (const [, value] of page.entries) {
        for (const [id] of Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1').matchAll(ID)) ids.add(id);
      }
      const last = page.entries.at(-1);
      if (!page.more || !last) break;
      at = `${last[0]}\x00`;
    }
  }
  return ids;
}

/** All of the key space but {@link NAME_NO_BLOBS}. */
function rangesWithBlobs(): KeyRange[] {
  const ranges: KeyRange[] = [];
  let from: Key = '';
  for (const name of NAME_NO_BLOBS) {
    ranges.push({ from, to: keyOf(name) });
    from = prefixEnd(keyOf(name));
  }
  return [...ranges, { from, to: '\xff'.repeat(8) }];
}

/** Sweeps ten minutes after the start and then once a day, until the returned function is called. */
export function scheduleBlobSweeps(parts: { platform: Platform; rooms: readonly Service[] }): () => void {
  const { log } = parts.platform;
  let timer: NodeJS.Timeout | undefined;
  const later = (ms: number) => {
    timer = setTimeout(() => void run(), ms).unref();
  };
  const run = async () => {
    try {
      const deleted = await sweepBlobs(parts);
      if (deleted > 0) log.info({ deleted }, 'deleted stored bodies that nothing names');
    } catch (error) {
      log.error({ err: error }, 'stored bodies that nothing names could not be swept; trying again tomorrow');
    }
    if (timer) later(EVERY_MS);
  };
  later(FIRST_MS);
  return () => {
    clearTimeout(timer);
    timer = undefined;
  };
}
