import { Readable } from 'node:stream';
import { AwsError } from '../../kit/errors.ts';
import { partsOf } from '../../kit/key.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import type { Ctx, EndpointRequest } from '../service.ts';
import { DIGEST, isRepositoryName, type Place } from './domain/names.ts';
import { findImage, imageNamed, pushImage } from './images.ts';
import { addPiece, beginUpload, cancelUpload, completeUpload, findLayer, openUpload } from './layers.ts';
import { MANIFEST_BYTES_MAX } from './limits.ts';
import { keys, type LayerRow, load, type RepositoryRow, read, rowsOf, write } from './store.ts';
import { isAuthorized } from './tokens.ts';

/** What a client of the registry protocol is told; "Open Container Initiative Distribution Specification", error codes. */
class RegistryError extends Error {
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

interface Call {
  readonly ctx: Ctx;
  readonly request: EndpointRequest;
  readonly place: Place;
  readonly name: string;
  /** Digest, tag or upload id. */
  readonly reference: string;
}

/**
 * `/v2/…`: what `docker push`, `skopeo copy` and their like speak. The host names the registry (`{account}.dkr.ecr.{region}.…`); without
 * such a host it is that of account 000000000000 in the default region. A repository has to be created first, as on AWS.
 */
export async function registry(ctx: Ctx, request: EndpointRequest): Promise<WireResponse> {
  try {
    if (ctx.platform.credentials?.verify && !(await isAuthorized(ctx, request.headers['authorization']))) {
      throw new RegistryError(401, 'UNAUTHORIZED', 'Your authorization token has expired. Reauthenticate and try again.', {
        'WWW-Authenticate': `Basic realm="${request.scheme}://${request.host}/",service="ecr.amazonaws.com"`,
      });
    }
    return await answer(ctx, request);
  } catch (error) {
    const known = error instanceof RegistryError ? error : error instanceof AwsError ? worded(error) : undefined;
    if (!known) throw error;
    const body = JSON.stringify({ errors: [{ code: known.code, message: known.message }] });
    return { status: known.status, headers: { ...VERSION, 'Content-Type': 'application/json; charset=utf-8', ...known.headers }, body };
  }
}

const VERSION = { 'Docker-Distribution-Api-Version': 'registry/2.0' };
const IN_PROTOCOL: Readonly<Record<string, readonly [status: number, code: string]>> = {
  RepositoryNotFoundException: [404, 'NAME_UNKNOWN'],
  UploadNotFoundException: [404, 'BLOB_UPLOAD_UNKNOWN'],
  InvalidLayerException: [400, 'DIGEST_INVALID'],
  EmptyUploadException: [400, 'BLOB_UPLOAD_INVALID'],
  LayersNotFoundException: [404, 'MANIFEST_BLOB_UNKNOWN'],
  ReferencedImagesNotFoundException: [404, 'MANIFEST_BLOB_UNKNOWN'],
  ImageDigestDoesNotMatchException: [400, 'DIGEST_INVALID'],
  ImageTagAlreadyExistsException: [400, 'TAG_INVALID'],
  InvalidParameterException: [400, 'MANIFEST_INVALID'],
};

function worded(error: AwsError): RegistryError | undefined {
  const [status, code] = IN_PROTOCOL[error.code] ?? [];
  return status === undefined || code === undefined ? undefined : new RegistryError(status, code, error.message);
}

const notAllowed = () => new RegistryError(405, 'UNSUPPORTED', 'The operation is unsupported.');

async function answer(ctx: Ctx, request: EndpointRequest): Promise<WireResponse> {
  const { path } = request;
  if (path === '/' || path === '') return { status: 200, headers: { ...VERSION, 'Content-Type': 'application/json' }, body: '{}' };
  const place: Place = request.id === '' ? { account: ctx.account, region: ctx.region } : { account: request.id, region: ctx.region };
  if (path === '/_catalog') return catalog(ctx, place);
  const match = /^\/(.+)\/(manifests|blobs|tags|referrers)\/(?:(uploads)\/?)?([^/]*)$/.exec(path);
  const [, name = '', kind, uploads, reference = ''] = match ?? [];
  if (!match) throw new RegistryError(404, 'UNSUPPORTED', `There is nothing at /v2${path}.`);
  if (!isRepositoryName(name)) throw new RegistryError(400, 'NAME_INVALID', `Invalid repository name '${name}'.`);
  const call: Call = { ctx, request, place, name, reference };
  if (!(await load<RepositoryRow>(ctx.platform.store, keys.repository(place, name)))) {
    throw new RegistryError(404, 'NAME_UNKNOWN', `The repository with name '${name}' does not exist in the registry with id '${place.account}'`);
  }
  if (kind === 'manifests') return request.method === 'PUT' ? putManifest(call) : getManifest(call);
  if (kind === 'tags' && reference === 'list') return listTags(call);
  if (kind === 'referrers') throw new RegistryError(404, 'UNSUPPORTED', 'Referrers are not listed.');
  if (kind === 'blobs' && uploads) return upload(call);
  if (kind === 'blobs') return getBlob(call);
  throw notAllowed();
}

async function catalog(ctx: Ctx, place: Place): Promise<WireResponse> {
  const repositories: string[] = [];
  for await (const [, row] of rowsOf<RepositoryRow>(ctx.platform.store, keys.repositories(place))) repositories.push(row.name);
  return json({ repositories });
}

const json = (value: unknown): WireResponse => ({ status: 200, headers: { ...VERSION, 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

async function listTags({ ctx, place, name }: Call): Promise<WireResponse> {
  const tags: string[] = [];
  for await (const [key] of rowsOf<string>(ctx.platform.store, keys.tags(place, name))) tags.push(partsOf(key).at(-1) ?? '');
  return json({ name, tags });
}

async function getManifest({ ctx, request, place, name, reference }: Call): Promise<WireResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed();
  const row = await findImage(ctx, place, name, imageNamed(reference));
  if (!row) throw new RegistryError(404, 'MANIFEST_UNKNOWN', 'Requested image not found');
  const body = Buffer.from(row.manifest, 'utf8');
  return {
    status: 200,
    headers: { ...VERSION, 'Content-Type': row.mediaType, 'Docker-Content-Digest': row.digest, 'Content-Length': String(body.length) },
    body,
  };
}

async function putManifest({ ctx, request, place, name, reference }: Call): Promise<WireResponse> {
  const text = (await collected(request.body, MANIFEST_BYTES_MAX)).toString('utf8');
  const named = imageNamed(reference);
  const row = await pushImage(ctx, place, name, { text, mediaType: request.headers['content-type'], ...named, again: true });
  return {
    status: 201,
    headers: { ...VERSION, Location: `/v2/${name}/manifests/${row.digest}`, 'Docker-Content-Digest': row.digest, 'Content-Length': '0' },
    body: '',
  };
}

async function collected(body: EndpointRequest['body'], max: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of streamOf(body)) {
    size += chunk.length;
    if (size > max) throw new RegistryError(413, 'SIZE_INVALID', `A manifest is at most ${max} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function streamOf(body: EndpointRequest['body']): AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? Readable.from(body.length > 0 ? [body] : []) : (body as AsyncIterable<Uint8Array>);
}

async function getBlob({ ctx, request, place, name, reference }: Call): Promise<WireResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed();
  const row = await findLayer(ctx, place, name, reference);
  if (!row) throw new RegistryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  const headers = { ...VERSION, 'Content-Type': 'application/octet-stream', 'Docker-Content-Digest': reference, 'Accept-Ranges': 'bytes' };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers['range'] ?? '');
  if (range && request.method === 'GET') {
    const start = Number(range[1]);
    const end = Math.min(range[2] ? Number(range[2]) : row.size - 1, row.size - 1);
    if (start > end) throw new RegistryError(416, 'SIZE_INVALID', 'The range is not within the blob.', { 'Content-Range': `bytes */${row.size}` });
    ctx.meter('BytesOut', end - start + 1);
    const body = await ctx.platform.blobs.read(row.blobId, { start, end });
    return { status: 206, headers: { ...headers, 'Content-Range': `bytes ${start}-${end}/${row.size}`, 'Content-Length': String(end - start + 1) }, body };
  }
  if (request.method === 'HEAD') return { status: 200, headers: { ...headers, 'Content-Length': String(row.size) }, body: '' };
  ctx.meter('BytesOut', row.size);
  return { status: 200, headers: { ...headers, 'Content-Length': String(row.size) }, body: await ctx.platform.blobs.read(row.blobId) };
}

async function upload(call: Call): Promise<WireResponse> {
  const { ctx, request, place, name, reference } = call;
  const query = new URLSearchParams(request.query);
  if (request.method === 'POST' && reference === '') {
    const mount = query.get('mount');
    const from = query.get('from');
    if (mount && from && (await mounted(call, mount, from))) return created(call, mount);
    const id = await beginUpload(ctx, place, name);
    const digest = query.get('digest');
    return digest === null ? accepted(call, id, 0) : finish(call, id, digest);
  }
  if (reference === '') throw notAllowed();
  switch (request.method) {
    case 'PATCH': {
      const start = /^(?:bytes )?(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
      const row = await addPiece(ctx, place, name, reference, streamOf(request.body), ({ size }) => {
        if (start !== undefined && Number(start) !== size) {
          throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', `The next piece begins at byte ${size}.`, rangeUpTo(call, reference, size));
        }
      });
      return accepted(call, reference, row.size);
    }
    case 'PUT':
      return finish(call, reference, query.get('digest'));
    case 'GET': {
      const { size } = await openUpload(ctx, place, name, reference);
      return { status: 204, headers: { ...VERSION, ...rangeUpTo(call, reference, size) }, body: '' };
    }
    case 'DELETE':
      await cancelUpload(ctx, place, name, reference);
      return { status: 204, headers: VERSION, body: '' };
    default:
      throw notAllowed();
  }
}

const locationOf = ({ name }: Call, id: string) => `/v2/${name}/blobs/uploads/${id}`;

const rangeUpTo = (call: Call, id: string, size: number) => ({ Location: locationOf(call, id), Range: `0-${Math.max(0, size - 1)}`, 'Docker-Upload-UUID': id });

const accepted = (call: Call, id: string, size: number): WireResponse => ({
  status: 202,
  headers: { ...VERSION, ...rangeUpTo(call, id, size), 'Content-Length': '0' },
  body: '',
});

const created = ({ name }: Call, digest: string): WireResponse => ({
  status: 201,
  headers: { ...VERSION, Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest, 'Content-Length': '0' },
  body: '',
});

/** The last piece, which may be the only one, or empty. */
async function finish(call: Call, id: string, digest: string | null): Promise<WireResponse> {
  const { ctx, request, place, name } = call;
  if (digest === null || !DIGEST.test(digest)) throw new RegistryError(400, 'DIGEST_INVALID', 'A sha256 digest must be given.');
  await addPiece(ctx, place, name, id, streamOf(request.body));
  try {
    await completeUpload(ctx, place, name, id, [digest]);
  } catch (error) {
    // Here that is a success.
    if (!(error instanceof AwsError && error.code === 'LayerAlreadyExistsException')) throw error;
  }
  return created(call, digest);
}

/** A layer of another repository is copied, so that each repository owns what it has. */
async function mounted({ ctx, place, name }: Call, digest: string, from: string): Promise<boolean> {
  const source = await findLayer(ctx, place, from, digest);
  if (!source) return false;
  if (await findLayer(ctx, place, name, digest)) return true;
  const { store, blobs } = ctx.platform;
  const copy = await blobs.concat([source.blobId]);
  const key = keys.layer(place, name, digest);
  const kept = await store.transact({ keys: [key] }, (tx) => {
    if (read<LayerRow>(tx, key)) return false;
    write(tx, key, { blobId: copy.id, size: copy.size });
    return true;
  });
  if (!kept) await blobs.delete(copy.id);
  return true;
}
