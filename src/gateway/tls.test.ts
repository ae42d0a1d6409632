import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import { startGateway, type TestGateway } from './testing/gateway.ts';
import { testRooms } from './testing/rooms.ts';
import { openTls, type Tls } from './tls.ts';

const run = promisify(execFile);
const ids = createIds();
let folder: string;
let tls: Tls;
let croft: TestGateway;
let realMs = Date.now();
const clock = { ...systemClock(), real: () => realMs };
beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'croft-tls-')), 'tls');
  tls = await openTls({ folder, clock, ids, extraHosts: ['croft.internal', '10.1.2.3'] });
  croft = await startGateway(testRooms().rooms, { tls });
});
afterAll(async () => {
  await croft.stop();
  await rm(join(folder, '..'), { recursive: true });
});

test('the CA is made once, and only its owner reads its key', async () => {
  expect(await readFile(join(folder, 'ca.pem'), 'utf8')).toBe(tls.ca);
  expect((await stat(join(folder, 'ca-key.pem'))).mode & 0o777).toBe(0o600);
  expect((await openTls({ folder, clock, ids })).ca).toBe(tls.ca);
});

test('the certificates are what clients ask for', () => {
  const ca = new X509Certificate(tls.ca);
  const leaf = new X509Certificate(tls.standard().cert);
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  for (const name of ['localhost', 'localhost.localstack.cloud', 's3.localhost.localstack.cloud', 'croft.internal']) expect(leaf.checkHost(name)).toBeDefined();
  for (const address of ['127.0.0.1', '::1', '10.1.2.3']) expect(leaf.checkIP(address)).toBeDefined();
  expect(leaf.checkHost('example.com')).toBeUndefined();
  expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).toBeLessThan(398 * 86_400_000);
});

function get(servername: string | undefined, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ ca: tls.ca, ...(servername ? { servername } : {}) });
    const request = httpsRequest(
      { host, port: croft.port, path: '/_croft/health', agent, headers: { host: `${servername ?? 'localhost'}:${croft.port}` } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode === 200 ? 'fine' : String(response.statusCode)));
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => reject(error));
    request.end();
  });
}

test.each([
  undefined,
  'localhost',
  'bucket.s3.localhost',
  'my.bucket.s3.us-east-1.localhost.localstack.cloud',
  'abc.execute-api.eu-west-1.localhost',
  'LOCALHOST',
])('a client that trusts the CA reaches %s', async (name) => {
  await expect(get(name)).resolves.toMatch(/fine|403|404/);
});

test('a name that is not ours gets no certificate of its own', async () => {
  await expect(get('evil.example')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('a client that does not trust the CA refuses', async () => {
  const refused = new Promise((resolve) => connectTls({ host: '127.0.0.1', port: croft.port, servername: 'localhost' }).on('error', resolve));
  await expect(refused).resolves.toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE/) });
});

test('an SDK client, over HTTPS and over HTTP on the same port', async () => {
  const secure = new STSClient({
    ...croft.sdk,
    endpoint: `https://localhost:${croft.port}`,
    requestHandler: { httpsAgent: new Agent({ ca: tls.ca, keepAlive: true, family: 4 }) },
  });
  for (let i = 0; i < 3; i++) expect((await secure.send(new GetCallerIdentityCommand({}))).Account).toBe('000000000000');
  secure.destroy();
  const plain = new STSClient(croft.sdk);
  expect((await plain.send(new GetCallerIdentityCommand({}))).Account).toBe('000000000000');
  plain.destroy();
});

test('curl', async (context) => {
  const found = await run('curl', ['--version']).catch(() => undefined);
  if (!found) return context.skip('no curl here');
  const { stdout } = await run('curl', [
    '-sS',
    '--cacert',
    join(folder, 'ca.pem'),
    '--resolve',
    `localhost:${croft.port}:127.0.0.1`,
    `https://localhost:${croft.port}/_croft/health`,
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'running' });
});

test('a certificate is made anew before it expires', () => {
  const before = tls.standard();
  const context = tls.context('x.localhost');
  expect(tls.standard()).toBe(before);
  realMs += 368 * 86_400_000;
  expect(tls.standard()).not.toBe(before);
  expect(tls.context('x.localhost')).not.toBe(context);
  expect(Date.parse(new X509Certificate(tls.standard().cert).validTo)).toBeGreaterThan(realMs + 300 * 86_400_000);
  realMs -= 368 * 86_400_000;
});

test('bytes that are neither HTTP nor TLS end the connection', async () => {
  const text = await new Promise<string>((resolve) => {
    let got = '';
    const socket = connectTcp(croft.port, '127.0.0.1', () => socket.write('\x00\x01\x02 nonsense\r\n\r\n'));
    socket.on('data', (part) => {
      got += part.toString('latin1');
    });
    socket.on('close', () => resolve(got));
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
});
