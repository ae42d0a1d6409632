import type * as Ecr from '@aws-sdk/client-ecr';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { INDEX_TYPES } from '../domain/manifest.ts';
import { DIGEST, type Place } from '../domain/names.ts';
import { imageNotFound } from '../errors.ts';
import { findImage, openImage, pushImage, removeImage } from '../images.ts';
import { type ImageRow, keys } from '../store.ts';
import { openRepository, pageOf } from './repositories.ts';

const nameOf = (id: Ecr.ImageIdentifier) => ({ digest: id.imageDigest, tag: id.imageTag });

/** "PutImage". */
export const putImage: Operation<Ecr.PutImageRequest, Ecr.PutImageResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const row = await pushImage(ctx, place, name, {
    text: input.imageManifest ?? '',
    mediaType: input.imageManifestMediaType,
    tag: input.imageTag,
    digest: input.imageDigest,
    again: false,
  });
  return { image: imageOf(place, name, row, input.imageTag) };
};

function imageOf(place: Place, name: string, row: ImageRow, tag: string | undefined): Ecr.Image {
  return {
    registryId: place.account,
    repositoryName: name,
    imageId: { imageDigest: row.digest, ...(tag === undefined ? {} : { imageTag: tag }) },
    imageManifest: row.manifest,
    imageManifestMediaType: row.mediaType,
  };
}

function failure(id: Ecr.ImageIdentifier): Ecr.ImageFailure {
  if (id.imageDigest === undefined && id.imageTag === undefined) {
    return { imageId: {}, failureCode: 'MissingDigestAndTag', failureReason: 'Invalid request parameters: both tag and digest cannot be null' };
  }
  if (id.imageDigest !== undefined && !DIGEST.test(id.imageDigest)) {
    return {
      imageId: id,
      failureCode: 'InvalidImageDigest',
      failureReason: "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    };
  }
  return { imageId: id, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' };
}

/** "BatchGetImage". */
export const batchGetImage: Operation<Ecr.BatchGetImageRequest, Ecr.BatchGetImageResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const images: Ecr.Image[] = [];
  const failures: Ecr.ImageFailure[] = [];
  for (const id of input.imageIds ?? []) {
    const row = await findImage(ctx, place, name, nameOf(id));
    if (row) images.push(imageOf(place, name, row, id.imageTag));
    else failures.push(failure(id));
  }
  return { images, failures };
};

/** "BatchDeleteImage". */
export const batchDeleteImage: Operation<Ecr.BatchDeleteImageRequest, Ecr.BatchDeleteImageResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const imageIds: Ecr.ImageIdentifier[] = [];
  const failures: Ecr.ImageFailure[] = [];
  for (const id of input.imageIds ?? []) {
    const holder = await holderOf(ctx, place, name, id);
    if (holder !== undefined) {
      failures.push({ imageId: id, failureCode: 'ImageReferencedByManifestList', failureReason: `Requested image referenced by manifest list: [${holder}]` });
      continue;
    }
    const known = await findImage(ctx, place, name, nameOf(id));
    const tagKeys = (known?.tags ?? []).map((tag) => keys.tag(place, name, tag));
    const gone =
      known &&
      (await ctx.platform.store.transact({ keys: [keys.image(place, name, known.digest), ...tagKeys] }, (tx) => removeImage(tx, place, name, nameOf(id))));
    if (gone) for (const tag of gone.tags) imageIds.push({ imageDigest: gone.digest, ...(tag === undefined ? {} : { imageTag: tag }) });
    else failures.push(failure(id));
  }
  return { imageIds, failures };
};

/** The index that lists an image which would go as a whole; undefined where none does. */
async function holderOf(ctx: Ctx, place: Place, name: string, id: Ecr.ImageIdentifier): Promise<string | undefined> {
  if (id.imageDigest === undefined || id.imageTag !== undefined) return undefined;
  const indexes = await pageOf<ImageRow>(ctx, keys.images(place, name), { maxResults: Number.MAX_SAFE_INTEGER }, (row) => INDEX_TYPES.has(row.mediaType));
  return indexes.rows.find(({ manifest }) => manifest.includes(`"${id.imageDigest}"`))?.digest;
}

/** "ListImages". */
export const listImages: Operation<Ecr.ListImagesRequest, Ecr.ListImagesResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const status = input.filter?.tagStatus ?? 'ANY';
  const found = await pageOf<ImageRow>(ctx, keys.images(place, name), input, statusFilter(status));
  const imageIds = found.rows.flatMap(({ digest, tags }): Ecr.ImageIdentifier[] =>
    tags.length === 0 ? [{ imageDigest: digest }] : tags.map((imageTag) => ({ imageDigest: digest, imageTag })),
  );
  return { imageIds, ...found.next };
};

const statusFilter =
  (status: string) =>
  ({ tags }: ImageRow): boolean =>
    status === 'ANY' || (status === 'TAGGED') === tags.length > 0;

/** "DescribeImages". */
export const describeImages: Operation<Ecr.DescribeImagesRequest, Ecr.DescribeImagesResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const describe = (row: ImageRow): Ecr.ImageDetail => ({
    registryId: place.account,
    repositoryName: name,
    imageDigest: row.digest,
    ...(row.tags.length > 0 ? { imageTags: [...row.tags] } : {}),
    imageSizeInBytes: row.size,
    imagePushedAt: new Date(row.pushedMs),
    imageManifestMediaType: row.mediaType,
    ...(row.artifactMediaType ? { artifactMediaType: row.artifactMediaType } : {}),
  });
  if (input.imageIds && input.imageIds.length > 0) {
    const rows: ImageRow[] = [];
    for (const id of input.imageIds) {
      const row = await openImage(ctx, place, name, nameOf(id));
      if (!rows.some(({ digest }) => digest === row.digest)) rows.push(row);
    }
    return { imageDetails: rows.map(describe) };
  }
  const found = await pageOf<ImageRow>(ctx, keys.images(place, name), input, statusFilter(input.filter?.tagStatus ?? 'ANY'));
  return { imageDetails: found.rows.map(describe), ...found.next };
};

/** "DescribeImageScanFindings": nothing is scanned, which AWS says of an image that was not. */
export const describeImageScanFindings: Operation<Ecr.DescribeImageScanFindingsRequest, Ecr.DescribeImageScanFindingsResponse> = async (ctx, input) => {
  const { place, name } = await openRepository(ctx, input);
  const id = input.imageId ?? {};
  if (!(await findImage(ctx, place, name, nameOf(id)))) throw imageNotFound(id.imageDigest, id.imageTag, name, place.account);
  throw new AwsError(
    'ScanNotFoundException',
    `Image scan does not exist for the image with '{imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'}' in the repository with name '${name}' in the registry with id '${place.account}'`,
  );
};
