import { createHash } from 'node:crypto';
import { request } from 'node:http';
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  GetLifecyclePolicyCommand,
  InitiateLayerUploadCommand,
  ListImagesCommand,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutLifecyclePolicyCommand,
  StartImageScanCommand,
  TagResourceCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const LIFECYCLE = JSON.stringify({
  rules: [{ rulePriority: 1, selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 3 }, action: { type: 'expire' } }],
});

let croft: TestCroft;
let ecr: ECRClient;
beforeAll(async () => {
  croft = await startCroft({ store: 'sqlite' });
  ecr = new ECRClient(croft.sdk);
});
afterAll(async () => {
  ecr.destroy();
  await croft.stop();
});

/** The error of a call that has to fail. */
const failure = (work: Promise<unknown>): Promise<Error & { code?: string }> =>
  work.then(
    () => {
      throw new Error('expected a failure');
    },
    (error) => error as Error,
  );

const manifestOf = (config: Uint8Array, layers: readonly Uint8Array[]) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: DOCKER,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: digestOf(config) },
    layers: layers.map((layer) => ({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: layer.length, digest: digestOf(layer) })),
  });

/** The registry protocol, as a client of it speaks: host and paths, no signature. */
function client(host = `000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:${croft.port}`, port = croft.port) {
  const send = (method: string, path: string, body?: Uint8Array | string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }>((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers: { host, ...headers } }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return {
    send,
    async pushBlob(name: string, bytes: Uint8Array) {
      const begun = await send('POST', `/v2/${name}/blobs/uploads/`);
      const half = Math.floor(bytes.length / 2);
      const location = String(begun.headers['location']);
      await send('PATCH', location, bytes.subarray(0, half), { 'content-range': `0-${half - 1}` });
      return send('PUT', `${location}?digest=${digestOf(bytes)}`, bytes.subarray(half));
    },
  };
}

describe('repositories', () => {
  test('are created, described, tagged, and known by their errors', async () => {
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName: 'team/app', tags: [{ Key: 'a', Value: '1' }] }));
    expect(repository).toMatchObject({
      repositoryArn: 'arn:aws:ecr:us-east-1:000000000000:repository/team/app',
      registryId: '000000000000',
      repositoryUri: `000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:${croft.port}/team/app`,
      imageTagMutability: 'MUTABLE',
      encryptionConfiguration: { encryptionType: 'AES256' },
    });
    expect(repository?.createdAt).toBeInstanceOf(Date);
    expect(await failure(ecr.send(new CreateRepositoryCommand({ repositoryName: 'team/app' })))).toMatchObject({
      name: 'RepositoryAlreadyExistsException',
      message: "The repository with name 'team/app' already exists in the registry with id '000000000000'",
    });
    expect(await failure(ecr.send(new CreateRepositoryCommand({ repositoryName: 'Team App' })))).toMatchObject({ name: 'InvalidParameterException' });
    const resourceArn = repository?.repositoryArn ?? '';
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [{ Key: 'b', Value: '2' }] }));
    expect((await ecr.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ]);
    expect(await failure(ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['none'] })))).toMatchObject({ name: 'RepositoryNotFoundException' });
    const policy = await failure(ecr.send(new GetLifecyclePolicyCommand({ repositoryName: 'team/app' })));
    expect(policy.name).toBe('LifecyclePolicyNotFoundException');
    await ecr.send(new PutLifecyclePolicyCommand({ repositoryName: 'team/app', lifecyclePolicyText: LIFECYCLE }));
    expect((await ecr.send(new GetLifecyclePolicyCommand({ repositoryName: 'team/app' }))).lifecyclePolicyText).toBe(LIFECYCLE);
  });

  test('are listed page by page, each once', async () => {
    for (let i = 0; i < 5; i++) await ecr.send(new CreateRepositoryCommand({ repositoryName: `page/${i}` }));
    const names: string[] = [];
    for (let nextToken: string | undefined; ; ) {
      const page = await ecr.send(new DescribeRepositoriesCommand({ maxResults: 2, ...(nextToken ? { nextToken } : {}) }));
      names.push(...(page.repositories ?? []).map(({ repositoryName = '' }) => repositoryName));
      nextToken = page.nextToken;
      if (!nextToken) break;
    }
    expect(names.filter((name) => name.startsWith('page/'))).toEqual([0, 1, 2, 3, 4].map((i) => `page/${i}`));
    expect(new Set(names).size).toBe(names.length);
  });

  test('what is not built says so', async () => {
    const error = await failure(ecr.send(new StartImageScanCommand({ repositoryName: 'team/app', imageId: { imageTag: 'x' } })));
    expect(error).toMatchObject({ $metadata: { httpStatusCode: 501 } });
  });
});

