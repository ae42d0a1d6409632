import { hash } from 'node:crypto';

/** What a manifest says of an image. */
export interface Manifest {
  readonly mediaType: string;
  /** sha256 of the text, as it was sent. */
  readonly digest: string;
  /** Layers and configuration: they have to be there before. */
  readonly blobs: readonly { readonly digest: string; readonly size: number }[];
  /** Of an index: the manifests that it lists. */
  readonly manifests: readonly string[];
  readonly artifactMediaType?: string;
  /** Of the image: its layers, compressed. */
  readonly size: number;
}

export const INDEX_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const DEFAULT_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

interface Descriptor {
  readonly mediaType?: unknown;
  readonly digest?: unknown;
  readonly size?: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly Descriptor[] => (Array.isArray(value) ? value.filter(isObject) : []);

const blobOf = ({ digest, size }: Descriptor) => ({ digest: typeof digest === 'string' ? digest : '', size: typeof size === 'number' ? size : 0 });

export const digestOf = (text: string | Uint8Array): string => `sha256:${hash('sha256', text, 'hex')}`;

/** Reads a manifest ("Image Manifest V 2, Schema 2", "OCI image manifest"); undefined for what is none. */
export function readManifest(text: string, given: string | undefined): Manifest | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(parsed) || parsed['schemaVersion'] !== 2) return undefined;
  const stated = typeof parsed['mediaType'] === 'string' ? parsed['mediaType'] : undefined;
  const mediaType = stated ?? given ?? (Array.isArray(parsed['manifests']) ? 'application/vnd.oci.image.index.v1+json' : DEFAULT_TYPE);
  const digest = digestOf(text);
  if (INDEX_TYPES.has(mediaType)) {
    return { mediaType, digest, blobs: [], manifests: listOf(parsed['manifests']).map((one) => blobOf(one).digest), size: 0 };
  }
  if (!isObject(parsed['config'])) return undefined;
  const layers = listOf(parsed['layers']).map(blobOf);
  const config = parsed['config'] as Descriptor;
  return {
    mediaType,
    digest,
    blobs: [blobOf(config), ...layers],
    manifests: [],
    ...(typeof config.mediaType === 'string' ? { artifactMediaType: config.mediaType } : {}),
    size: layers.reduce((sum, { size }) => sum + size, 0),
  };
}
