import { type ClaimedCredential, queryParameter } from '../identity/scope.ts';
import { AwsError } from '../kit/errors.ts';
import type { ProtocolName, ServiceIndexEntry } from '../models/model.ts';
import type { CodecName } from '../protocol/codec.ts';
import type { EndpointKind } from '../services/service.ts';
import { type HostTarget, readHost } from './hosts.ts';

/** What routing looks at: the head of a request. */
export interface Head {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly credential: ClaimedCredential | undefined;
}

/** Where a request goes. */
export type Route = ApiRoute | EndpointRoute | { readonly kind: 'admin' };

/** An AWS API call. */
export interface ApiRoute {
  readonly kind: 'api';
  /** A name of the service index. */
  readonly service: string;
  readonly codec: CodecName;
  /** Named by header or query; absent where the path (REST) or the body (query protocol) names it. */
  readonly operation?: string;
  /** The path to decode from, where it is not the request's own: S3's bucket moved from the host into it. */
  readonly path?: string;
  /** Named by the host, for requests without a credential scope. */
  readonly region?: string;
}

/** A user's own endpoint: an API's stage, a function's URL. */
export interface EndpointRoute {
  readonly kind: 'endpoint';
  readonly endpoint: EndpointKind;
  readonly id: string;
  readonly stage?: string;
  readonly path: string;
  readonly region?: string;
}

/** Tells services and protocols apart. Pure but for its caches. */
export interface Router {
  /** Throws {@link RouteError} where no operation can be meant. */
  route(head: Head): Route;
  /** Service of an unsigned query call, by its `Version` and `Action`; undefined where none or several fit. */
  byQueryBody(action: string | undefined, version: string | undefined): string | undefined;
}

/** A request that names no operation of ours, with the protocol that the answer takes. */
export class RouteError extends Error {
  readonly service: string | undefined;
  readonly codec: CodecName;
  readonly error: AwsError;

  constructor(error: AwsError, codec: CodecName, service?: string) {
    super(error.message);
    this.error = error;
    this.codec = codec;
    this.service = service;
  }
}

const ADMIN: Route = { kind: 'admin' };
const CODEC_OF: Readonly<Record<ProtocolName, CodecName>> = {
  json: 'awsJson1_1',
  'rest-json': 'restJson',
  'rest-xml': 'restXml',
  query: 'awsQuery',
  ec2: 'ec2Query',
  'smithy-rpc-v2-cbor': 'rpcv2Cbor',
};
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/x-amz-json-1.';

export function createRouter(index: readonly ServiceIndexEntry[]): Router {
  const bySigningName = group(index, (entry) => entry.signingName);
  const byEndpointPrefix = group(index, (entry) => entry.endpointPrefix);
  const byTarget = targetsOf(index);
  const byTargetPrefix = group(index, (entry) => entry.targetPrefix);

  /** The service that the credential scope, then the host, names. */
  const named = ({ credential, path }: Head, host: HostTarget): ServiceIndexEntry | undefined => {
    const scope = credential?.service;
    const signing = scope === 's3express' || scope === 's3-object-lambda' ? 's3' : scope;
    const entries =
      (signing ? bySigningName.get(signing) : undefined) ??
      (host.service ? (byEndpointPrefix.get(host.service) ?? bySigningName.get(host.service)) : undefined);
    if (!entries) return undefined;
    if (entries.length > 1 && path.startsWith('/v2/')) return entries.find((entry) => entry.service.endsWith('v2')) ?? entries[0];
    return entries[0];
  };

  const byHeader = (head: Head): ApiRoute | undefined => {
    const target = head.headers['x-amz-target'];
    if (target !== undefined) {
      const json = jsonVersion(head.headers['content-type']);
      const known = byTarget.get(target);
      if (known) return json === '1.1' ? known.v11 : known.v10;
      const prefix = byTargetPrefix.get(target.slice(0, Math.max(0, target.lastIndexOf('.'))))?.[0];
      const service = prefix ?? named(head, readHost(head.headers['host'] ?? ''));
      throw new RouteError(unknownOperation('awsJson1_0', target), json === '1.1' ? 'awsJson1_1' : 'awsJson1_0', service?.service);
    }
    return head.headers['smithy-protocol'] === 'rpc-v2-cbor' ? cborRoute(head, byTargetPrefix, index) : undefined;
  };

  const byQueryBody: Router['byQueryBody'] = (action, version) => {
    if (action === undefined) return undefined;
    const fits = index.filter((entry) => speaksQuery(entry) && (version === undefined || entry.apiVersion === version) && entry.operations.includes(action));
    return fits.length === 1 ? fits[0]?.service : undefined;
  };

  const route = (head: Head): Route => {
    const outside = head.path.startsWith('/_') || head.path === '/metrics' ? ownPath(head) : undefined;
    if (outside) return outside;
    const api = byHeader(head);
    if (api) return api;
    const host = readHost(head.headers['host'] ?? '');
    const endpoint = endpointRoute(head, host);
    if (endpoint) return endpoint;
    const region = host.region ? { region: host.region } : undefined;
    const entry = named(head, host);
    if (entry)
      return entry.service === 's3'
        ? (formRoute(head, host) ?? s3Route(head, host))
        : { kind: 'api', service: entry.service, codec: codecOf(entry, head), ...region };
    if (isQuery(head) && isQueryPath(head)) {
      const service = byQueryBody(queryParameter(head.query, 'Action'), queryParameter(head.query, 'Version'));
      // The body may name it; `receive` asks again. Until then it is nobody's.
      return { kind: 'api', service: service ?? '', codec: 'awsQuery', ...region };
    }
    const restService = byPath(head.path);
    return restService ? { kind: 'api', service: restService, codec: 'restJson', ...region } : (formRoute(head, host) ?? s3Route(head, host));
  };
  return { route, byQueryBody };
}

