import type * as Ecr from '@aws-sdk/client-ecr';
import type { Ctx, Operation } from '../../service.ts';
import { isRepositoryName, nameInArn, type Place, placeOf, registryHost, repositoryArn } from '../domain/names.ts';
import { invalidParameter, repositoryExists, repositoryNotEmpty, repositoryNotFound, tooManyTags } from '../errors.ts';
import { PAGE_DEFAULT, TAGS_MAX } from '../limits.ts';
import { keys, type LayerRow, load, type RepositoryRow, rangeOf, read, rowsOf, type UploadRow, write } from '../store.ts';

/** The repository that a request names. Throws RepositoryNotFoundException. */
export async function openRepository(ctx: Ctx, input: { registryId?: string | undefined; repositoryName: string | undefined }) {
  const place = placeOf(ctx, input.registryId);
  const name = input.repositoryName ?? '';
  const row = await load<RepositoryRow>(ctx.platform.store, keys.repository(place, name));
  if (!row) throw repositoryNotFound(name, place.account);
  return { place, name, row };
}

/** Reads, changes and writes back a repository's row. Throws RepositoryNotFoundException. */
export async function changeRepository(ctx: Ctx, place: Place, name: string, change: (row: RepositoryRow) => RepositoryRow): Promise<RepositoryRow> {
  const key = keys.repository(place, name);
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<RepositoryRow>(tx, key);
    if (!row) throw repositoryNotFound(name, place.account);
    const next = change(row);
    write(tx, key, next);
    return next;
  });
}

function describe(ctx: Ctx, place: Place, row: RepositoryRow): Ecr.Repository {
  return {
    repositoryArn: repositoryArn(place, row.name),
    registryId: place.account,
    repositoryName: row.name,
    repositoryUri: `${registryHost(ctx.platform, place)}/${row.name}`,
    createdAt: new Date(row.createdMs),
    imageTagMutability: row.mutability as Ecr.ImageTagMutability,
    ...(row.mutabilityExclusions ? { imageTagMutabilityExclusionFilters: row.mutabilityExclusions as Ecr.ImageTagMutabilityExclusionFilter[] } : {}),
    imageScanningConfiguration: { scanOnPush: row.scanOnPush },
    encryptionConfiguration: row.encryption as Ecr.EncryptionConfiguration,
  };
}

function tagsOf(given: readonly Ecr.Tag[] | undefined, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const tags: Record<string, string> = { ...before };
  for (const { Key: key = '', Value: value = '' } of given ?? []) {
    if (/^aws:/i.test(key)) throw invalidParameter("Invalid parameter at 'tags' failed to satisfy constraint: 'Tag keys must not begin with aws:'");
    tags[key] = value;
  }
  if (Object.keys(tags).length > TAGS_MAX) throw tooManyTags();
  return tags;
}

/** "CreateRepository". */
export const createRepository: Operation<Ecr.CreateRepositoryRequest, Ecr.CreateRepositoryResponse> = async (ctx, input) => {
  const place = placeOf(ctx, input.registryId);
  const name = input.repositoryName ?? '';
  if (!isRepositoryName(name)) {
    throw invalidParameter(
      "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''",
    );
  }
  const row: RepositoryRow = {
    name,
    createdMs: ctx.platform.clock.virtual(),
    mutability: input.imageTagMutability ?? 'MUTABLE',
    ...(input.imageTagMutabilityExclusionFilters ? { mutabilityExclusions: input.imageTagMutabilityExclusionFilters } : {}),
    scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
    encryption: {
      encryptionType: input.encryptionConfiguration?.encryptionType ?? 'AES256',
      ...(input.encryptionConfiguration?.kmsKey ? { kmsKey: input.encryptionConfiguration.kmsKey } : {}),
    },
    tags: tagsOf(input.tags),
  };
  const key = keys.repository(place, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (tx.get(key)) throw repositoryExists(name, place.account);
    write(tx, key, row);
  });
  return { repository: describe(ctx, place, row) };
};

/** "DescribeRepositories". */
export const describeRepositories: Operation<Ecr.DescribeRepositoriesRequest, Ecr.DescribeRepositoriesResponse> = async (ctx, input) => {
  const place = placeOf(ctx, input.registryId);
  if (input.repositoryNames && input.repositoryNames.length > 0) {
    if (input.maxResults !== undefined || input.nextToken !== undefined) {
      throw invalidParameter('Invalid parameter: maxResults and nextToken cannot be given together with repositoryNames');
    }
    const repositories: Ecr.Repository[] = [];
    for (const repositoryName of input.repositoryNames) {
      const { row } = await openRepository(ctx, { registryId: input.registryId, repositoryName });
      repositories.push(describe(ctx, place, row));
    }
    return { repositories };
  }
  const found = await pageOf<RepositoryRow>(ctx, keys.repositories(place), input);
  return { repositories: found.rows.map((row) => describe(ctx, place, row)), ...found.next };
};

