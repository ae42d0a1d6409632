import { existsSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './testing/gateway.ts';
import { testRooms } from './testing/rooms.ts';

let croft: TestGateway;
beforeAll(async () => {
  croft = await startGateway(testRooms().rooms, { allowedOrigins: ['https://console.example'], allowedHosts: ['host.docker.internal'] });
});
afterAll(() => croft.stop());

const QUERY = '/?Action=GetCallerIdentity&Version=2011-06-15';

function send(headers: Record<string, string>, method = 'GET', path = QUERY): Promise<{ status: number; headers: Record<string, string>; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: croft.port, method, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string>, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

test('with auth off nothing but loopback is bound', async () => {
  for (const host of ['0.0.0.0', '192.168.1.10', '::', 'example.com'])
    await expect(startGateway([], { host })).rejects.toThrow(/needs auth verify, or bind 127\.0\.0\.1/);
});

describe('by headers', () => {
  test.each([
    ['no browser', {}, 200],
    ['a page of localhost', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }, 200],
    ['a page of 127.0.0.1', { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'cross-site' }, 200],
    ['a configured page', { origin: 'https://console.example', 'sec-fetch-site': 'cross-site' }, 200],
    ['the address bar', { 'sec-fetch-site': 'none' }, 200],
    ['a configured host', { host: 'host.docker.internal:4566' }, 200],
    ['*.localhost', { host: 'sts.us-east-1.localhost:4566' }, 200],
    ['AWS’s own name', { host: 'sts.us-east-1.amazonaws.com' }, 200],
    ['a foreign page', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    ['a foreign page of an old browser', { origin: 'https://evil.example' }, 403],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    ['a name that only looks like ours', { origin: 'https://localhost.evil.example' }, 403],
    ['another that does', { origin: 'http://evillocalhost' }, 403],
    ['a foreign image or link', { 'sec-fetch-site': 'cross-site' }, 403],
    ['DNS rebinding', { host: 'evil.example' }, 403],
    ['DNS rebinding with a port', { host: 'evil.example:4566' }, 403],
    ['an address of the network', { host: '192.168.1.10:4566' }, 403],
  ])('%s', async (_, headers, status) => {
    const answer = await send(headers as Record<string, string>);
    expect(answer.status).toBe(status);
    if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ code: 'Forbidden', message: expect.stringContaining('--auth verify') });
  });

  test('preflights are answered for allowed origins only', async () => {
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-amz-target,authorization' };
    expect(await send({ origin: 'http://localhost:3000', ...preflight }, 'OPTIONS', '/')).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': 'http://localhost:3000', 'access-control-allow-headers': 'x-amz-target,authorization' },
    });
    const foreign = await send({ origin: 'https://evil.example', ...preflight }, 'OPTIONS', '/');
    expect(foreign.status).toBe(403);
    expect(foreign.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('a function endpoint answers foreign pages by its own rules, but not under a foreign Host', async () => {
    const path = '/restapis/abc/prod/_user_request_/x';
    const fine = await send({ origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' }, 'GET', path);
    expect(fine).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': 'https://shop.example' } });
    expect((await send({ host: 'evil.example' }, 'GET', path)).status).toBe(403);
    // The path only looks like one: it is S3's.
    expect((await send({ origin: 'https://evil.example' }, 'PUT', '/restapis/_user_request_/x')).status).toBe(403);
  });
});

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
if (!CHROMIUM && process.env['CI'] !== 'true')
  console.warn('skipped: no Chromium here (apt-get install chromium); the header rules above were tested without it');

describe.skipIf(!CHROMIUM && process.env['CI'] !== 'true')('in Chromium', () => {
  let browser: Browser;
  let pages: Server;
  let pagesPort = 0;
  beforeAll(async () => {
    if (!CHROMIUM) throw new Error('CI must have Chromium: apt-get install chromium');
    pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>page</title>'));
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    pagesPort = (pages.address() as AddressInfo).port;
    const { chromium } = await import('playwright-core');
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // A foreign site, and a name that its owner has pointed at this machine.
        '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1',
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  /** What a page at `origin` gets when it fetches. */
  async function fetchFrom(
    origin: string,
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: string; mode?: 'no-cors' } = {},
  ): Promise<{ status: number; type: string; body: string } | 'blocked'> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      return await page.evaluate(
        async ([target, options]) => {
          try {
            const response = await fetch(target, options);
            return { status: response.status, type: response.type, body: await response.text() };
          } catch {
            return 'blocked' as const;
          }
        },
        [url, init] as const,
      );
    } finally {
      await page.close();
    }
  }

  const target = { method: 'POST', headers: { 'x-amz-target': 'AmazonSQS.ListQueues', 'content-type': 'application/x-amz-json-1.0' }, body: '{}' };

  test('a page of localhost may call, preflight and all', async () => {
    expect(await fetchFrom(`http://localhost:${pagesPort}/`, `http://localhost:${croft.port}/`, target)).toMatchObject({
      status: 200,
      body: expect.stringContaining('QueueUrls'),
    });
  });

  test('a foreign page may neither read nor act', async () => {
    const before = croft.telemetry.access.read().length;
    const url = `http://127.0.0.1:${croft.port}`;
    const origin = `http://evil.example:${pagesPort}/`;
    expect(await fetchFrom(origin, `${url}/`, target)).toBe('blocked');
    // What needs no preflight: a form, and an image. The request is sent; nothing must come of it.
    await fetchFrom(origin, `${url}/`, {
      method: 'POST',
      mode: 'no-cors',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=ListQueues&Version=2012-11-05',
    });
    await fetchFrom(origin, url + QUERY, { mode: 'no-cors' });
    expect(croft.telemetry.access.read()).toHaveLength(before);
  });

  test('a rebound name is no way in', async () => {
    const page = await browser.newPage();
    const response = await page.goto(`http://rebound.example:${croft.port}/_croft/health`);
    expect(response?.status()).toBe(403);
    await page.close();
  });

  test('a foreign page may call a function that allows it', async () => {
    const answer = await fetchFrom(`http://evil.example:${pagesPort}/`, `http://abc.execute-api.localhost:${croft.port}/prod/x`, { mode: 'no-cors' });
    expect(answer).toMatchObject({ type: 'opaque' });
  });
});