/** `/_croft`, `/_localstack`, `/metrics` and the path form of execute-api. No bucket name starts with an underscore; one may be `metrics`. */
function ownPath(head: Head): Route | undefined {
  const { path } = head;
  const api = /^\/_aws\/execute-api\/([^/]+)(?:\/([^/]*)(\/.*)?)?$/.exec(path);
  if (api?.[1]) return { kind: 'endpoint', endpoint: 'execute-api', id: api[1], stage: api[2] ?? '', path: api[3] ?? '/' };
  const code = /^\/_aws\/lambda-code\/([^/]+)$/.exec(path);
  if (code?.[1]) return { kind: 'endpoint', endpoint: 'lambda-code', id: code[1], path: '/' };
  const response = /^\/_aws\/cloudformation-response\/([^/]+)$/.exec(path);
  if (response?.[1]) return { kind: 'endpoint', endpoint: 'cloudformation-response', id: response[1], path: '/' };
  const messages = /^\/_aws\/sqs\/messages(\/.*)?$/.exec(path);
  if (messages) return { kind: 'endpoint', endpoint: 'sqs-messages', id: '', path: messages[1] ?? '/' };
  const topics = /^\/_aws\/sns(\/.*)$/.exec(path);
  if (topics) return { kind: 'endpoint', endpoint: 'sns', id: '', path: topics[1] ?? '/' };
  if (path === '/metrics')
    return head.credential || readHost(head.headers['host'] ?? '').bucket || readHost(head.headers['host'] ?? '').endpoint ? undefined : ADMIN;
  if (/^\/_(croft|localstack|aws)(\/|$)/.test(path)) return readHost(head.headers['host'] ?? '').endpoint ? undefined : ADMIN;
  return undefined;
}

function endpointRoute(head: Head, host: HostTarget): EndpointRoute | undefined {
  const images = registryRoute(head, host);
  if (images) return images;
  if (host.endpoint && host.id)
    return { kind: 'endpoint', endpoint: host.endpoint, id: host.id, path: head.path, ...(host.region ? { region: host.region } : {}) };
  if (!head.path.startsWith('/restapis/')) return undefined;
  const form = /^\/restapis\/([^/]+)\/([^/]+)\/_user_request_(\/.*)?$/.exec(head.path);
  return form?.[1] && form[2] ? { kind: 'endpoint', endpoint: 'execute-api', id: form[1], stage: form[2], path: form[3] ?? '/' } : undefined;
}

/** What else is posted to a bucket; anything without these is a form ("POST Object"). */
const BUCKET_POST = /(^|&)(delete|metadata(Configuration|Table|InventoryTable|JournalTable)|session)(=|&|$)/;

