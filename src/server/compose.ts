import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Blobs } from '../blobs/blobs.ts';
import { openBlobs } from '../blobs/filesystem.ts';
import type { Bus } from '../bus/bus.ts';
import { createBus } from '../bus/outbox.ts';
import { chooseDriver } from '../compute/sandbox/choose.ts';
import { createGateway, type Gateway } from '../gateway/index.ts';
import { openTls } from '../gateway/tls.ts';
import { systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import type { Platform, Service } from '../services/service.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { createLog, createTelemetry, type Telemetry, traceDeliveries } from '../telemetry/index.ts';
import { backUpData, holdable } from './backup.ts';
import { scheduleBlobSweeps } from './blob-sweep.ts';
import { advanceClock } from './clock-control.ts';
import type { Config } from './config.ts';
import { allRooms } from './rooms.ts';
import { rootKey } from './root-key.ts';
import { portsOf } from './settings.ts';
import { version } from './version.ts';

/** How long rooms and the bus may finish what is under way, after the sockets are closed. */
const BUS_STOP_MS_MAX = 5_000;

/** One Croft: everything of a process, put together. The only file that knows every part. */
export interface Server {
  readonly platform: Platform;
  readonly gateway: Gateway;
  readonly telemetry: Telemetry;
  readonly rooms: readonly Service[];
  /** Starts rooms and bus, then opens the port. */
  start(): Promise<{ readonly port: number }>;
  /** Drains requests, stops bus and rooms, closes the store. May be called at any time, more than once. */
  stop(): Promise<void>;
}

/** Opens the store and puts the parts together; nothing listens before {@link Server.start}. */
export async function compose(config: Config): Promise<Server> {
  const clock = systemClock();
  const ids = createIds();
  const log = createLog({ level: config.logLevel });
  const keepsData = !config.ephemeral && config.store !== 'memory';
  const dataDir = keepsData ? config.dataDir : await mkdtemp(join(tmpdir(), 'croft-'));
  const disk = await openStore({ store: config.store, dataDir, clock });
  const blobs = holdable(await openBlobs(join(dataDir, 'blobs'), { ids, clock, durable: keepsData }));
  const telemetry = createTelemetry({ store: disk, clock, ids, log });
  const { store, calls, lineage } = telemetry;
  const bus = createBus({
    store,
    clock,
    ids,
    onError: (fields, message) => log.error(fields, message),
    around: traceDeliveries(calls, lineage, clock, ids),
    causing: () => calls.current()?.trace,
  });
  telemetry.metrics.gauge('croft_bus', 'Figures of the bus, by name.', () => Object.entries(bus.stats()).map(([name, value]) => [{ name }, value] as const));

  let port = config.port;
  let stopSweeps = () => {};
  const root = await rootKey(config, ids);
  const tls = config.tls ? await openTls({ folder: join(dataDir, 'tls'), clock, ids }) : undefined;
  const platform: Platform = {
    store,
    blobs,
    bus,
    clock,
    ids,
    log,
    address: () => ({ scheme: config.tls ? 'https' : 'http', host: 'localhost', port }),
    contextFor: (options) => gateway.contextFor(options),
    get credentials() {
      return gateway.credentials;
    },
    async watch(service, arn, listener) {
      const room = rooms.find(({ name }) => name === service);
      return room?.watch ? room.watch(platform, arn, listener) : () => undefined;
    },
  };
  const { driver, notes } = await chooseDriver(config.isolation, {
    directory: join(dataDir, 'compute'),
    newId: () => ids.bytes(16).toString('hex'),
    limitCpu: config.limitCpu,
    network: config.functionNetwork,
    hostPorts: portsOf(config.allowHostPort),
    // Whoever may create functions is somebody else than who runs the machine.
    namedHostPorts: config.auth === 'off' && !config.production,
    endpoint: { port: () => port, connect: (socket) => gateway.accept(socket) },
  });
  for (const note of notes) log.info({ driver: driver.name, isolation: driver.isolation }, note);
  const rooms = allRooms({ dataDir, config, platform, driver, metrics: telemetry.metrics });
  const gateway: Gateway = createGateway({
    services: rooms,
    platform,
    telemetry,
    options: {
      host: config.host,
      port: config.port,
      auth: config.auth,
      region: config.region,
      ...(tls ? { tls } : {}),
      ...(root ? { rootCredential: { ...root, principal: rootPrincipal(root.accessKeyId) } } : {}),
    },
    admin: {
      version: version(),
      production: config.production,
      health: () => ({ status: 'running', pid: process.pid, store: store.driver, auth: config.auth, isolation: driver.isolation, driver: driver.name, notes }),
      backup: (folder) => backUpData(store, blobs, dataDir, folder),
      advanceClock: (byMs) => advanceClock(clock, bus, byMs),
    },
  });
  return {
    platform,
    gateway,
    telemetry,
    rooms,
    async start() {
      for (const room of rooms) await room.start?.(platform);
      await bus.start();
      ({ port } = await gateway.listen());
      if (keepsData) stopSweeps = scheduleBlobSweeps({ platform, rooms });
      return { port };
    },
    stop: once(() => {
      stopSweeps();
      return shutDown({ gateway, bus, rooms, telemetry, store, blobs }, config.drainMs, keepsData ? undefined : dataDir);
    }),
  };
}

const ROOT_ACCOUNT = '000000000000';

function rootPrincipal(accessKeyId: string) {
  return { account: ROOT_ACCOUNT, accessKeyId, arn: `arn:aws:iam::${ROOT_ACCOUNT}:root`, userId: ROOT_ACCOUNT, type: 'root' as const };
}

interface Parts {
  readonly gateway: Gateway;
  readonly bus: Bus;
  readonly rooms: readonly Service[];
  readonly telemetry: Telemetry;
  readonly store: Store;
  readonly blobs: Blobs;
}

/** Outside in: sockets, bus, rooms (the last made first), telemetry, store. */
async function shutDown(parts: Parts, drainMs: number, scratch: string | undefined): Promise<void> {
  await parts.gateway.close(drainMs);
  await parts.bus.stop(BUS_STOP_MS_MAX);
  for (const room of [...parts.rooms].reverse()) await room.stop?.();
  await parts.telemetry.stop();
  await parts.store.close();
  if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
