import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { CliError } from '../output.ts';

/** A file of an image, as the registry is to have it. */
export interface ImageFile {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

/** An image on this machine: its manifest, and the files that it names. */
export interface LocalImage {
  readonly manifest: string;
  readonly mediaType: string;
  readonly files: readonly ImageFile[];
  /** Removes what was unpacked. */
  dispose(): Promise<void>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture?: string; readonly os?: string };
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const OCI = 'application/vnd.oci.image.manifest.v1+json';

/**
 * Reads an OCI layout (a folder with `index.json`) or an archive of one, or what `docker save` writes. Of an image for several
 * platforms it takes the one of this machine, because Lambda runs an image of one platform.
 */
export async function openImage(path: string): Promise<LocalImage> {
  if (!existsSync(path)) throw new CliError(`there is no ${path}`, 2);
  if (statSync(path).isDirectory()) return { ...(await readImage(path)), dispose: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'croft-image-'));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    await unpack(path, folder);
    return { ...(await readImage(folder)), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Only plain files, by names that stay below the folder: that is all such an archive has. */
async function unpack(file: string, folder: string): Promise<void> {
  const archive = extract();
  const reading = (async () => {
    for await (const entry of archive) {
      const { name, type } = entry.header;
      const parts = name.split('/').filter((part) => part !== '' && part !== '.');
      if (type === 'file' && parts.length > 0 && !parts.includes('..')) {
        const to = join(folder, ...parts);
        mkdirSync(dirname(to), { recursive: true });
        await pipeline(entry, createWriteStream(to));
      } else entry.resume();
    }
  })();
  const source = createReadStream(file);
  try {
    await Promise.all([reading, (await isGzip(file)) ? pipeline(source, createGunzip(), archive) : pipeline(source, archive)]);
  } catch (error) {
    throw new CliError(`${file} is no archive of an image: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function isGzip(file: string): Promise<boolean> {
  for await (const chunk of createReadStream(file, { end: 1 })) return (chunk as Buffer).equals(Buffer.from([0x1f, 0x8b]));
  return false;
}

async function readImage(folder: string): Promise<Omit<LocalImage, 'dispose'>> {
  if (existsSync(join(folder, 'index.json'))) return readLayout(folder);
  if (existsSync(join(folder, 'manifest.json'))) return readSaved(folder);
  throw new CliError(`${folder} holds no image: neither index.json (an OCI layout) nor manifest.json (docker save) is there`);
}

const blobPath = (folder: string, digest: string): string => join(folder, 'blobs', ...digest.split(':'));

async function readLayout(folder: string): Promise<Omit<LocalImage, 'dispose'>> {
  let index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { manifests?: readonly Descriptor[] };
  for (;;) {
    const chosen = ofThisMachine(index.manifests ?? []);
    const text = await readFile(blobPath(folder, chosen.digest), 'utf8');
    const read = JSON.parse(text) as Partial<Manifest> & { manifests?: readonly Descriptor[] };
    if (read.manifests) {
      index = read;
      continue;
    }
    if (!read.config || !read.layers) throw new CliError(`${chosen.digest} is not the manifest of an image`);
    const files = [read.config, ...read.layers].map(({ digest, size }) => ({ path: blobPath(folder, digest), digest, size }));
    return { manifest: text, mediaType: chosen.mediaType || OCI, files };
  }
}

function ofThisMachine(manifests: readonly Descriptor[]): Descriptor {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const chosen = manifests.find(({ platform }) => platform?.architecture === architecture && platform.os === 'linux') ?? manifests[0];
  if (!chosen) throw new CliError('the index of the image is empty');
  return chosen;
}

/** `docker save` of before it wrote OCI layouts: layers as they are, the manifest is made here. */
async function readSaved(folder: string): Promise<Omit<LocalImage, 'dispose'>> {
  const [saved] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { Config: string; Layers: readonly string[] }[];
  if (!saved) throw new CliError('the archive holds no image');
  const config = await fileOf(join(folder, saved.Config));
  const layers: ImageFile[] = [];
  for (const layer of saved.Layers) layers.push(await fileOf(join(folder, layer)));
  const described = (mediaType: string, { digest, size }: ImageFile) => ({ mediaType, size, digest });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: DOCKER,
    config: described('application/vnd.docker.container.image.v1+json', config),
    layers: layers.map((layer) => described('application/vnd.docker.image.rootfs.diff.tar', layer)),
  });
  return { manifest, mediaType: DOCKER, files: [config, ...layers] };
}

async function fileOf(path: string): Promise<ImageFile> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { path, digest: `sha256:${hash.digest('hex')}`, size };
}
