import type { Blobs } from '../../blobs/blobs.ts';
import type { Bus } from '../../bus/bus.ts';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { createIds } from '../../kit/ids.ts';
import type { Log } from '../../kit/log.ts';
import type { Platform, Service } from '../../services/service.ts';
import { openStore } from '../../store/open.ts';
import { createTelemetry, type Telemetry } from '../../telemetry/index.ts';
import { type AdminHooks, createGateway, type Gateway, type GatewayOptions } from '../index.ts';

/** A gateway over a real socket with rooms of a test's own, the memory store, and nothing else of the server. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly telemetry: Telemetry;
  readonly platform: Platform;
  readonly port: number;
  readonly endpoint: string;
  /** What was logged at `error`. */
  readonly errors: string[];
  readonly sdk: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string }; maxAttempts: number };
  stop(): Promise<void>;
}

export async function startGateway(
  services: readonly Service[],
  options: GatewayOptions = {},
  extra: { admin?: Partial<AdminHooks>; clock?: Clock } = {},
): Promise<TestGateway> {
  const errors: string[] = [];
  const log: Log = { debug() {}, info() {}, warn() {}, error: (fields, message) => void errors.push(`${message}: ${String(fields['err'])}`) };
  const clock = extra.clock ?? systemClock();
  const ids = createIds();
  const store = await openStore({ store: 'memory', clock });
  const telemetry = createTelemetry({ store, clock, ids, log });
  let gateway: Gateway | undefined;
  let port = 0;
  const platform: Platform = {
    store,
    // A gateway uses neither bodies nor deliveries: a room of these tests that does is a mistake in the test.
    blobs: unused<Blobs>('blobs'),
    bus: unused<Bus>('bus'),
    clock,
    ids,
    log,
    address: () => ({ scheme: options.tls ? 'https' : 'http', host: 'localhost', port }),
    contextFor: (contextOptions) => {
      if (!gateway) throw new Error('no gateway yet');
      return gateway.contextFor(contextOptions);
    },
  };
  const made = createGateway({ services, platform, telemetry, options, admin: { version: '0.0.0-test', production: false, ...extra.admin } });
  gateway = made;
  ({ port } = await made.listen());
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    gateway: made,
    telemetry,
    platform,
    port,
    endpoint,
    errors,
    sdk: { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 },
    async stop() {
      await made.close(1000);
      await telemetry.stop();
      await store.close();
    },
  };
}

function unused<T extends object>(name: string): T {
  return new Proxy({} as T, {
    get() {
      throw new Error(`this test has no ${name}`);
    },
  });
}
