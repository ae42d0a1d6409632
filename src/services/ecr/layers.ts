import { createHash } from 'node:crypto';
import type { Ctx } from '../service.ts';
import type { Place } from './domain/names.ts';
import { emptyUpload, invalidLayer, layerExists, repositoryNotFound, uploadNotFound } from './errors.ts';
import { LAYER_BYTES_MAX } from './limits.ts';
import { keys, type LayerRow, load, read, type UploadRow, write } from './store.ts';

/** Layers arrive in pieces, by the API or by the registry protocol; both keep them here. */

export async function beginUpload(ctx: Ctx, place: Place, name: string): Promise<string> {
  const { store, clock, ids } = ctx.platform;
  const row: UploadRow = { id: ids.uuid(), startedMs: clock.virtual(), blobs: [], size: 0 };
  const repository = keys.repository(place, name);
  await store.transact({ keys: [keys.upload(place, name, row.id)], reads: [repository] }, (tx) => {
    if (!tx.get(repository)) throw repositoryNotFound(name, place.account);
    write(tx, keys.upload(place, name, row.id), row);
  });
  return row.id;
}

/** Throws UploadNotFoundException. */
export async function openUpload(ctx: Ctx, place: Place, name: string, id: string): Promise<UploadRow> {
  const row = await load<UploadRow>(ctx.platform.store, keys.upload(place, name, id));
  if (!row) throw uploadNotFound(id, name, place.account);
  return row;
}

/** Writes a piece behind what is there; `from` is where it must begin. Returns the upload as it is then. */
export async function addPiece(
  ctx: Ctx,
  place: Place,
  name: string,
  id: string,
  source: AsyncIterable<Uint8Array>,
  from: (upload: UploadRow) => void = () => {},
): Promise<UploadRow> {
  from(await openUpload(ctx, place, name, id));
  const { store, blobs } = ctx.platform;
  const blob = await blobs.write(source);
  const key = keys.upload(place, name, id);
  try {
    return await store.transact({ keys: [key] }, (tx) => {
      const row = read<UploadRow>(tx, key);
      if (!row) throw uploadNotFound(id, name, place.account);
      from(row);
      const next = blob.size === 0 ? row : { ...row, blobs: [...row.blobs, blob.id], size: row.size + blob.size };
      if (next.size > LAYER_BYTES_MAX) throw invalidLayer(`A layer is at most ${LAYER_BYTES_MAX} bytes`);
      ctx.meter('BytesIn', blob.size);
      write(tx, key, next);
      return next;
    });
  } catch (error) {
    await blobs.delete(blob.id);
    throw error;
  }
}

/** Joins the pieces and compares their digest. Throws InvalidLayerException, EmptyUploadException, LayerAlreadyExistsException. */
export async function completeUpload(ctx: Ctx, place: Place, name: string, id: string, digests: readonly string[]): Promise<LayerRow & { digest: string }> {
  const { store, blobs } = ctx.platform;
  const upload = await openUpload(ctx, place, name, id);
  if (upload.blobs.length === 0 && !digests.includes(EMPTY_DIGEST)) throw emptyUpload(id);
  const digest = await digestOfBlobs(ctx, upload.blobs);
  if (!digests.includes(digest)) throw invalidLayer(`Layer digest '${digests.join(', ')}' does not match the uploaded layer, whose digest is '${digest}'`);
  const whole = upload.blobs.length === 1 ? { id: upload.blobs[0] ?? '', size: upload.size } : await blobs.concat(upload.blobs);
  const layerKey = keys.layer(place, name, digest);
  const uploadKey = keys.upload(place, name, id);
  const repository = keys.repository(place, name);
  const row: LayerRow = { blobId: whole.id, size: whole.size };
  const known = await store.transact({ keys: [layerKey, uploadKey], reads: [repository] }, (tx) => {
    if (!tx.get(repository)) throw repositoryNotFound(name, place.account);
    if (!tx.get(uploadKey)) throw uploadNotFound(id, name, place.account);
    tx.delete(uploadKey);
    const before = tx.get(layerKey);
    if (!before) write(tx, layerKey, row);
    return before !== undefined;
  });
  const unused = known ? [...new Set([...upload.blobs, whole.id])] : upload.blobs.filter((one) => one !== whole.id);
  for (const one of unused) await blobs.delete(one);
  if (known) throw layerExists(digest, name, place.account);
  return { ...row, digest };
}

const EMPTY_DIGEST = `sha256:${createHash('sha256').digest('hex')}`;

async function digestOfBlobs(ctx: Ctx, ids: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const id of ids) for await (const chunk of await ctx.platform.blobs.read(id)) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}

/** A layer or configuration of a repository; undefined where there is none. */
export const findLayer = (ctx: Ctx, place: Place, name: string, digest: string): Promise<LayerRow | undefined> =>
  load<LayerRow>(ctx.platform.store, keys.layer(place, name, digest));

/** Drops an upload and its pieces. Throws UploadNotFoundException. */
export async function cancelUpload(ctx: Ctx, place: Place, name: string, id: string): Promise<void> {
  const key = keys.upload(place, name, id);
  const { store, blobs } = ctx.platform;
  const pieces = await store.transact({ keys: [key] }, (tx) => {
    const row = read<UploadRow>(tx, key);
    if (!row) throw uploadNotFound(id, name, place.account);
    tx.delete(key);
    return row.blobs;
  });
  for (const piece of pieces) await blobs.delete(piece);
}