describe('images', () => {
  const config = Buffer.from('{"architecture":"amd64"}');
  const layer = Buffer.alloc(100_000, 'layer');

  test('pushed by the registry protocol, seen by the API, and pulled again', async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'pushed' }));
    const { send, pushBlob } = client();
    expect(await send('GET', '/v2/')).toMatchObject({ status: 200 });
    const manifest = manifestOf(config, [layer]);
    const early = await send('PUT', '/v2/pushed/manifests/latest', manifest, { 'content-type': DOCKER });
    expect(early.status).toBe(404);
    expect(JSON.parse(early.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] });
    for (const blob of [config, layer]) expect(await pushBlob('pushed', blob)).toMatchObject({ status: 201 });
    expect((await send('HEAD', `/v2/pushed/blobs/${digestOf(layer)}`)).headers['content-length']).toBe('100000');
    const put = await send('PUT', '/v2/pushed/manifests/latest', manifest, { 'content-type': DOCKER });
    expect(put.status).toBe(201);
    expect(put.headers['docker-content-digest']).toBe(digestOf(manifest));

    const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: 'pushed' }));
    expect(imageDetails).toMatchObject([{ imageDigest: digestOf(manifest), imageTags: ['latest'], imageSizeInBytes: 100_000, imageManifestMediaType: DOCKER }]);
    const { images = [] } = await ecr.send(new BatchGetImageCommand({ repositoryName: 'pushed', imageIds: [{ imageTag: 'latest' }] }));
    expect(images[0]?.imageManifest).toBe(manifest);

    expect((await send('GET', '/v2/pushed/manifests/latest')).body.toString()).toBe(manifest);
    expect((await send('GET', `/v2/pushed/blobs/${digestOf(layer)}`)).body.equals(layer)).toBe(true);
    const ranged = await send('GET', `/v2/pushed/blobs/${digestOf(layer)}`, undefined, { range: 'bytes=10-19' });
    expect([ranged.status, ranged.body.length]).toEqual([206, 10]);
    expect(JSON.parse((await send('GET', '/v2/pushed/tags/list')).body.toString())).toEqual({ name: 'pushed', tags: ['latest'] });
    const plain = client(`localhost:${croft.port}`);
    expect((await plain.send('GET', '/v2/pushed/manifests/latest')).body.toString()).toBe(manifest);
  });

  test('refused by the registry protocol with its own errors', async () => {
    const { send } = client();
    const errorOf = async (method: string, path: string, body?: string) => {
      const { status, body: text } = await send(method, path, body);
      return [status, (JSON.parse(text.toString()) as { errors: { code: string }[] }).errors[0]?.code];
    };
    expect(await errorOf('GET', '/v2/none/manifests/latest')).toEqual([404, 'NAME_UNKNOWN']);
    expect(await errorOf('GET', '/v2/pushed/manifests/none')).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await errorOf('GET', `/v2/pushed/blobs/${digestOf('none')}`)).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await errorOf('PATCH', '/v2/pushed/blobs/uploads/none', 'x')).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    expect(await errorOf('PUT', '/v2/pushed/manifests/latest', 'no json')).toEqual([400, 'MANIFEST_INVALID']);
    const begun = String((await send('POST', '/v2/pushed/blobs/uploads/')).headers['location']);
    expect(await errorOf('PUT', `${begun}?digest=${digestOf('other')}`, 'this')).toEqual([400, 'DIGEST_INVALID']);
  });

  test('pushed by the API, in parts; the same again is refused there', async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'parts', imageTagMutability: 'IMMUTABLE' }));
    const push = async (bytes: Uint8Array) => {
      const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName: 'parts' }));
      const part = { repositoryName: 'parts', uploadId, partFirstByte: 0, partLastByte: bytes.length - 1, layerPartBlob: bytes };
      expect((await ecr.send(new UploadLayerPartCommand(part))).lastByteReceived).toBe(bytes.length - 1);
      expect(await failure(ecr.send(new UploadLayerPartCommand(part)))).toMatchObject({ name: 'InvalidLayerPartException' });
      return ecr.send(new CompleteLayerUploadCommand({ repositoryName: 'parts', uploadId, layerDigests: [digestOf(bytes)] }));
    };
    expect((await push(config)).layerDigest).toBe(digestOf(config));
    expect(await failure(push(config))).toMatchObject({ name: 'LayerAlreadyExistsException' });
    const put = (imageManifest: string, imageTag?: string) =>
      ecr.send(new PutImageCommand({ repositoryName: 'parts', imageManifest, ...(imageTag ? { imageTag } : {}) }));
    expect(await failure(put(manifestOf(config, [layer]), 'v1'))).toMatchObject({ name: 'LayersNotFoundException' });
    const first = manifestOf(config, []);
    expect((await put(first, 'v1')).image?.imageId).toEqual({ imageDigest: digestOf(first), imageTag: 'v1' });
    expect(await failure(put(first, 'v1'))).toMatchObject({ name: 'ImageAlreadyExistsException' });
    const second = `${first} `;
    expect(await failure(put(second, 'v1'))).toMatchObject({ name: 'ImageTagAlreadyExistsException' });
    await put(second, 'v2');
    expect((await ecr.send(new ListImagesCommand({ repositoryName: 'parts', filter: { tagStatus: 'TAGGED' } }))).imageIds).toHaveLength(2);
  });

  test('a tag moves, and the last tag takes its image along', async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'tags' }));
    const { pushBlob } = client();
    await pushBlob('tags', config);
    const manifests = [manifestOf(config, []), `${manifestOf(config, [])} `];
    for (const imageManifest of manifests) await ecr.send(new PutImageCommand({ repositoryName: 'tags', imageManifest, imageTag: 'latest' }));
    const untagged = await ecr.send(new ListImagesCommand({ repositoryName: 'tags', filter: { tagStatus: 'UNTAGGED' } }));
    expect(untagged.imageIds).toEqual([{ imageDigest: digestOf(manifests[0] ?? '') }]);
    const gone = await ecr.send(new BatchDeleteImageCommand({ repositoryName: 'tags', imageIds: [{ imageTag: 'latest' }, { imageTag: 'none' }, {}] }));
    expect(gone.imageIds).toEqual([{ imageDigest: digestOf(manifests[1] ?? ''), imageTag: 'latest' }]);
    expect(gone.failures?.map(({ failureCode }) => failureCode)).toEqual(['ImageNotFound', 'MissingDigestAndTag']);
    expect(await failure(ecr.send(new DeleteRepositoryCommand({ repositoryName: 'tags' })))).toMatchObject({ name: 'RepositoryNotEmptyException' });
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: 'tags', force: true }));
    expect(await failure(ecr.send(new ListImagesCommand({ repositoryName: 'tags' })))).toMatchObject({ name: 'RepositoryNotFoundException' });
  });
});

test('with signatures checked, the registry wants the token that signed callers get', async () => {
  const verifying = await startCroft({ auth: 'verify', rootAccessKeyId: 'AKIAROOTROOTROOTROOT', rootSecretAccessKey: 'secret' });
  try {
    const signed = new ECRClient({ ...verifying.sdk, credentials: { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'secret' } });
    const { authorizationData = [] } = await signed.send(new GetAuthorizationTokenCommand({}));
    const { authorizationToken = '', proxyEndpoint = '', expiresAt } = authorizationData[0] ?? {};
    expect(expiresAt?.getTime()).toBeGreaterThan(Date.now() + 11 * 3_600_000);
    const { send } = client(new URL(proxyEndpoint).host, verifying.port);
    const refused = await send('GET', '/v2/');
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Basic realm=')]);
    expect((await send('GET', '/v2/', undefined, { authorization: `Basic ${authorizationToken}` })).status).toBe(200);
    const forged = Buffer.from('AWS:000000000000.9999999999999.00').toString('base64');
    expect((await send('GET', '/v2/', undefined, { authorization: `Basic ${forged}` })).status).toBe(401);
    signed.destroy();
  } finally {
    await verifying.stop();
  }
});
