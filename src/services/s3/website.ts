import { AwsError } from '../../kit/errors.ts';
import { hostId } from '../../protocol/restXml.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import type { Ctx, EndpointRequest } from '../service.ts';
import { openBody } from './body.ts';
import { failedCondition } from './domain/conditions.ts';
import { parseRange } from './domain/ranges.ts';
import type { BucketRecord, ObjectRecord } from './domain/records.ts';
import { encodePath, errorPage, matchRule, redirectTo, type Website } from './domain/website.ts';
import { noSuchBucket, noSuchKey, notFoundConfiguration, slowDown } from './errors.ts';
import { READ_ATTEMPTS_MAX } from './limits.ts';
import { readBucket, readConfig, readVersion } from './store.ts';

const STATUS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  416: 'Requested Range Not Satisfiable',
  503: 'Slow Down',
};

/** "Website endpoints": a bucket's objects as the pages of a site, in HTML where something goes wrong. */
export async function serveWebsite(ctx: Ctx, request: EndpointRequest): Promise<WireResponse> {
  let site: Website | undefined;
  let bucket: BucketRecord | undefined;
  try {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead) {
      throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
        status: 405,
        members: { Method: request.method, ResourceType: 'OBJECT' },
        headers: { Allow: 'GET, HEAD' },
      });
    }
    bucket = await readBucket(ctx.platform.store, request.id);
    if (!bucket) throw noSuchBucket(request.id);
    site = await readConfig<Website>(ctx.platform.store, bucket.id, 'website');
    if (!site) throw notFoundConfiguration('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration', bucket.name);
    return await serve(ctx, request, bucket, site);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return answerError(ctx, request, error, bucket, site);
  }
}

const own = (ctx: Ctx) => ({ Server: 'AmazonS3', 'x-amz-request-id': ctx.requestId, 'x-amz-id-2': hostId(ctx.requestId) });

function redirect(ctx: Ctx, status: number, location: string): WireResponse {
  return { status, headers: { ...own(ctx), Location: location }, body: '' };
}

function keyOf(path: string): string {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", { members: { URI: path } });
  }
}

async function serve(ctx: Ctx, request: EndpointRequest, bucket: BucketRecord, site: Website): Promise<WireResponse> {
  const path = keyOf(request.path);
  const elsewhere = site.RedirectAllRequestsTo;
  if (elsewhere) {
    const query = request.query === '' ? '' : `?${request.query}`;
    return redirect(ctx, 301, `${elsewhere.Protocol ?? request.scheme}://${elsewhere.HostName}${request.path}${query}`);
  }
  const isFolder = path === '' || path.endsWith('/');
  const index = site.IndexDocument?.Suffix ?? '';
  const before = path === '' ? undefined : matchRule(site.RoutingRules, path);
  if (before) return redirect(ctx, Number(before.Redirect.HttpRedirectCode ?? 301), redirectTo(before, path, request));
  const key = isFolder ? path + index : path;
  const record = await find(ctx, bucket, key);
  if (record) return answerObject(ctx, request, bucket, record, 200);
  // A folder by its name without the slash: the slash is added.
  if (!isFolder && (await find(ctx, bucket, `${path}/${index}`))) return redirect(ctx, 302, `/${encodePath(path)}/`);
  const after = matchRule(site.RoutingRules, key, 404);
  if (after) return redirect(ctx, Number(after.Redirect.HttpRedirectCode ?? 301), redirectTo(after, key, request));
  throw noSuchKey(key);
}

async function find(ctx: Ctx, bucket: BucketRecord, key: string): Promise<ObjectRecord | undefined> {
  const record = await readVersion(ctx.platform.store, bucket.id, key, undefined);
  return record?.deleteMarker ? undefined : record;
}

function date(value: string | undefined): Date | undefined {
  return value === undefined || Number.isNaN(Date.parse(value)) ? undefined : new Date(value);
}

async function answerObject(ctx: Ctx, request: EndpointRequest, bucket: BucketRecord, record: ObjectRecord, status: number): Promise<WireResponse> {
  const { headers: about, etag, modifiedMs } = record;
  if (about.WebsiteRedirectLocation !== undefined) return redirect(ctx, 301, about.WebsiteRedirectLocation);
  const known = { ...own(ctx), ETag: `"${etag}"`, 'Last-Modified': new Date(modifiedMs).toUTCString() };
  if (status === 200) {
    const { headers } = request;
    const conditions = {
      ifMatch: headers['if-match'],
      ifNoneMatch: headers['if-none-match'],
      ifModifiedSince: date(headers['if-modified-since']),
      ifUnmodifiedSince: date(headers['if-unmodified-since']),
    };
    const failed = failedCondition(conditions, record, ctx.platform.clock.virtual());
    if (failed === 'ifNoneMatch' || failed === 'ifModifiedSince') return { status: 304, headers: known, body: '' };
    if (failed) throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { status: 412 });
  }
  const range = status === 200 ? parseRange(request.headers['range'], record.size) : undefined;
  const length = range ? range.end - range.start + 1 : record.size;
  const described = {
    ...known,
    'Content-Type': about.ContentType ?? 'binary/octet-stream',
    'Content-Length': String(length),
    ...(about.CacheControl === undefined ? {} : { 'Cache-Control': about.CacheControl }),
    ...(about.ContentDisposition === undefined ? {} : { 'Content-Disposition': about.ContentDisposition }),
    ...(about.ContentEncoding === undefined ? {} : { 'Content-Encoding': about.ContentEncoding }),
    ...(about.ContentLanguage === undefined ? {} : { 'Content-Language': about.ContentLanguage }),
    ...(about.Expires === undefined ? {} : { Expires: about.Expires }),
    ...Object.fromEntries(Object.entries(record.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    ...(range ? { 'Content-Range': `bytes ${range.start}-${range.end}/${record.size}` } : {}),
  };
  if (request.method === 'HEAD') return { status: range ? 206 : status, headers: described, body: '' };
  const body = await openBody(ctx, bucket.id, record, range);
  if (body) return { status: range ? 206 : status, headers: described, body };
  throw slowDown();
}

async function answerError(
  ctx: Ctx,
  request: EndpointRequest,
  error: AwsError,
  bucket: BucketRecord | undefined,
  site: Website | undefined,
): Promise<WireResponse> {
  const errorKey = error.status === 404 || error.status === 403 ? site?.ErrorDocument?.Key : undefined;
  if (bucket && errorKey !== undefined) {
    for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt++) {
      const record = await find(ctx, bucket, errorKey);
      if (!record) break;
      const page = await answerObject(ctx, request, bucket, record, error.status).catch((problem: unknown) => {
        if (problem instanceof AwsError) return undefined;
        throw problem;
      });
      if (page) return page;
    }
  }
  const ids = { requestId: ctx.requestId, hostId: hostId(ctx.requestId) };
  const title = `${error.status} ${STATUS[error.status] ?? 'Error'}`;
  const body = errorPage(title, error, ids, bucket && errorKey);
  const headers = { ...own(ctx), 'x-amz-error-code': error.code, 'x-amz-error-message': error.message, 'Content-Type': 'text/html; charset=utf-8' };
  return { status: error.status, headers: { ...headers, ...error.headers }, body };
}
