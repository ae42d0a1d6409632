import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { InvokeAsyncCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Credential, Principal } from '../identity/principal.ts';
import { checkLegacySignature, readLegacyAuthorization } from '../identity/sigv2.ts';
import { systemClock } from '../kit/clock.ts';
import type { Service } from '../services/service.ts';
import { startGateway, type TestGateway } from './testing/gateway.ts';
import { testRooms } from './testing/rooms.ts';

const { rooms, objects } = testRooms();
const user: Principal = { account: '111122223333', accessKeyId: 'AKIAUSERUSERUSERUSER', arn: 'arn:aws:iam::111122223333:user/u', userId: 'AIDA', type: 'user' };
const session: Principal = { ...user, accessKeyId: 'ASIASESSIONSESSION00', arn: 'arn:aws:sts::111122223333:assumed-role/r/s', type: 'assumed-role' };
const root: Credential = {
  accessKeyId: 'root',
  secretAccessKey: 'root-secret',
  principal: { account: '000000000000', accessKeyId: 'root', arn: 'arn:aws:iam::000000000000:root', userId: '000000000000', type: 'root' },
};

const startMs = Date.now();
let nowMs = startMs;
beforeEach(() => {
  nowMs = startMs;
});
let sessionEndsMs = Number.POSITIVE_INFINITY;
const iam: Service = {
  name: 'iam',
  operations: {},
  credential: async (_platform, accessKeyId) => {
    if (accessKeyId === user.accessKeyId) return { accessKeyId, secretAccessKey: 'user-secret', principal: user };
    if (accessKeyId === session.accessKeyId)
      return { accessKeyId, secretAccessKey: 'session-secret', sessionToken: 'token', expiresMs: sessionEndsMs, principal: session };
    return undefined;
  },
};

let croft: TestGateway;
beforeAll(async () => {
  croft = await startGateway([...rooms, iam], { auth: 'verify', rootCredential: root }, { clock: { ...systemClock(), real: () => nowMs } });
});
afterAll(() => croft.stop());

const as = (accessKeyId: string, secretAccessKey: string, sessionToken?: string) => ({
  ...croft.sdk,
  credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
});
const good = () => as('root', 'root-secret');
const caller = (config: ReturnType<typeof as>) => new STSClient(config).send(new GetCallerIdentityCommand({}));

describe('a good signature names the caller', () => {
  test('root key, user key, session', async () => {
    expect((await caller(good())).Arn).toBe('arn:aws:iam::000000000000:root');
    expect(await caller(as(user.accessKeyId, 'user-secret'))).toMatchObject({ Arn: user.arn, Account: '111122223333' });
    expect((await caller(as(session.accessKeyId, 'session-secret', 'token'))).Arn).toBe(session.arn);
  });
  test('every protocol’s client', async () => {
    expect(await new SQSClient({ ...good(), md5: false }).send(new SendMessageCommand({ QueueUrl: 'q', MessageBody: 'm ü' }))).toMatchObject({
      MessageId: 'm ü',
    });
    // A path that is encoded twice in what is signed.
    expect(
      await new LambdaClient(good()).send(
        new InvokeCommand({ FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:f', Qualifier: '$LATEST', Payload: '{}' }),
      ),
    ).toMatchObject({ StatusCode: 200 });
  });
  test('a streaming operation outside of S3', async () => {
    expect(await new LambdaClient(good()).send(new InvokeAsyncCommand({ FunctionName: 'f', InvokeArgs: '{"a":1}' }))).toMatchObject({ Status: 207 });
  });
  test('S3: odd keys, streams with trailing checksums, presigned', async () => {
    const s3 = new S3Client({ ...good(), forcePathStyle: true });
    for (const key of ['plain', 'a b+c//d/../é!*()', 'a b+c//é!*()', '%41']) {
      await s3.send(new PutObjectCommand({ Bucket: 'b', Key: key, Body: 'x' }));
      expect(objects.get(`b/${key}`)?.toString()).toBe('x');
    }
    const body = Buffer.alloc(200_000, 'x');
    await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'stream', Body: Readable.from([body]), ContentLength: body.length }));
    expect(objects.get('b/stream')?.length).toBe(200_000);
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: 'b', Key: 'a b+c//é!*()' }), { expiresIn: 60 });
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'x']);
  });
  test('operations that need no signature', async () => {
    const answer = await new STSClient(good()).send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn: 'arn:aws:iam::111122223333:role/some-role', RoleSessionName: 'name', WebIdentityToken: 'token' }),
    );
    expect(answer.SubjectFromWebIdentityToken).toBe('anonymous');
  });
});

