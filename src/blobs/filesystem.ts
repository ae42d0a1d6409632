import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import type { BlobId, Blobs } from './blobs.ts';
import { READ_CHUNK_BYTES, SWEEP_BATCH, WRITE_BATCH_BYTES } from './limits.ts';
import { streamed } from './nudge.ts';

export interface BlobsOptions {
  readonly ids: Ids;
  readonly clock: Clock;
  /** False leaves out every sync, for data that is thrown away at the end (`--ephemeral`). Default true. */
  readonly durable?: boolean;
}

const ID = /^[0-9a-f]{32}$/;
const TEMPORARY = 'tmp';

/**
 * Blobs as files: `<dir>/<first two hex digits>/<id>`, written under `<dir>/tmp` first. The order is: write, sync the file, rename,
 * sync the directory; only then is the blob acknowledged. What a dead process left in `tmp` is removed here.
 */
export async function openBlobs(dir: string, options: BlobsOptions): Promise<Blobs> {
  const durable = options.durable ?? true;
  const temporary = join(dir, TEMPORARY);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const folders = createFolders(dir, durable);
  if (durable) await syncDirectory(dir);

  const pathOf = (id: BlobId): string => {
    if (!ID.test(id)) throw missing(id);
    return join(dir, id.slice(0, 2), id);
  };

  const write = async (source: AsyncIterable<Uint8Array>) => {
    const id = options.ids.bytes(16).toString('hex');
    const temporaryPath = join(temporary, id);
    try {
      const size = await writeFileFrom(temporaryPath, source, durable);
      const folder = id.slice(0, 2);
      await folders.ensure(folder);
      await rename(temporaryPath, pathOf(id));
      if (durable) await folders.sync(folder);
      return { id, size };
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
  };

  return {
    write,
    async read(id, range = {}) {
      const file = await open(pathOf(id), 'r');
      return new FileStream(file, range.start ?? 0, range.end ?? Number.MAX_SAFE_INTEGER - 1);
    },
    readAll: async (id) => readFile(pathOf(id)),
    concat: (ids) => write(chunksOf(ids.map(pathOf))),
    async delete(id) {
      await rm(pathOf(id), { force: true });
    },
    sweep: (olderThanMs, isReferenced) => sweep(dir, options.clock.real() - olderThanMs, isReferenced),
  };
}

function missing(id: BlobId): Error {
  return Object.assign(new Error(`no blob '${id}'`), { code: 'ENOENT' });
}

/** Streams to a new file in batches: while one batch is being written the next is gathered. Resolves with the size, synced. */
async function writeFileFrom(path: string, source: AsyncIterable<Uint8Array>, durable: boolean): Promise<number> {
  const file = await open(path, 'wx');
  try {
    let size = 0;
    let batch: Uint8Array[] = [];
    let batched = 0;
    let underWay: Promise<void> = Promise.resolve();
    const flush = async () => {
      await underWay;
      const chunks = batch;
      batch = [];
      batched = 0;
      underWay = writeAll(file, chunks);
      // Awaited by the next flush; until then a rejection must not count as unhandled.
      underWay.catch(() => undefined);
    };
    for await (const chunk of source) {
      if (chunk.length === 0) continue;
      batch.push(chunk);
      batched += chunk.length;
      size += chunk.length;
      streamed(chunk.length);
      if (batched >= WRITE_BATCH_BYTES) await flush();
    }
    await flush();
    await underWay;
    if (durable) await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

/** `writev` may write less than asked, e.g. on a disk that fills up. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest as Uint8Array[]);
    rest = after(rest, bytesWritten);
  }
}

/** What is left of `chunks` after the first `count` bytes. */
export function after(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = count;
  let index = 0;
  for (; index < chunks.length; index++) {
    const length = chunks[index]?.length ?? 0;
    if (skipped < length) break;
    skipped -= length;
  }
  const rest = chunks.slice(index);
  const first = rest[0];
  if (first && skipped > 0) rest[0] = first.subarray(skipped);
  return rest;
}

/** The bytes `start`..`end` of an open file, which it closes. Reads when asked, a chunk at a time. */
class FileStream extends Readable {
  readonly #file: FileHandle;
  readonly #end: number;
  #position: number;
  #reading: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, start: number, end: number) {
    super({ highWaterMark: READ_CHUNK_BYTES });
    this.#file = file;
    this.#position = start;
    this.#end = end;
  }

  override _read(): void {
    this.#reading = this.#readChunk().then(
      (chunk) => void this.push(chunk),
      (error) => void this.destroy(error),
    );
  }

  async #readChunk(): Promise<Uint8Array | null> {
    const length = Math.min(READ_CHUNK_BYTES, this.#end - this.#position + 1);
    if (length <= 0) return null;
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafeSlow(length), 0, length, this.#position);
    if (bytesRead === 0) return null;
    this.#position += bytesRead;
    streamed(bytesRead);
    return bytesRead === length ? buffer : buffer.subarray(0, bytesRead);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // A file is not closed under a read.
    this.#reading
      .then(() => this.#file.close())
      .then(
        () => done(error),
        (failed) => done(error ?? failed),
      );
  }
}

async function* chunksOf(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) {
    yield* new FileStream(await open(path, 'r'), 0, Number.MAX_SAFE_INTEGER - 1);
  }
}

interface Folders {
  ensure(folder: string): Promise<void>;
  sync(folder: string): Promise<void>;
}

/** Fan-out folders, made when first needed. Writers that wait for the same folder share one sync, begun after the last of them renamed. */
function createFolders(dir: string, durable: boolean): Folders {
  const made = new Map<string, Promise<void>>();
  const syncs = new Map<string, { running: Promise<void>; next?: Promise<void> }>();
  const make = async (folder: string) => {
    await mkdir(join(dir, folder), { recursive: true });
    if (durable) await syncDirectory(dir);
  };
  const begin = (folder: string): Promise<void> => {
    const running = syncDirectory(join(dir, folder)).finally(() => {
      const state = syncs.get(folder);
      if (state && !state.next) syncs.delete(folder);
    });
    syncs.set(folder, { running });
    return running;
  };
  return {
    ensure(folder) {
      let promise = made.get(folder);
      if (!promise) {
        promise = make(folder);
        made.set(folder, promise);
        // A folder that could not be made is tried again by the next writer.
        promise.catch(() => made.delete(folder));
      }
      return promise;
    },
    sync(folder) {
      const state = syncs.get(folder);
      if (!state) return begin(folder);
      state.next ??= state.running.then(
        () => begin(folder),
        () => begin(folder),
      );
      return state.next;
    },
  };
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sweep(dir: string, beforeMs: number, isReferenced: (id: BlobId) => Promise<boolean>): Promise<number> {
  let deleted = 0;
  const sweepOne = async (path: string, id: BlobId) => {
    const info = await stat(path).catch(ignoreMissing);
    if (!info || info.mtimeMs > beforeMs || (await isReferenced(id))) return;
    await rm(path, { force: true });
    deleted++;
  };
  for (const folder of await readdir(dir)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    const ids = (await readdir(join(dir, folder))).filter((name) => ID.test(name));
    for (let i = 0; i < ids.length; i += SWEEP_BATCH) {
      await Promise.all(ids.slice(i, i + SWEEP_BATCH).map((id) => sweepOne(join(dir, folder, id), id)));
    }
  }
  return deleted;
}

/** A file deleted meanwhile needs no sweeping. */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
