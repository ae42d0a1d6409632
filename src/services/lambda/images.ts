import { request } from 'node:http';
import type { Readable } from 'node:stream';
import type { ImageProgram } from '../../compute/images/program.ts';
import type { Layer } from '../../compute/images/unpack.ts';
import type { CodePackage } from '../../compute/types.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Platform } from '../service.ts';
import { invalidParameter } from './errors.ts';
import type { CodeRow, ImageRow, VersionRow } from './store.ts';

/** Functions that are container images: "Create a Lambda function using a container image". */

const notValid = (uri: string) => invalidParameter(`Source image ${uri} is not valid. Provide a valid source image.`);
const notThere = (uri: string) => invalidParameter(`Source image ${uri} does not exist. Provide a valid source image.`);
const notSupported = (uri: string) => invalidParameter(`The image manifest, config or layer media type for the source image ${uri} is not supported.`);

const LAYER_TYPES = /^application\/vnd\.(docker\.image\.rootfs\.diff|oci\.image\.layer\.v1)\.tar(\.gzip|\+gzip|\+zstd)?$/;
const CONFIG_BYTES_MAX = 1024 * 1024;

interface Source {
  readonly uri: string;
  readonly registryId: string | undefined;
  readonly repositoryName: string;
  /** All before the tag or digest. */
  readonly base: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** `{host}/{repository}[:tag][@digest]`; the host may be ECR's own name, or this Croft's. */
function readUri(ctx: Ctx, uri: string): Source {
  const match = /^(?:([^/]*[.:][^/]*|localhost)\/)([a-z0-9._/-]+)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(uri);
  const [, host = '', repositoryName = '', tag, digest] = match ?? [];
  const registry = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\./.exec(host);
  if (!match || (tag === undefined && digest === undefined) || (registry && registry[2] !== ctx.region)) throw notValid(uri);
  return { uri, registryId: registry?.[1], repositoryName, base: `${host}/${repositoryName}`, tag, digest };
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** The manifest of an image in the registry. Lists of images for several platforms are refused, as AWS refuses them. */
async function manifestOf(ctx: Ctx, source: Source): Promise<Manifest & { readonly digest: string }> {
  const { registryId, repositoryName, tag, digest } = source;
  const id = digest === undefined ? { imageTag: tag } : { imageDigest: digest };
  let found: { images?: readonly { imageId: { imageDigest: string }; imageManifest: string }[] };
  try {
    found = await ctx.call('ecr', 'BatchGetImage', { ...(registryId ? { registryId } : {}), repositoryName, imageIds: [id] });
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) throw notThere(source.uri);
    throw error;
  }
  const [image] = found.images ?? [];
  if (!image) throw notThere(source.uri);
  const manifest = JSON.parse(image.imageManifest) as Partial<Manifest>;
  if (!manifest.config || !Array.isArray(manifest.layers) || manifest.layers.some(({ mediaType }) => !LAYER_TYPES.test(mediaType)))
    throw notSupported(source.uri);
  return { config: manifest.config, layers: manifest.layers, digest: image.imageId.imageDigest };
}

/** What the image says of itself; "OCI Image Configuration". */
interface ImageConfiguration {
  readonly config?: {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
  };
}

/** The image, with all of its layers as one body of the function's own: what becomes of the repository does not matter any more. */
export async function keepImage(ctx: Ctx, uri: string): Promise<{ code: CodeRow; image: ImageRow }> {
  const source = readUri(ctx, uri);
  const manifest = await manifestOf(ctx, source);
  const download = await downloads(ctx, source);
  const config = await configurationOf(await download(manifest.config.digest), uri);
  const layers: ImageRow['layers'][number][] = [];
  const sizes: number[] = [];
  const blob = await ctx.platform.blobs.write(
    (async function* () {
      for (const { digest } of manifest.layers) {
        let size = 0;
        for await (const chunk of await download(digest)) {
          size += (chunk as Uint8Array).length;
          yield chunk as Uint8Array;
        }
        sizes.push(size);
      }
    })(),
  );
  let start = 0;
  manifest.layers.forEach(({ digest, mediaType }, at) => {
    const size = sizes[at] ?? 0;
    layers.push({ digest, mediaType, start, size });
    start += size;
  });
  const { Entrypoint, Cmd, Env, WorkingDir } = config.config ?? {};
  return {
    code: { blobId: blob.id, size: blob.size, sha256: manifest.digest.slice('sha256:'.length) },
    image: {
      uri,
      resolvedUri: `${source.base}@${manifest.digest}`,
      layers,
      entryPoint: Entrypoint ?? [],
      command: Cmd ?? [],
      workingDirectory: WorkingDir ?? '',
      variables: Object.fromEntries((Env ?? []).map((one) => splitOnce(one))),
    },
  };
}

const splitOnce = (text: string): [name: string, value: string] => {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

async function configurationOf(body: Readable, uri: string): Promise<ImageConfiguration> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Uint8Array).length;
    if (size > CONFIG_BYTES_MAX) throw notSupported(uri);
    chunks.push(chunk as Uint8Array);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as ImageConfiguration;
  } catch {
    throw notSupported(uri);
  }
}

/** Reads a layer from the registry: by its own protocol and this process's own port, as every client does. */
async function downloads(ctx: Ctx, { registryId, repositoryName, uri }: Source): Promise<(digest: string) => Promise<Readable>> {
  const { authorizationData = [] } = (await ctx.call('ecr', 'GetAuthorizationToken', {})) as { authorizationData?: { authorizationToken: string }[] };
  const host = `${registryId ?? ctx.account}.dkr.ecr.${ctx.region}.localhost.localstack.cloud`;
  const headers = { host, authorization: `Basic ${authorizationData[0]?.authorizationToken ?? ''}` };
  const { port } = ctx.platform.address();
  return (digest) =>
    new Promise((resolve, reject) => {
      // Plain HTTP, which the port speaks beside TLS.
      const call = request({ host: '127.0.0.1', port, path: `/v2/${repositoryName}/blobs/${digest}`, headers }, (answer) => {
        if (answer.statusCode === 200) resolve(answer);
        else {
          answer.resume();
          reject(notThere(uri));
        }
      });
      call.on('error', reject);
      call.end();
    });
}

/** What compute unpacks of an image. */
export function imagePackage(platform: Platform, code: CodeRow, image: ImageRow): CodePackage {
  const layers = image.layers.map(
    ({ digest, mediaType, start, size }): Layer => ({
      digest,
      mediaType,
      read: () => platform.blobs.read(code.blobId, { start, end: start + size - 1 }),
    }),
  );
  return { sha256: code.sha256, layers, read: () => Promise.reject(new Error('an image is no zip')) };
}

/** What runs of an image: its own program, or what the function's `ImageConfig` says instead. */
export function programOf(row: VersionRow): ImageProgram | undefined {
  const { image, imageConfig } = row;
  if (!image) return undefined;
  return {
    args: [...(imageConfig?.EntryPoint ?? image.entryPoint), ...(imageConfig?.Command ?? image.command)],
    workingDirectory: imageConfig?.WorkingDirectory || image.workingDirectory || '/',
    variables: image.variables,
  };
}