describe('each failure has AWS’s error', () => {
  const sqs = (config: ReturnType<typeof as>) => new SQSClient({ ...config, md5: false }).send(new SendMessageCommand({ QueueUrl: 'q', MessageBody: 'm' }));
  const lambda = (config: ReturnType<typeof as>) => new LambdaClient(config).send(new InvokeCommand({ FunctionName: 'f' }));
  const s3 = (config: ReturnType<typeof as>) => new S3Client({ ...config, forcePathStyle: true }).send(new GetObjectCommand({ Bucket: 'b', Key: 'plain' }));
  const noSuch = () => as('AKIANOSUCHNOSUCHNOSU', 'x');
  const wrong = () => as('root', 'wrong');
  test.each([
    ['unknown key, query', () => caller(noSuch()), 'InvalidClientTokenId', 403, 'The security token included in the request is invalid.'],
    ['unknown key, JSON', () => sqs(noSuch()), 'UnrecognizedClientException', 400, 'The security token included in the request is invalid.'],
    ['unknown key, REST', () => lambda(noSuch()), 'UnrecognizedClientException', 403, 'The security token included in the request is invalid.'],
    ['unknown key, S3', () => s3(noSuch()), 'InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.'],
    [
      'bad signature, query',
      () => caller(wrong()),
      'SignatureDoesNotMatch',
      403,
      'does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    ],
    [
      'bad signature, JSON',
      () => sqs(wrong()),
      'InvalidSignatureException',
      400,
      'does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    ],
    ['bad signature, REST', () => lambda(wrong()), 'InvalidSignatureException', 403, 'does not match'],
    ['bad signature, S3', () => s3(wrong()), 'SignatureDoesNotMatch', 403, 'Check your key and signing method.'],
    ['session without its token', () => caller(as(session.accessKeyId, 'session-secret')), 'InvalidClientTokenId', 403, 'invalid'],
    [
      'another token, S3',
      () => s3(as(session.accessKeyId, 'session-secret', 'other')),
      'InvalidToken',
      400,
      'The provided token is malformed or otherwise invalid.',
    ],
  ])('%s', async (_, call, name, status, message) => {
    const error = await call().catch((e: unknown) => e);
    expect(error).toMatchObject({ name, message: expect.stringContaining(message), $metadata: { httpStatusCode: status } });
  });

  test('S3 shows what it signed', async () => {
    const error = await s3(wrong()).catch((e: unknown) => e);
    expect(error).toMatchObject({
      AWSAccessKeyId: 'root',
      StringToSign: expect.stringMatching(/^AWS4-HMAC-SHA256\n/),
      SignatureProvided: expect.stringMatching(/^[0-9a-f]{64}$/),
      CanonicalRequest: expect.stringMatching(/^GET\n\/b\/plain\n/),
    });
  });

  test('an expired session', async () => {
    sessionEndsMs = nowMs - 1;
    const config = as(session.accessKeyId, 'session-secret', 'token');
    await expect(caller(config)).rejects.toMatchObject({ name: 'ExpiredToken', message: 'The security token included in the request is expired' });
    await expect(sqs(config)).rejects.toMatchObject({ name: 'ExpiredTokenException' });
    await expect(s3(config)).rejects.toMatchObject({ name: 'ExpiredToken', message: 'The provided token has expired.' });
    sessionEndsMs = Number.POSITIVE_INFINITY;
  });

  test('a clock that is wrong by more than 15 minutes', async () => {
    const before = nowMs;
    // The SDK would correct its clock by our Date header and try again, so the signature is made by hand.
    nowMs = before + 16 * 60_000;
    expect((await signedByHand('s3', before, { method: 'GET', path: '/b/plain' })).body).toMatch(
      /<Code>RequestTimeTooSkewed<\/Code><Message>The difference between the request time and the current time is too large\.<\/Message>.*<MaxAllowedSkewMilliseconds>900000</,
    );
    expect((await signedByHand('sqs', before)).body).toMatch(/Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)/);
    nowMs = before - 16 * 60_000;
    expect((await signedByHand('sqs', before)).body).toMatch(/Signature not yet current: .* is still later than .* \+ 15 min\.\)/);
  });

  test('an expired or endless presigned URL', async () => {
    const client = new S3Client({ ...good(), forcePathStyle: true });
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'b', Key: 'plain' }), { expiresIn: 60 });
    const before = nowMs;
    nowMs += 62_000;
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringMatching(/<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>.*<X-Amz-Expires>60<\/X-Amz-Expires>/),
    ]);
    nowMs = before;
    const endless = await fetch(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801'));
    expect([endless.status, await endless.text()]).toEqual([400, expect.stringContaining('AuthorizationQueryParametersError')]);
    const changed = await fetch(url.replace('/plain', '/other'));
    expect([changed.status, await changed.text()]).toEqual([403, expect.stringContaining('SignatureDoesNotMatch')]);
  });

  test('no signature at all', async () => {
    const json = await fetch(croft.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.SendMessage', 'content-type': 'application/x-amz-json-1.0' },
      body: '{}',
    });
    expect([json.status, await json.text()]).toEqual([
      400,
      expect.stringMatching(/MissingAuthenticationTokenException.*Request is missing Authentication Token/),
    ]);
    const query = await fetch(croft.endpoint, { method: 'POST', body: new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' }) });
    expect([query.status, await query.text()]).toEqual([403, expect.stringContaining('<Code>MissingAuthenticationToken</Code>')]);
    const s3Answer = await fetch(`${croft.endpoint}/b/plain`);
    expect([s3Answer.status, await s3Answer.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
    const v4a = await fetch(`${croft.endpoint}/b/plain`, {
      headers: { authorization: 'AWS4-ECDSA-P256-SHA256 Credential=root/20240101/s3/aws4_request, SignedHeaders=host, Signature=00' },
    });
    expect([v4a.status, await v4a.text()]).toEqual([400, expect.stringContaining('Please use AWS4-HMAC-SHA256.')]);
  });

  test('a body that is not the signed one', async () => {
    expect((await signedByHand('s3', nowMs, { method: 'PUT', path: '/b/k', body: 'other', hashOf: 'signed' })).body).toContain(
      '<Code>XAmzContentSHA256Mismatch</Code>',
    );
    expect(objects.has('b/k')).toBe(false);
    expect((await signedByHand('s3', nowMs, { method: 'PUT', path: '/b/k', body: 'signed', hashOf: 'signed' })).status).toBe(200);
  });
});

describe('Signature Version 2, with which boto3 presigns for S3', () => {
  // "Signing and authenticating REST requests (AWS signature version 2)", the documentation's own example of a presigned GET.
  test('the string to sign of the documentation', () => {
    const request = {
      method: 'GET',
      path: '/awsexamplebucket1/photos/puppy.jpg',
      query: 'AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620',
      headers: {},
    };
    const authorization = readLegacyAuthorization({}, request.query);
    expect(authorization).toMatchObject({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', expires: '1175139620' });
    if (authorization)
      expect(checkLegacySignature(request, authorization, 'x')).toMatchObject({ stringToSign: 'GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg' });
  });
  const url = (path: string, expires: number, secret = 'root-secret', more = '') => {
    const signature = createHmac('sha1', secret)
      .update(`GET\n\n\n${expires}\n${path}${more ? `?${more}` : ''}`)
      .digest('base64');
    return `${croft.endpoint}${path}?${more ? `${more}&` : ''}AWSAccessKeyId=root&Signature=${encodeURIComponent(signature)}&Expires=${expires}`;
  };
  const ask = async (target: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(target, { headers });
    return { status: answer.status, body: await answer.text() };
  };
  test('good, wrong, expired, changed', async () => {
    objects.set('b/plain', Buffer.from('x'));
    const end = Math.floor(nowMs / 1000) + 60;
    expect(await ask(url('/b/plain', end))).toEqual({ status: 200, body: 'x' });
    expect(await ask(url('/b/plain', end, 'root-secret', 'response-content-type=a'))).toMatchObject({ status: 200 });
    expect(await ask(url('/b/plain', end, 'wrong'))).toMatchObject({
      status: 403,
      body: expect.stringMatching(/<Code>SignatureDoesNotMatch<.*<StringToSign>GET/s),
    });
    expect(await ask(url('/b/plain', end).replace('/plain', '/other'))).toMatchObject({ status: 403 });
    expect(await ask(url('/b/plain', end), { 'x-amz-meta-a': 'added' })).toMatchObject({ status: 403 });
    expect(await ask(url('/b/plain', end - 120))).toMatchObject({ status: 403, body: expect.stringContaining('<Message>Request has expired</Message>') });
    expect(await ask(`${croft.endpoint}/b/plain`, { authorization: 'AWS root:c2ln', 'x-amz-date': new Date(nowMs).toUTCString() })).toMatchObject({
      status: 403,
      body: expect.stringContaining('SignatureDoesNotMatch'),
    });
    expect(await ask(`${croft.endpoint}/b/plain`, { authorization: 'AWS root:c2ln', 'x-amz-date': new Date(nowMs - 1e6).toUTCString() })).toMatchObject({
      body: expect.stringContaining('RequestTimeTooSkewed'),
    });
  });
});

describe('a stream of signed chunks', () => {
  const framed = (spoil: 'data' | 'trailer' | undefined, trailer: boolean) => (seed: string) => {
    const stamp = stampOf(nowMs);
    const key = signingKey('root-secret', stamp, 's3');
    const scope = `${stamp.slice(0, 8)}/us-east-1/s3/aws4_request`;
    let previous = seed;
    const sign = (kind: string, rest: string) => {
      previous = hmac(key, `AWS4-HMAC-SHA256-${kind}\n${stamp}\n${scope}\n${previous}\n${rest}`).toString('hex');
      return previous;
    };
    let text = '';
    for (const data of ['a'.repeat(10_000), 'tail', '']) {
      const head = `${data.length.toString(16)};chunk-signature=${sign('PAYLOAD', `${sha('')}\n${sha(data)}`)}\r\n`;
      text += `${head}${spoil === 'data' ? data.replace('tail', 'tale') : data}${data === '' && trailer ? '' : '\r\n'}`;
    }
    if (!trailer) return text;
    const line = (value: string) => `x-amz-meta-check:${value}`;
    return `${text}${line(spoil === 'trailer' ? 'other' : 'value')}\r\nx-amz-trailer-signature:${sign('TRAILER', sha(`${line('value')}\n`))}\r\n\r\n`;
  };
  const put = (spoil: 'data' | 'trailer' | undefined, trailer: boolean) =>
    signedByHand('s3', nowMs, {
      method: 'PUT',
      path: '/b/chunked',
      hash: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer ? '-TRAILER' : ''}`,
      headers: { 'x-amz-decoded-content-length': '10004', 'content-encoding': 'aws-chunked', ...(trailer ? { 'x-amz-trailer': 'x-amz-meta-check' } : {}) },
      bodyOf: framed(spoil, trailer),
    });
  test.each([false, true])('is taken (trailer: %s)', async (trailer) => {
    expect(await put(undefined, trailer)).toMatchObject({ status: 200 });
    expect(objects.get('b/chunked')?.toString()).toBe(`${'a'.repeat(10_000)}tail`);
    objects.clear();
  });
  test.each([
    ['data', false],
    ['data', true],
    ['trailer', true],
  ] as const)('is refused where the %s differs (trailer: %s)', async (spoil, trailer) => {
    expect(await put(spoil, trailer)).toMatchObject({ status: 403, body: expect.stringContaining('<Code>SignatureDoesNotMatch</Code>') });
    expect(objects.has('b/chunked')).toBe(false);
  });
});

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const stampOf = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
const signingKey = (secret: string, stamp: string, service: string) =>
  [stamp.slice(0, 8), 'us-east-1', service, 'aws4_request'].reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`));

interface ByHand {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly hashOf?: string;
  readonly hash?: string;
  readonly headers?: Record<string, string>;
  readonly bodyOf?: (seed: string) => string;
}

/** An independent signer (`createHmac`), for requests that no SDK sends. */
async function signedByHand(
  service: string,
  timeMs: number,
  { method = 'POST', path = '/', body = '', hashOf, hash, headers = {}, bodyOf }: ByHand = {},
): Promise<{ status: number; body: string }> {
  const stamp = stampOf(timeMs);
  const all: Record<string, string> = {
    host: new URL(croft.endpoint).host,
    'x-amz-date': stamp,
    'x-amz-content-sha256': hash ?? sha(hashOf ?? body),
    ...headers,
  };
  const names = Object.keys(all).sort();
  const canonical = [method, path, '', ...names.map((name) => `${name}:${all[name]}`), '', names.join(';'), all['x-amz-content-sha256']].join('\n');
  const scope = `${stamp.slice(0, 8)}/us-east-1/${service}/aws4_request`;
  const signature = hmac(signingKey('root-secret', stamp, service), `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha(canonical)}`).toString('hex');
  all['authorization'] = `AWS4-HMAC-SHA256 Credential=root/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  if (service === 'sqs') Object.assign(all, { 'x-amz-target': 'AmazonSQS.SendMessage', 'content-type': 'application/x-amz-json-1.0' });
  const sent = bodyOf?.(signature) ?? body;
  const answer = await fetch(`${croft.endpoint}${path}`, { method, headers: all, ...(sent === '' ? {} : { body: sent }) });
  return { status: answer.status, body: await answer.text() };
}
