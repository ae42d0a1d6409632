import type * as Ecr from '@aws-sdk/client-ecr';
import type { Operation } from '../../service.ts';
import { DIGEST, registryHost } from '../domain/names.ts';
import { invalidPart, layerInaccessible, partTooSmall } from '../errors.ts';
import { addPiece, beginUpload, completeUpload, findLayer } from '../layers.ts';
import { PART_BYTES_MAX, PART_BYTES_MIN } from '../limits.ts';
import { openRepository } from './repositories.ts';

/** "InitiateLayerUpload". */
export const initiateLayerUpload: Operation<Ecr.InitiateLayerUploadRequest, Ecr.InitiateLayerUploadResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  return { uploadId: await beginUpload(ctx, place, name), partSize: PART_BYTES_MAX };
};

/** "UploadLayerPart". */
export const uploadLayerPart: Operation<Ecr.UploadLayerPartRequest, Ecr.UploadLayerPartResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const { partFirstByte = 0, partLastByte = 0, layerPartBlob = new Uint8Array(), uploadId = '' } = input;
  const wrong = layerPartBlob.length !== partLastByte - partFirstByte + 1 || layerPartBlob.length > PART_BYTES_MAX;
  const upload = await addPiece(ctx, place, name, uploadId, one(layerPartBlob), (row) => {
    if (wrong || partFirstByte !== row.size) throw invalidPart(row.size - 1, place.account, name, uploadId);
    // What came before was not the last one, so it had to be large enough.
    if (row.size % PART_BYTES_MAX !== 0 && row.size < PART_BYTES_MIN) throw partTooSmall();
  });
  return { registryId: place.account, repositoryName: name, uploadId, lastByteReceived: upload.size - 1 };
};

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

/** "CompleteLayerUpload". */
export const completeLayerUpload: Operation<Ecr.CompleteLayerUploadRequest, Ecr.CompleteLayerUploadResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const uploadId = input.uploadId ?? '';
  const { digest } = await completeUpload(ctx, place, name, uploadId, input.layerDigests ?? []);
  return { registryId: place.account, repositoryName: name, uploadId, layerDigest: digest };
};

/** "BatchCheckLayerAvailability". */
export const batchCheckLayerAvailability: Operation<Ecr.BatchCheckLayerAvailabilityRequest, Ecr.BatchCheckLayerAvailabilityResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const layers: Ecr.Layer[] = [];
  const failures: Ecr.LayerFailure[] = [];
  for (const layerDigest of input.layerDigests ?? []) {
    if (!DIGEST.test(layerDigest)) {
      failures.push({ layerDigest, failureCode: 'InvalidLayerDigest', failureReason: `Layer digest '${layerDigest}' is invalid` });
      continue;
    }
    const row = await findLayer(ctx, place, name, layerDigest);
    layers.push(
      row
        ? { layerDigest, layerAvailability: 'AVAILABLE', layerSize: row.size, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }
        : { layerDigest, layerAvailability: 'UNAVAILABLE' },
    );
  }
  return { layers, failures };
};

/** "GetDownloadUrlForLayer": the registry protocol's own address. */
export const getDownloadUrlForLayer: Operation<Ecr.GetDownloadUrlForLayerRequest, Ecr.GetDownloadUrlForLayerResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const layerDigest = input.layerDigest ?? '';
  if (!(await findLayer(ctx, place, name, layerDigest))) throw layerInaccessible(layerDigest, name, place.account);
  const { scheme } = ctx.platform.address();
  return { downloadUrl: `${scheme}://${registryHost(ctx.platform, place)}/v2/${name}/blobs/${layerDigest}`, layerDigest };
};
