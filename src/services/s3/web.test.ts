import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { VENV } from '../../../test/process.ts';
import { allowCors } from './domain/cors.ts';
import { boundaryOf, readForm } from './post-form.ts';

const run = promisify(execFile);

// biome-ignore lint/suspicious/noTemplateCurlyInString: S3 writes it so
const FILENAME = '${filename}';

let croft: TestCroft;
let s3: S3Client;
beforeAll(async () => {
  croft = await startCroft();
  s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await croft.stop();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** As a browser asks: `fetch` would not let Host and Origin through. */
function ask(host: string, path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { Host: host, ...options.headers };
    const request = httpRequest({ port: croft.port, host: '127.0.0.1', path, method: options.method ?? 'GET', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject).end();
  });
}

describe('forms', () => {
  const policyOf = (document: object) => Buffer.from(JSON.stringify(document)).toString('base64');
  const expiration = '2999-01-01T00:00:00Z';
  const signed = { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': 'test/20260101/us-east-1/s3/aws4_request', 'X-Amz-Date': '20260101T000000Z' };
  const signature = { 'X-Amz-Signature': 'of-nothing' };
  const conditions = Object.entries(signed).map(([name, value]) => ({ [name]: value }));

  async function post(fields: Record<string, string>, file: string | null = 'file body') {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    if (file !== null) form.set('file', new Blob([file], { type: 'text/x-file' }), 'photo 1.txt');
    const answer = await fetch(`${croft.endpoint}/forms`, { method: 'POST', body: form, redirect: 'manual' });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket: 'forms' })));

  test('a file becomes an object, with what the fields say of it', async () => {
    const fields = {
      key: `up/${FILENAME}`,
      'Content-Type': 'text/plain',
      'x-amz-meta-Who': 'Zoë',
      success_action_status: '201',
      tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
    };
    const { status, text, headers } = await post(fields);
    expect(status).toBe(201);
    expect(text).toContain('<Key>up/photo 1.txt</Key>');
    expect(headers.get('location')).toBe(`${croft.endpoint}/forms/up/photo%201.txt`);
    const object = await s3.send(new GetObjectCommand({ Bucket: 'forms', Key: 'up/photo 1.txt' }));
    expect(await object.Body?.transformToString()).toBe('file body');
    expect(object).toMatchObject({ ContentType: 'text/plain', TagCount: 1, Metadata: { who: '=?UTF-8?Q?Zo=C3=AB?=' } });
  });

  test('a redirect carries bucket, key and tag', async () => {
    const { status, headers } = await post({ key: 'k', success_action_redirect: 'http://localhost/done?x=1' });
    expect(status).toBe(303);
    expect(headers.get('location')).toMatch(/^http:\/\/localhost\/done\?x=1&bucket=forms&key=k&etag=%22[0-9a-f]{32}%22$/);
  });

  const base = { key: 'k', ...signed, ...signature };
  const cases: [string, Record<string, string>, RegExp][] = [
    ['an expired policy', { ...base, policy: policyOf({ expiration: '2020-01-01T00:00:00Z', conditions: [] }) }, /Policy expired\./],
    ['no signature', { key: 'k', ...signed, policy: policyOf({ expiration, conditions: [] }) }, /field named 'X-Amz-Signature'/],
    ['nothing that signs', { key: 'k', policy: policyOf({ expiration, conditions: [] }) }, /<Code>AccessDenied<\/Code>/],
    [
      'a key that is not the one',
      { ...base, policy: policyOf({ expiration, conditions: [...conditions, { key: 'other' }] }) },
      /Policy Condition failed: \["eq", "\$key", "other"\]/,
    ],
    [
      'another beginning',
      { ...base, policy: policyOf({ expiration, conditions: [...conditions, ['starts-with', '$key', 'user/']] }) },
      /\["starts-with", "\$key", "user\/"\]/,
    ],
    [
      'a field that no condition names',
      { ...base, 'x-amz-meta-a': 'b', policy: policyOf({ expiration, conditions: [...conditions, ['eq', '$key', 'k']] }) },
      /Extra input fields: x-amz-meta-a/,
    ],
    [
      'too much',
      { ...base, policy: policyOf({ expiration, conditions: [...conditions, { key: 'k' }, ['content-length-range', 1, 3]] }) },
      /<Code>EntityTooLarge<\/Code>.*<ProposedSize>9<.*<MaxSizeAllowed>3</,
    ],
    [
      'too little',
      { ...base, policy: policyOf({ expiration, conditions: [...conditions, { key: 'k' }, ['content-length-range', 10, 30]] }) },
      /<Code>EntityTooSmall<\/Code>/,
    ],
    ['no key', { ...signed, ...signature, policy: policyOf({ expiration, conditions: [] }) }, /field named 'key'/],
    [
      'a policy of two properties',
      { ...base, policy: policyOf({ expiration, conditions: [{ key: 'k', acl: 'x' }] }) },
      /Simple-Conditions must have exactly one property specified\./,
    ],
    ['no policy at all', { ...base, policy: 'bm90IGpzb24=' }, /<Code>SignatureDoesNotMatch<\/Code>/],
  ];
  test.each(cases)('refuses %s', async (_name, fields, error) => {
    expect((await post(fields)).text).toMatch(error);
  });

  test('what is no form is 412, and a form without a file 400', async () => {
    const answer = await fetch(`${croft.endpoint}/forms`, { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/html' } });
    expect([answer.status, await answer.text()]).toEqual([412, expect.stringContaining('enclosure-type multipart/form-data')]);
    expect((await post({ key: 'k' }, null)).text).toContain('POST requires exactly one file upload per request.');
  });

  test.skipIf(!existsSync(join(VENV, 'python')))('boto3’s presigned post, its signature verified', async () => {
    const verifying = await startCroft({ auth: 'verify', rootAccessKeyId: 'AKIAROOTROOTROOTROOT', rootSecretAccessKey: 'secret' } as Parameters<
      typeof startCroft
    >[0]);
    try {
      const script = `
import boto3, sys, urllib.request, uuid
from botocore.config import Config
v4 = boto3.client('s3', config=Config(signature_version='s3v4'), endpoint_url='${verifying.endpoint}', region_name='us-east-1', aws_access_key_id='AKIAROOTROOTROOTROOT', aws_secret_access_key='secret')
s3 = boto3.client('s3', endpoint_url='${verifying.endpoint}', region_name='us-east-1', aws_access_key_id='AKIAROOTROOTROOTROOT', aws_secret_access_key='secret')
s3.create_bucket(Bucket='posted')
def post(fields):
    b = uuid.uuid4().hex
    body = ''.join(f'--{b}\\r\\nContent-Disposition: form-data; name="{k}"\\r\\n\\r\\n{v}\\r\\n' for k, v in fields.items())
    body += f'--{b}\\r\\nContent-Disposition: form-data; name="file"; filename="f"\\r\\n\\r\\nhello\\r\\n--{b}--\\r\\n'
    request = urllib.request.Request('${verifying.endpoint}/posted', body.encode(), {'Content-Type': f'multipart/form-data; boundary={b}'})
    try: return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as e: return e.read().decode().split('<Code>')[1].split('<')[0]
p = s3.generate_presigned_post('posted', 'k', ExpiresIn=60)
print(post(p['fields']), s3.get_object(Bucket='posted', Key='k')['Body'].read().decode())
q = v4.generate_presigned_post('posted', 'k', ExpiresIn=60)
print(post(q['fields']), post({**q['fields'], 'x-amz-signature': '0' * 64}), post({**p['fields'], 'signature': 'x'}), post({'key': 'k'}))
`;
      const { stdout } = await run(join(VENV, 'python'), ['-c', script]);
      expect(stdout.trim().split('\n')).toEqual(['204 hello', '204 SignatureDoesNotMatch SignatureDoesNotMatch AccessDenied']);
    } finally {
      await verifying.stop();
    }
  });

  test('a form in pieces of one byte reads the same', async () => {
    const text =
      '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n\r\n--not b\r\n--b--\r\n';
    const bytes = async function* () {
      for (const byte of Buffer.from(text)) yield Buffer.from([byte]);
    };
    const form = await readForm(bytes(), boundaryOf('multipart/form-data; boundary=b'));
    const file: Uint8Array[] = [];
    for await (const chunk of form.file?.chunks ?? []) file.push(Buffer.from(chunk));
    expect([form.fields.get('key'), Buffer.concat(file).toString()]).toEqual(['k', '\r\n--not b']);
  });
});

describe('websites', () => {
  const host = 'site.s3-website.localhost.localstack.cloud';
  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'site' }));
    const put = (Key: string, Body: string, more = {}) => s3.send(new PutObjectCommand({ Bucket: 'site', Key, Body, ContentType: 'text/html', ...more }));
    await put('index.html', 'home');
    await put('docs/index.html', 'docs');
    await put('error.html', 'lost');
    await put('moved', '', { WebsiteRedirectLocation: '/docs/' });
    const RoutingRules = [
      { Condition: { KeyPrefixEquals: 'old/' }, Redirect: { ReplaceKeyPrefixWith: 'new/' } },
      { Condition: { HttpErrorCodeReturnedEquals: '404', KeyPrefixEquals: 'app/' }, Redirect: { ReplaceKeyWith: 'index.html', HttpRedirectCode: '302' } },
    ];
    const WebsiteConfiguration = { IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' }, RoutingRules };
    await s3.send(new PutBucketWebsiteCommand({ Bucket: 'site', WebsiteConfiguration }));
  });

  test.each<[string, number, string | undefined, string | undefined]>([
    ['/', 200, 'home', undefined],
    ['/docs/', 200, 'docs', undefined],
    ['/docs', 302, undefined, '/docs/'],
    ['/moved', 301, undefined, '/docs/'],
    ['/old/x', 301, undefined, `http://${host}/new/x`],
    ['/app/route', 302, undefined, `http://${host}/index.html`],
    ['/nothing', 404, 'lost', undefined],
  ])('%s is %i', async (path, status, body, location) => {
    const answer = await ask(host, path);
    expect([answer.status, answer.headers['location']]).toEqual([status, location]);
    if (body !== undefined) expect(answer.body).toBe(body);
  });

  test('errors are pages, HEAD is read, and nothing can be written', async () => {
    expect((await ask('none.s3-website.localhost.localstack.cloud', '/')).body).toContain('<li>Code: NoSuchBucket</li>');
    expect((await ask(host, '/', { method: 'HEAD' })).headers['content-length']).toBe('4');
    expect(await ask(host, '/x', { method: 'DELETE' })).toMatchObject({ status: 405, body: expect.stringContaining('<li>Method: DELETE</li>') });
    expect((await ask('site.s3-website-us-east-1.amazonaws.com', '/')).body).toBe('home');
  });
});

