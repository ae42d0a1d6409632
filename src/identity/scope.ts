/** The caller as a request names it, before anything is verified. */
export interface ClaimedCredential {
  readonly accessKeyId: string;
  /** The credential scope; all empty for Signature Version 2, which has none. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly algorithm: 'AWS4-HMAC-SHA256' | 'AWS4-ECDSA-P256-SHA256' | 'AWS2';
  /** Whether it came in the Authorization header or the query string (presigned). */
  readonly source: 'header' | 'query';
}

const CACHE_MAX = 1000;
const cache = new Map<string, ClaimedCredential>();

/**
 * Who claims to sign: from the `Authorization` header, else from a presigned query. Undefined where a request is not signed
 * or its credential has no readable form ("Signature Version 4 request elements").
 */
export function claimedCredential(headers: Readonly<Record<string, string | undefined>>, query: string): ClaimedCredential | undefined {
  const authorization = headers['authorization'];
  if (authorization !== undefined) return fromHeader(authorization);
  if (query.length < 20) return undefined;
  return fromQuery(query);
}

function fromHeader(authorization: string): ClaimedCredential | undefined {
  const at = authorization.indexOf('Credential=');
  if (at < 0) {
    const v2 = /^AWS ([A-Za-z0-9]{1,128}):/.exec(authorization);
    return v2?.[1] ? { accessKeyId: v2[1], date: '', region: '', service: 's3', algorithm: 'AWS2', source: 'header' } : undefined;
  }
  let end = authorization.indexOf(',', at);
  if (end < 0) end = authorization.length;
  // The whole start of the header is the cache's key: algorithm and credential change once a day.
  const key = authorization.slice(0, end);
  const known = cache.get(key);
  if (known) return known;
  const claimed = parseScope(authorization.slice(0, at).trim(), key.slice(at + 'Credential='.length).trim(), 'header');
  if (claimed) {
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(key, claimed);
  }
  return claimed;
}

function fromQuery(query: string): ClaimedCredential | undefined {
  const credential = queryParameter(query, 'X-Amz-Credential');
  if (credential !== undefined) return parseScope(queryParameter(query, 'X-Amz-Algorithm') ?? 'AWS4-HMAC-SHA256', credential, 'query');
  const v2 = queryParameter(query, 'AWSAccessKeyId');
  if (v2 === undefined || queryParameter(query, 'Signature') === undefined) return undefined;
  return { accessKeyId: v2, date: '', region: '', service: 's3', algorithm: 'AWS2', source: 'query' };
}

function parseScope(algorithm: string, credential: string, source: 'header' | 'query'): ClaimedCredential | undefined {
  // An access key id may itself hold slashes, so the scope is read from the end.
  const parts = credential.split('/');
  if (parts.pop() !== 'aws4_request') return undefined;
  const service = parts.pop();
  const asymmetric = algorithm === 'AWS4-ECDSA-P256-SHA256';
  const region = asymmetric ? '' : parts.pop();
  const date = parts.pop();
  const accessKeyId = parts.join('/');
  if (!service || region === undefined || !date || accessKeyId === '') return undefined;
  if (!asymmetric && algorithm !== 'AWS4-HMAC-SHA256') return undefined;
  return { accessKeyId, date, region, service, algorithm: asymmetric ? 'AWS4-ECDSA-P256-SHA256' : 'AWS4-HMAC-SHA256', source };
}

/** The decoded value of the first query parameter of that name; undefined where absent or badly encoded. Reads names literally. */
export function queryParameter(query: string, name: string): string | undefined {
  for (let from = 0; from <= query.length; ) {
    let end = query.indexOf('&', from);
    if (end < 0) end = query.length;
    if (query.startsWith(name, from)) {
      const after = from + name.length;
      if (after === end) return '';
      if (query.charCodeAt(after) === 0x3d) return decode(query.slice(after + 1, end));
    }
    from = end + 1;
  }
  return undefined;
}

function decode(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