/** One page of the rows below a prefix; a token is the last key of the page before. */
export async function pageOf<T>(
  ctx: Ctx,
  prefix: string,
  { nextToken, maxResults = PAGE_DEFAULT }: { nextToken?: string | undefined; maxResults?: number | undefined },
  wanted: (row: T) => boolean = () => true,
): Promise<{ rows: T[]; next: { nextToken?: string } }> {
  const after = nextToken === undefined ? undefined : Buffer.from(nextToken, 'base64url').toString('latin1');
  if (after !== undefined && !after.startsWith(prefix))
    throw invalidParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  const rows: T[] = [];
  let last = '';
  for await (const [key, row] of rowsOf<T>(ctx.platform.store, prefix, after)) {
    if (!wanted(row)) continue;
    if (rows.length === maxResults) return { rows, next: { nextToken: Buffer.from(last, 'latin1').toString('base64url') } };
    rows.push(row);
    last = key;
  }
  return { rows, next: {} };
}

/** "DeleteRepository". Images in it go only with `force`. */
export const deleteRepository: Operation<Ecr.DeleteRepositoryRequest, Ecr.DeleteRepositoryResponse> = async (ctx, input) => {
  const { store, blobs } = ctx.platform;
  const { place, name } = await openRepository(ctx, input);
  const key = keys.repository(place, name);
  const ranges = [keys.images(place, name), keys.tags(place, name), keys.layers(place, name), keys.uploads(place, name)].map(rangeOf);
  const { row, bodies } = await store.transact({ keys: [key], ranges }, (tx) => {
    const found = read<RepositoryRow>(tx, key);
    if (!found) throw repositoryNotFound(name, place.account);
    if (!input.force && tx.range({ ...rangeOf(keys.images(place, name)), limit: 1 }).entries.length > 0) throw repositoryNotEmpty(name, place.account);
    const gone: string[] = [];
    for (const range of ranges) {
      for (const [one] of tx.range({ ...range, limit: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER }).entries) {
        const body = read<Partial<LayerRow & UploadRow>>(tx, one);
        if (body?.blobId) gone.push(body.blobId);
        gone.push(...(body?.blobs ?? []));
        tx.delete(one);
      }
    }
    tx.delete(key);
    return { row: found, bodies: gone };
  });
  for (const id of bodies) await blobs.delete(id);
  return { repository: describe(ctx, place, row) };
};

/** "PutImageTagMutability". */
export const putImageTagMutability: Operation<Ecr.PutImageTagMutabilityRequest, Ecr.PutImageTagMutabilityResponse> = async (ctx, input) => {
  const place = placeOf(ctx, input.registryId);
  const name = input.repositoryName ?? '';
  const exclusions = input.imageTagMutabilityExclusionFilters;
  const row = await changeRepository(ctx, place, name, ({ mutabilityExclusions: _before, ...rest }) => ({
    ...rest,
    mutability: input.imageTagMutability ?? rest.mutability,
    ...(exclusions ? { mutabilityExclusions: exclusions } : {}),
  }));
  return {
    registryId: place.account,
    repositoryName: name,
    imageTagMutability: row.mutability as Ecr.ImageTagMutability,
    ...(exclusions ? { imageTagMutabilityExclusionFilters: exclusions } : {}),
  };
};

/** "PutImageScanningConfiguration": recorded, nothing is scanned. */
export const putImageScanningConfiguration: Operation<Ecr.PutImageScanningConfigurationRequest, Ecr.PutImageScanningConfigurationResponse> = async (
  ctx,
  input,
) => {
  const place = placeOf(ctx, input.registryId);
  const name = input.repositoryName ?? '';
  const scanOnPush = input.imageScanningConfiguration?.scanOnPush ?? false;
  await changeRepository(ctx, place, name, (row) => ({ ...row, scanOnPush }));
  return { registryId: place.account, repositoryName: name, imageScanningConfiguration: { scanOnPush } };
};

/** "TagResource". */
export const tagResource: Operation<Ecr.TagResourceRequest, Ecr.TagResourceResponse> = async (ctx, input) => {
  const { place, name } = nameInArn(ctx, input.resourceArn);
  await changeRepository(ctx, place, name, (row) => ({ ...row, tags: tagsOf(input.tags, row.tags) }));
  return {};
};

/** "UntagResource". */
export const untagResource: Operation<Ecr.UntagResourceRequest, Ecr.UntagResourceResponse> = async (ctx, input) => {
  const { place, name } = nameInArn(ctx, input.resourceArn);
  const gone = new Set(input.tagKeys);
  await changeRepository(ctx, place, name, (row) => ({ ...row, tags: Object.fromEntries(Object.entries(row.tags).filter(([key]) => !gone.has(key))) }));
  return {};
};

/** "ListTagsForResource". */
export const listTagsForResource: Operation<Ecr.ListTagsForResourceRequest, Ecr.ListTagsForResourceResponse> = async (ctx, input) => {
  const { place, name } = nameInArn(ctx, input.resourceArn);
  const { row } = await openRepository(ctx, { registryId: place.account, repositoryName: name });
  return { tags: Object.entries(row.tags).map(([Key, Value]) => ({ Key, Value })) };
};
