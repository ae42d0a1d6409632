import { invalidArgument, invalidRequest, malformedXml } from '../errors.ts';
import { ROUTING_RULES_MAX } from '../limits.ts';

type Value = Readonly<Record<string, unknown>>;

interface Condition {
  readonly HttpErrorCodeReturnedEquals?: string;
  readonly KeyPrefixEquals?: string;
}

export interface Redirect {
  readonly HostName?: string;
  readonly HttpRedirectCode?: string;
  readonly Protocol?: string;
  readonly ReplaceKeyPrefixWith?: string;
  readonly ReplaceKeyWith?: string;
}

export interface RoutingRule {
  readonly Condition?: Condition;
  readonly Redirect: Redirect;
}

/** A bucket's website configuration as it is stored. */
export interface Website {
  readonly IndexDocument?: { readonly Suffix: string };
  readonly ErrorDocument?: { readonly Key: string };
  readonly RedirectAllRequestsTo?: { readonly HostName: string; readonly Protocol?: string };
  readonly RoutingRules?: readonly RoutingRule[];
}

const object = (value: unknown): Value | undefined => (typeof value === 'object' && value !== null ? (value as Value) : undefined);

function checkProtocol(protocol: unknown): void {
  if (protocol !== undefined && protocol !== 'http' && protocol !== 'https') {
    throw invalidRequest('Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.');
  }
}

/** Throws what PutBucketWebsite throws. */
export function checkWebsite(website: Value): void {
  const toElsewhere = object(website['RedirectAllRequestsTo']);
  if (toElsewhere) {
    if (Object.keys(website).length > 1) {
      throw invalidArgument('RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.', 'RedirectAllRequestsTo', 'not null');
    }
    if (typeof toElsewhere['HostName'] !== 'string') throw malformedXml();
    checkProtocol(toElsewhere['Protocol']);
    return;
  }
  const index = object(website['IndexDocument']);
  if (!index) throw invalidArgument('A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty', 'IndexDocument', 'null');
  const suffix = index['Suffix'];
  if (typeof suffix !== 'string' || suffix === '' || suffix.includes('/')) {
    throw invalidArgument('The IndexDocument Suffix is not well formed', 'IndexDocument', typeof suffix === 'string' ? suffix : '');
  }
  if (website['ErrorDocument'] !== undefined && !object(website['ErrorDocument'])?.['Key']) throw malformedXml();
  if (website['RoutingRules'] !== undefined) checkRules(website['RoutingRules']);
}

function checkRules(given: unknown): void {
  const rules = Array.isArray(given) ? (given as Value[]) : [];
  if (rules.length === 0) throw malformedXml();
  if (rules.length > ROUTING_RULES_MAX) {
    throw invalidRequest(`The number of routing rules must not exceed ${ROUTING_RULES_MAX}, number of routing rules in request: ${rules.length}`);
  }
  for (const rule of rules) {
    const redirect = object(rule['Redirect']);
    if (redirect?.['ReplaceKeyPrefixWith'] !== undefined && redirect['ReplaceKeyWith'] !== undefined) {
      throw invalidRequest('You can only define ReplaceKeyPrefix or ReplaceKey but not both.');
    }
    const condition = rule['Condition'];
    if (condition !== undefined && Object.keys(object(condition) ?? {}).length === 0) {
      throw invalidRequest("Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.");
    }
    if (!redirect) throw malformedXml();
    checkProtocol(redirect['Protocol']);
    const code = redirect['HttpRedirectCode'];
    if (code !== undefined && !/^3(0[1-5]|0[78])$/.test(String(code))) {
      throw invalidRequest(`The provided HTTP redirect code (${String(code)}) is not valid. Valid codes are 3XX except 300.`);
    }
  }
}

/** The first rule that fits a key, and an error where there is one. "Using redirection rules". */
export function matchRule(rules: readonly RoutingRule[] | undefined, key: string, errorStatus?: number): RoutingRule | undefined {
  return rules?.find(({ Condition: condition }) => {
    if (!condition) return true;
    const { HttpErrorCodeReturnedEquals: status, KeyPrefixEquals: prefix } = condition;
    if (prefix !== undefined && !key.startsWith(prefix)) return false;
    return status === undefined || Number(status) === errorStatus;
  });
}

/** Where a rule sends a request for `key`. */
export function redirectTo({ Condition: condition, Redirect: redirect }: RoutingRule, key: string, from: { scheme: string; host: string }): string {
  let target = key;
  if (redirect.ReplaceKeyWith !== undefined) target = redirect.ReplaceKeyWith;
  else if (redirect.ReplaceKeyPrefixWith !== undefined) target = redirect.ReplaceKeyPrefixWith + key.slice((condition?.KeyPrefixEquals ?? '').length);
  return `${redirect.Protocol ?? from.scheme}://${redirect.HostName ?? from.host}/${encodePath(target)}`;
}

/** A key as the path of a URL. */
export function encodePath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

/** An error of the website endpoint, which speaks HTML. Members come as `Key`, `BucketName` … */
export function errorPage(
  status: string,
  error: { code: string; message: string; members: Readonly<Record<string, unknown>> },
  ids: { requestId: string; hostId: string },
  errorDocument?: string,
): string {
  const list = (items: Readonly<Record<string, unknown>>) =>
    `<ul>\n${Object.entries(items)
      .map(([name, value]) => `<li>${name}: ${escapeHtml(String(value))}</li>\n`)
      .join('')}</ul>\n`;
  const own = list({ Code: error.code, Message: error.message, ...error.members, RequestId: ids.requestId, HostId: ids.hostId });
  const second =
    errorDocument === undefined
      ? ''
      : `<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n${list({
          Code: 'NoSuchKey',
          Message: 'The specified key does not exist.',
          Key: errorDocument,
        })}`;
  return `<html>\n<head><title>${status}</title></head>\n<body>\n<h1>${status}</h1>\n${own}${second}<hr/>\n</body>\n</html>\n`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
