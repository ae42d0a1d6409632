import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Telemetry } from './telemetry.ts';
import { readSubscription } from './telemetry-subscription.ts';

const destination = { protocol: 'HTTP', URI: 'http://sandbox.localdomain:8080/x' };

describe('a subscription', () => {
  it.each([
    [
      'telemetry',
      { types: ['platform'], destination },
      { schemaVersion: '2022-07-01', destination: { protocol: 'HTTP', port: 8080, path: '/x', method: 'POST' } },
    ],
    ['logs', { types: ['function'], destination: { protocol: 'TCP', port: 9 } }, { schemaVersion: '2020-08-15', destination: { protocol: 'TCP', port: 9 } }],
    ['logs', { types: ['function', 'function'], destination, schemaVersion: '2021-03-18' }, { types: ['function'] }],
    [
      'telemetry',
      { types: ['platform'], destination: { ...destination, method: 'PUT' } },
      { buffering: { timeoutMs: 1000, maxBytes: 262_144, maxItems: 10_000 } },
    ],
  ] as const)('%s %j', (api, request, read) => {
    expect(readSubscription(api, JSON.stringify(request))).toMatchObject(read);
  });

  it.each([
    [{ types: [], destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain/x' } }, 'URI port is not provided; types should not be empty'],
    [{ types: ['other'], destination }, 'types should be of [platform, function, extension]'],
    [{ types: ['platform'] }, 'destination is not provided'],
    [
      { types: ['platform'], destination: { protocol: 'HTTP', URI: 'http://169.254.169.254:80/' } },
      'URI host should be sandbox.localdomain; URI port is not provided',
    ],
    [{ types: ['platform'], destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain:9001/' } }, 'URI port 9001 is reserved'],
    [{ types: ['platform'], destination: { protocol: 'TCP', port: 70_000 } }, 'port is not valid'],
    [{ types: ['platform'], destination, buffering: { maxItems: 1 } }, 'maxItems should be between 1000 and 10000'],
    [{ types: ['platform'], destination, schemaVersion: '1999-01-01' }, 'schemaVersion should be one of [2022-07-01, 2022-12-13, 2025-01-29]'],
  ])('%j is refused', (request, message) => {
    expect(readSubscription('telemetry', JSON.stringify(request))).toBe(message);
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((value) => JSON.stringify({ types: ['platform'], destination, ...value })),
        ),
        (body) => {
          const read = readSubscription('telemetry', body);
          expect(typeof read === 'string' || read.types.length > 0).toBe(true);
        },
      ),
    );
  });
});

describe('deliveries', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** A subscriber that answers `status`, and what it got. */
  async function listen(status: () => number): Promise<{ readonly port: number; readonly batches: unknown[][] }> {
    const batches: unknown[][] = [];
    const server = createServer(async (request: IncomingMessage, response) => {
      const body = JSON.parse(await text(request)) as unknown[];
      const code = status();
      if (code === 200) batches.push(body);
      response.writeHead(code).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    return { port: (server.address() as AddressInfo).port, batches };
  }

  const telemetryTo = (ports: number[]): Telemetry => {
    const to = (port: number) =>
      new Promise<Socket>((resolve, reject) => {
        ports.push(port);
        const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
        socket.once('error', reject);
      });
    const telemetry = new Telemetry({ connect: to, now: () => 'now' });
    closing.push(() => telemetry.begin(false));
    telemetry.begin(true);
    return telemetry;
  };

  const request = (port: number) => JSON.stringify({ types: ['function'], destination: { protocol: 'HTTP', URI: `http://sandbox.localdomain:${port}` } });

  it('come in order, with what was before the subscription', async () => {
    const { port, batches } = await listen(() => 200);
    const telemetry = telemetryTo([]);
    telemetry.publish('function', 'function', 'early');
    telemetry.publish('platform', 'platform.start', {});
    expect(telemetry.subscribe('one', 'telemetry', request(port))).toMatchObject({ status: 200, body: '"OK"' });
    for (let i = 0; i < 3; i++) telemetry.publish('function', 'function', i);
    await telemetry.flush();
    expect(batches.flat()).toEqual(['early', 0, 1, 2].map((record) => ({ time: 'now', type: 'function', record })));
  });

  it('are tried again where the subscriber fails', async () => {
    const answers = [500, 503, 200];
    const ports: number[] = [];
    const { port, batches } = await listen(() => answers.shift() ?? 200);
    const telemetry = telemetryTo(ports);
    telemetry.subscribe('one', 'telemetry', request(port));
    telemetry.publish('function', 'function', 'kept');
    await telemetry.flush();
    expect(batches).toHaveLength(1);
    expect(ports).toEqual([port, port, port]);
  });

  it('are for one API an extension', () => {
    const telemetry = telemetryTo([]);
    telemetry.subscribe('one', 'telemetry', request(1));
    expect(telemetry.subscribe('one', 'logs', request(1)).status).toBe(403);
    expect(telemetry.subscribe('one', 'telemetry', request(1)).status).toBe(200);
    telemetry.close();
    expect(JSON.parse(telemetry.subscribe('two', 'telemetry', request(1)).body)).toMatchObject({ errorType: 'Telemetry.SubscriptionClosed' });
  });
});
