import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatTime, readAuthorization } from './authorization.ts';
import { canonicalRequest, type SignedRequest, stringToSign } from './canonical.ts';
import { sha256Hex } from './hmac.ts';
import { checkClaims, checkSignature, scopeOf, signingKey } from './sigv4.ts';

/** AWS's own test suite. A clone of the project alone does not have it. */
const VECTORS = join(import.meta.dirname, '../../../shared/conformance/sigv4');
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

function vectorDirs(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  if (entries.some((entry) => entry.name.endsWith('.req'))) return [dir];
  return entries.filter((entry) => entry.isDirectory()).flatMap((entry) => vectorDirs(join(dir, entry.name)));
}

interface Raw extends SignedRequest {
  readonly body: string;
}

function parseRequest(text: string): Raw {
  const [head = '', ...rest] = text.replaceAll('\r\n', '\n').split('\n\n');
  const lines = head.split('\n');
  const [, method = '', url = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(lines[0] ?? '') ?? [];
  const headers: [string, string][] = [];
  for (const line of lines.slice(1)) {
    const last = headers.at(-1);
    if (/^\s/.test(line) && last) last[1] += ` ${line}`;
    else if (line !== '') headers.push([line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]);
  }
  const mark = url.indexOf('?');
  return { method, path: mark < 0 ? url : url.slice(0, mark), query: mark < 0 ? '' : url.slice(mark + 1), headers, body: rest.join('\n\n') };
}

describe.skipIf(!existsSync(VECTORS))('the vectors of AWS’s Signature Version 4 test suite', () => {
  const dirs = existsSync(VECTORS) ? vectorDirs(VECTORS) : [];
  test('are all there', () => expect(dirs.length).toBeGreaterThan(30));
  test.each(dirs.map((dir) => [basename(dir), dir]))('%s', (name, dir) => {
    const read = (extension: string) => readFileSync(join(dir, `${name}.${extension}`), 'utf8').replaceAll('\r\n', '\n');
    // As the server sees it: the signed request, less the header under test (some `.sreq` hold a stale one).
    const sent = parseRequest(read('sreq'));
    const request = { ...sent, headers: sent.headers.filter(([header]) => header.toLowerCase() !== 'authorization') };
    const header = read('authz').trim();
    const headers = Object.fromEntries(request.headers.map(([key, value]) => [key.toLowerCase(), value.trim()]));
    const authorization = readAuthorization({ ...headers, authorization: header }, '', false);
    if ('kind' in authorization) throw new Error(`not read: ${authorization.kind}`);
    const canonical = canonicalRequest(request, authorization.signedHeaders, sha256Hex(request.body), 'double');
    expect(canonical).toBe(read('creq').trimEnd());
    const text = stringToSign(authorization.timestamp, scopeOf(authorization), canonical);
    expect(text).toBe(read('sts').trimEnd());
    expect(signingKey(SECRET, '20150830', 'us-east-1', 'service').hex(text)).toBe(authorization.signature);
    expect(checkSignature(request, authorization, SECRET, sha256Hex(request.body), 'double')).toBeUndefined();
    expect(checkSignature(request, authorization, `${SECRET}x`, sha256Hex(request.body), 'double')).toMatchObject({ kind: 'mismatch' });
  });
});

test('S3 signs the path as it is: no normalizing, no second encoding', () => {
  const canonical = (path: string) => canonicalRequest({ method: 'GET', path, query: '', headers: [] }, [], '', 'single').split('\n')[1];
  expect(canonical('/a//b/../c%20d')).toBe('/a//b/../c%20d');
  expect(canonical('/a+b!c')).toBe('/a%2Bb%21c');
  expect(canonical('/%e1%88%b4')).toBe('/%E1%88%B4');
  expect(canonicalRequest({ method: 'GET', path: '/c%20d', query: '', headers: [] }, [], '', 'double').split('\n')[1]).toBe('/c%2520d');
});

describe('what needs no secret', () => {
  const now = Date.UTC(2024, 0, 2, 3, 4, 5);
  const signed = (timeMs: number, extra: Partial<Record<'service' | 'headers' | 'date', string>> = {}) => {
    const stamp = formatTime(timeMs);
    const authorization = readAuthorization(
      {
        authorization: `AWS4-HMAC-SHA256 Credential=AK/${extra.date ?? stamp.slice(0, 8)}/us-east-1/${extra.service ?? 's3'}/aws4_request, SignedHeaders=${extra.headers ?? 'host;x-amz-date'}, Signature=${'0'.repeat(64)}`,
        'x-amz-date': stamp,
      },
      '',
      true,
    );
    if ('kind' in authorization) throw new Error(authorization.kind);
    return authorization;
  };
  test.each([
    ['in time', 14 * 60_000, undefined],
    ['too old', 16 * 60_000, 'skewed'],
    ['from the future', -16 * 60_000, 'skewed'],
  ])('%s', (_, age, kind) => {
    expect(checkClaims(signed(now - age), {}, ['s3'], now)?.kind).toBe(kind);
  });
  test('host, scope and x-amz headers', () => {
    expect(checkClaims(signed(now, { headers: 'x-amz-date' }), {}, ['s3'], now)?.kind).toBe('host-unsigned');
    expect(checkClaims(signed(now, { service: 'sqs' }), {}, ['s3'], now)?.kind).toBe('wrong-scope');
    expect(checkClaims(signed(now, { date: '20230101' }), {}, ['s3'], now)?.kind).toBe('wrong-scope');
    expect(checkClaims(signed(now), { 'x-amz-acl': 'public-read' }, ['s3'], now)).toEqual({ kind: 'unsigned-headers', names: ['x-amz-acl'] });
    expect(checkClaims(signed(now, { service: 'sqs' }), { 'x-amz-acl': 'x' }, ['sqs'], now)).toBeUndefined();
  });
});

describe('a presigned query', () => {
  const now = Date.UTC(2024, 0, 2, 3, 4, 5);
  const query = (expires: string) =>
    `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20240102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=${formatTime(now - 61_000)}&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=00`;
  test.each([
    ['abc', { kind: 'bad-expires', reason: 'number' }],
    ['-1', { kind: 'bad-expires', reason: 'negative' }],
    ['604801', { kind: 'bad-expires', reason: 'week' }],
  ])('X-Amz-Expires=%s', (expires, failure) => {
    expect(readAuthorization({}, query(expires), true)).toEqual(failure);
  });
  test('ends when it says', () => {
    const check = (expires: string) => {
      const authorization = readAuthorization({}, query(expires), true);
      if ('kind' in authorization) throw new Error(authorization.kind);
      return checkClaims(authorization, {}, ['s3'], now)?.kind;
    };
    expect(check('62')).toBeUndefined();
    expect(check('60')).toBe('expired');
  });
  test('needs all its parameters', () => {
    expect(readAuthorization({}, 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x', true)).toMatchObject({ kind: 'incomplete', source: 'query' });
  });
});