function formRoute({ method, path, query }: Head, host: HostTarget): EndpointRoute | undefined {
  if (method !== 'POST' || BUCKET_POST.test(query)) return undefined;
  const named = host.bucket ?? host.prefix;
  const bucket = named === undefined ? /^\/([^/]+)\/?$/.exec(path)?.[1] : path === '/' ? named : undefined;
  if (bucket === undefined) return undefined;
  return { kind: 'endpoint', endpoint: 's3-form', id: decodeName(bucket), path: '/', ...(host.region ? { region: host.region } : {}) };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Paths of the registry protocol: no bucket has a name of two letters. */
const REGISTRY_PATH = /^\/v2(?:\/?|\/_catalog|\/.+\/(?:blobs|manifests|tags|referrers)\/.*)$/;

/** By its host, or, unsigned, by its path alone (`docker push localhost:4566/name`). */
function registryRoute({ path, credential }: Head, host: HostTarget): EndpointRoute | undefined {
  const named = host.endpoint === 'registry';
  if (!named && (credential !== undefined || host.endpoint || host.bucket || !REGISTRY_PATH.test(path))) return undefined;
  const rest = path.startsWith('/v2') ? path.slice('/v2'.length) : path;
  return { kind: 'endpoint', endpoint: 'registry', id: named ? (host.id ?? '') : '', path: rest, ...(host.region ? { region: host.region } : {}) };
}

/** The bucket of a virtual host becomes the first segment of the path. */
function s3Route(head: Head, host: HostTarget): ApiRoute {
  const bucket = host.bucket ?? host.prefix;
  return {
    kind: 'api',
    service: 's3',
    codec: 'restXml',
    ...(bucket ? { path: `/${bucket}${head.path}` } : {}),
    ...(host.region ? { region: host.region } : {}),
  };
}

/** `POST /service/{ServiceShape}/operation/{Operation}` — "Smithy RPC v2 CBOR protocol". */
function cborRoute(head: Head, byTargetPrefix: ReadonlyMap<string, readonly ServiceIndexEntry[]>, index: readonly ServiceIndexEntry[]): ApiRoute {
  const match = /\/service\/([^/]+)\/operation\/([^/]+)$/.exec(head.path);
  const shape = match?.[1] ?? '';
  const operation = match?.[2] ?? '';
  const entry = byTargetPrefix.get(shape)?.[0] ?? index.find((one) => one.serviceId.replaceAll(' ', '') === shape);
  if (!entry?.operations.includes(operation)) throw new RouteError(unknownOperation('rpcv2Cbor', operation), 'rpcv2Cbor', entry?.service);
  return { kind: 'api', service: entry.service, codec: 'rpcv2Cbor', operation };
}

/** Unsigned REST calls that cannot be S3's. */
function byPath(path: string): string | undefined {
  if (/^\/20\d\d-\d\d-\d\d\//.test(path)) return 'lambda';
  if (/^\/restapis(\/|$)/.test(path)) return 'apigateway';
  if (/^\/v2\/apis(\/|$)/.test(path)) return 'apigatewayv2';
  return undefined;
}

function codecOf(entry: ServiceIndexEntry, head: Head): CodecName {
  const best = entry.protocols[0] ?? 'json';
  if (best === 'rest-json' || best === 'rest-xml') return CODEC_OF[best];
  // Older SDKs send query bodies to services that have moved on to JSON or CBOR.
  if (speaksQuery(entry) && isQuery(head)) return 'awsQuery';
  if (best === 'query' || best === 'ec2') return CODEC_OF[best];
  return jsonVersion(head.headers['content-type']) === '1.1' ? 'awsJson1_1' : 'awsJson1_0';
}

function speaksQuery(entry: ServiceIndexEntry): boolean {
  return entry.protocols.includes('query') || entry.service === 'sqs';
}

function isQuery(head: Head): boolean {
  return (head.headers['content-type'] ?? '').startsWith(FORM) || queryParameter(head.query, 'Action') !== undefined;
}

/** Unsigned, `?Action=` alone makes no query: it may be a parameter of an S3 object's URL. */
function isQueryPath({ method, path }: Head): boolean {
  return method === 'POST' || path === '/' || /^\/\d{12}\/[\w.-]+\/?$/.test(path);
}

function jsonVersion(contentType: string | undefined): '1.0' | '1.1' | undefined {
  if (!contentType?.startsWith(JSON_TYPE)) return undefined;
  return contentType.charCodeAt(JSON_TYPE.length) === 0x31 ? '1.1' : '1.0';
}

/** Every `X-Amz-Target` of every service, with its route in each JSON version made beforehand. */
function targetsOf(index: readonly ServiceIndexEntry[]): ReadonlyMap<string, { v10: ApiRoute; v11: ApiRoute }> {
  const targets = new Map<string, { v10: ApiRoute; v11: ApiRoute }>();
  for (const { service, targetPrefix, operations } of index) {
    if (targetPrefix === undefined) continue;
    for (const operation of operations) {
      const v10: ApiRoute = { kind: 'api', service, codec: 'awsJson1_0', operation };
      const v11: ApiRoute = { kind: 'api', service, codec: 'awsJson1_1', operation };
      targets.set(`${targetPrefix}.${operation}`, { v10, v11 });
    }
  }
  return targets;
}

/** The error for an operation that does not exist, in the words of each protocol. */
export function unknownOperation(codec: CodecName, name: string | undefined): AwsError {
  switch (codec) {
    case 'awsQuery':
    case 'ec2Query':
      return name === undefined || name === ''
        ? new AwsError('MissingAction', 'The request must contain the parameter Action.')
        : new AwsError('InvalidAction', `The action ${name} is not valid for this web service.`);
    case 'restXml':
      return new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', { status: 405 });
    case 'restJson':
    case 'rpcv2Cbor':
      return new AwsError('UnknownOperationException', name ? `The operation ${name} is not known.` : '', { status: 404 });
    default:
      return new AwsError('UnknownOperationException', '');
  }
}

function group(index: readonly ServiceIndexEntry[], key: (entry: ServiceIndexEntry) => string | undefined): Map<string, ServiceIndexEntry[]> {
  const groups = new Map<string, ServiceIndexEntry[]>();
  for (const entry of index) {
    const name = key(entry);
    if (name === undefined) continue;
    const list = groups.get(name);
    if (list) list.push(entry);
    else groups.set(name, [entry]);
  }
  return groups;
}
