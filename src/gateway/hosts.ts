import type { EndpointKind } from '../services/service.ts';

/** What a Host header says about where a request is going. */
export interface HostTarget {
  /** A user's own endpoint. */
  readonly endpoint?: EndpointKind;
  /** Its id. */
  readonly id?: string;
  /** The name before the region in `{service}.{region}.localhost.localstack.cloud`, as DNS has it (`monitoring`, `streams.dynamodb`). */
  readonly service?: string;
  readonly region?: string;
  /** S3's bucket of a virtual-hosted request. */
  readonly bucket?: string;
  /**
   * All that stands before `.localhost` or `.localhost.localstack.cloud`: a bucket, where the request turns out to be S3's. SDKs put the
   * bucket straight before the endpoint's own name (`http://localhost:4566` becomes `http://bucket.localhost:4566`).
   */
  readonly prefix?: string;
}

const NOTHING: HostTarget = {};

/** Domains that stand for this server. Longest first. */
const DOMAINS = ['.localhost.localstack.cloud', '.amazonaws.com.cn', '.amazonaws.com', '.api.aws', '.on.aws', '.localhost'] as const;

/** Names that people give to the server itself. */
const OWN_NAMES: ReadonlySet<string> = new Set(['croft', 'localstack', 'aws']);

const REGION = /^[a-z]{2,3}(-[a-z]+){1,3}-\d{1,2}$/;

const cache = new Map<string, HostTarget>();
const CACHE_MAX = 1000;

/** Reads a Host header (with or without port): "Virtual hosting of general purpose buckets", "Invoking Lambda function URLs". */
export function readHost(host: string): HostTarget {
  const known = cache.get(host);
  if (known) return known;
  const target = parseHost(hostnameOf(host));
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(host, target);
  return target;
}

/** The name of a Host header: lower case, without port, brackets or final dot. */
export function hostnameOf(host: string): string {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d*$/, '');
  return name.toLowerCase().replace(/\.$/, '');
}

function parseHost(name: string): HostTarget {
  const domain = DOMAINS.find((suffix) => name.endsWith(suffix));
  if (!domain) return NOTHING;
  const labels = name.slice(0, -domain.length).split('.');
  const target = endpointOf(labels) ?? registryOf(labels) ?? websiteOf(labels) ?? s3Of(labels);
  if (target) return target;
  if (domain === '.on.aws') return NOTHING;
  const service = serviceOf(labels) ?? NOTHING;
  return domain.startsWith('.localhost') && !OWN_NAMES.has(labels.join('.')) ? { ...service, prefix: labels.join('.') } : service;
}

/** `{bucket}.s3-website[.{region}]` and `{bucket}.s3-website-{region}`: "Website endpoints". Buckets may have dots. */
function websiteOf(labels: readonly string[]): HostTarget | undefined {
  const at = labels.findLastIndex((label) => label === 's3-website' || label.startsWith('s3-website-'));
  if (at < 1) return undefined;
  const region = labels[at]?.slice('s3-website-'.length) || labels[at + 1];
  if (labels.length > at + 2 || (region !== undefined && !REGION.test(region))) return undefined;
  return { endpoint: 's3-website', id: labels.slice(0, at).join('.'), ...(region ? { region } : {}) };
}

/** `{id}.execute-api[.{region}]` and `{id}.lambda-url[.{region}]`. */
function endpointOf(labels: readonly string[]): HostTarget | undefined {
  const [id = '', kind, region, ...rest] = labels;
  if ((kind !== 'execute-api' && kind !== 'lambda-url') || rest.length > 0 || id === '') return undefined;
  return { endpoint: kind, id, ...(region ? { region } : {}) };
}

/** `{account}.dkr.ecr.{region}`: "Amazon ECR private registry". */
function registryOf(labels: readonly string[]): HostTarget | undefined {
  const [account = '', dkr, ecr, region, ...rest] = labels;
  if (dkr !== 'dkr' || ecr !== 'ecr' || region === undefined || rest.length > 0 || !/^\d{12}$/.test(account) || !REGION.test(region)) return undefined;
  return { endpoint: 'registry', id: account, region };
}

/** `[{bucket}.]s3[.dualstack][.{region}]`, also `s3-{region}`, `s3-website…`, `s3-accelerate`. Buckets may have dots. */
function s3Of(labels: readonly string[]): HostTarget | undefined {
  let at = -1;
  for (let i = labels.length - 1; i >= 0 && at < 0; i--) {
    const label = labels[i] ?? '';
    if (label === 's3' || label === 's3-website' || label === 's3-accelerate' || /^s3-[a-z]{2}-[a-z]+-\d$/.test(label)) at = i;
  }
  if (at < 0) return undefined;
  const after = labels.slice(at + 1).filter((label) => label !== 'dualstack');
  const region = after[0] ?? /^s3-(.+-\d)$/.exec(labels[at] ?? '')?.[1];
  if (after.length > 1 || (after[0] !== undefined && !REGION.test(after[0]))) return undefined;
  const bucket = labels.slice(0, at).join('.');
  return { service: 's3', ...(region ? { region } : {}), ...(bucket ? { bucket } : {}) };
}

/** `{service}[.{region}]`; DynamoDB's account-based `{account}.ddb.{region}`. */
function serviceOf(labels: readonly string[]): HostTarget | undefined {
  const last = labels.at(-1) ?? '';
  const region = labels.length > 1 && REGION.test(last) ? last : undefined;
  const name = (region ? labels.slice(0, -1) : labels).join('.');
  if (name === '') return undefined;
  const service = /^\d{12}\.ddb$/.test(name) ? 'dynamodb' : name;
  return { service, ...(region ? { region } : {}) };
}