describe('web pages of other origins', () => {
  const host = () => `127.0.0.1:${croft.port}`;
  const page = 'https://app.example.com';
  beforeAll(async () => {
    for (const Bucket of ['open-to', 'closed']) await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket: 'open-to', Key: 'k', Body: 'x' }));
    const CORSRules = [
      { AllowedOrigins: ['https://*.example.com'], AllowedMethods: ['GET', 'PUT'], AllowedHeaders: ['x-amz-*'], ExposeHeaders: ['ETag'], MaxAgeSeconds: 60 },
    ];
    await s3.send(new PutBucketCorsCommand({ Bucket: 'open-to', CORSConfiguration: { CORSRules } }));
  });

  const preflight = (path: string, headers: Record<string, string>) => ask(host(), path, { method: 'OPTIONS', headers });

  test('the bucket’s rules answer preflights and let its pages in', async () => {
    const asked = { Origin: page, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'X-Amz-Date' };
    expect(await preflight('/open-to/k', asked)).toMatchObject({
      status: 200,
      headers: {
        'access-control-allow-origin': page,
        'access-control-allow-methods': 'GET, PUT',
        'access-control-allow-headers': 'x-amz-date',
        'access-control-expose-headers': 'ETag',
        'access-control-max-age': '60',
        'access-control-allow-credentials': 'true',
      },
    });
    const got = await ask(host(), '/open-to/k', { headers: { Origin: page, 'Sec-Fetch-Site': 'cross-site' } });
    expect(got).toMatchObject({ status: 200, body: 'x', headers: { 'access-control-allow-origin': page } });
  });

  test('others are kept out, in the bucket’s words or the guard’s', async () => {
    const method = { 'Access-Control-Request-Method': 'PUT' };
    const refused = async (path: string, headers: Record<string, string>) => {
      const { status, body } = await preflight(path, headers);
      return [status, /<Message>([^<]*)/.exec(body)?.[1]];
    };
    expect(await refused('/open-to/k', { Origin: 'https://evil.test', ...method })).toEqual([
      403,
      expect.stringMatching(/^CORSResponse: This CORS request is not allowed\./),
    ]);
    expect(await refused('/closed/k', { Origin: page, ...method })).toEqual([403, 'CORSResponse: CORS is not enabled for this bucket.']);
    expect(await refused('/no-such-bucket/k', { Origin: page, ...method })).toEqual([403, 'CORSResponse: Bucket not found']);
    expect(await refused('/open-to/k', {})).toEqual([400, 'Insufficient information. Origin request header needed.']);
    for (const path of ['/open-to/k', '/closed/k', '/']) {
      expect((await ask(host(), path, { headers: { Origin: 'https://evil.test' } })).status).toBe(403);
    }
    // The rules open objects, not what the bucket is, nor other buckets.
    const headers = { Origin: page, 'Content-Length': '0' };
    expect((await ask(host(), '/open-to/copied', { method: 'PUT', headers: { ...headers, 'x-amz-copy-source': '/closed/k' } })).status).toBe(403);
    expect((await ask(host(), '/open-to?policy', { method: 'PUT', headers })).status).toBe(403);
    expect((await ask(host(), '/open-to/new', { method: 'PUT', headers })).status).toBe(200);
    expect((await ask('evil.test', '/open-to/k', { headers: { Origin: page } })).status).toBe(403);
  });

  test('pages of this machine come in where a bucket has no rules', async () => {
    expect((await preflight('/closed/k', { Origin: 'http://localhost:3000', 'Access-Control-Request-Method': 'PUT' })).status).toBe(204);
  });

  test('rules are tried in their order', () => {
    const rules = [
      { AllowedOrigins: ['http://a'], AllowedMethods: ['GET'] },
      { AllowedOrigins: ['*'], AllowedMethods: ['GET', 'PUT'], AllowedHeaders: ['*'] },
    ];
    expect(allowCors(rules, { origin: 'http://a', method: 'GET', headers: undefined })).toMatchObject({ 'Access-Control-Allow-Origin': 'http://a' });
    expect(allowCors(rules, { origin: 'http://a', method: 'PUT', headers: 'x' })).toMatchObject({ 'Access-Control-Allow-Origin': '*' });
    expect(allowCors(rules, { origin: 'http://a', method: 'DELETE', headers: undefined })).toBeUndefined();
  });
});

test('a header of letters that are not ASCII comes back', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'letters' }));
  const answer = await ask(`127.0.0.1:${croft.port}`, '/letters/k', {
    method: 'PUT',
    headers: { 'Content-Disposition': 'filename="\xe9"', 'Content-Length': '0' },
  });
  expect(answer.status).toBe(200);
  expect((await s3.send(new HeadObjectCommand({ Bucket: 'letters', Key: 'k' }))).ContentDisposition).toBe('filename="\xe9"');
});
