import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { helperBinary } from '../../src/compute/sandbox/choose.ts';
import { createSandboxDriver, type SandboxDriver, type SandboxDriverOptions } from '../../src/compute/sandbox/driver.ts';
import { startCompute, type TestCompute, type TestFunction, testFunction } from '../../src/compute/testing.ts';
import { createIds } from '../../src/kit/ids.ts';

/** What the machine has that a function must not find; given to the probes as their event. */
export interface Bait {
  readonly event: Record<string, unknown>;
  close(): void;
}

const NAMESPACES = ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'];

/** A server on the machine's loopback, an abstract socket, a file; and which namespaces are the machine's. */
export async function layBait(): Promise<Bait> {
  const listen = async (where: { host: string; port: number } | { path: string }) => {
    const server = createServer((socket) => socket.on('error', () => {}).end('from the machine')).unref();
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(where, resolve));
    return server;
  };
  const folder = mkdtempSync(join(tmpdir(), 'croft-bait-'));
  const hostFile = join(folder, 'secret');
  writeFileSync(hostFile, 'secret');
  const abstractSocket = `croft-bait-${process.pid}`;
  const servers: Server[] = [await listen({ host: '0.0.0.0', port: 0 }), await listen({ path: `\0${abstractSocket}` })];
  const address = servers[0]?.address();
  const hostAddresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address),
  );
  return {
    event: {
      hostFile,
      abstractSocket,
      hostPort: typeof address === 'object' && address ? address.port : 0,
      hostAddresses,
      namespaces: Object.fromEntries(NAMESPACES.map((kind) => [kind, readlinkSync(`/proc/self/ns/${kind}`)])),
      root: process.getuid?.() === 0,
      tmpMb: 512,
    },
    close() {
      for (const server of servers) server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A compute plane on the sandbox driver, however little the machine gives it. */
export async function startSandboxed(options: Partial<SandboxDriverOptions> = {}): Promise<TestCompute & { readonly driver: SandboxDriver }> {
  const ids = createIds();
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'croft-sandboxed-'));
  const driver = createSandboxDriver({ newId: () => ids.bytes(16).toString('hex'), binary: helperBinary(), ...options, directory });
  const plane = await startCompute({ driver });
  return {
    ...plane,
    driver,
    async stop() {
      await plane.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Why this machine cannot run the driver; undefined where it can. Printed by the tests that are skipped for it. */
export async function reasonToSkip(): Promise<string | undefined> {
  const ids = createIds();
  const directory = mkdtempSync(join(tmpdir(), 'croft-probe-'));
  const driver = createSandboxDriver({ directory, newId: () => ids.bytes(16).toString('hex'), binary: helperBinary() });
  try {
    await driver.probe();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await driver.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const FOLDER = import.meta.dirname;

/** The probe as a function. The interpreter's own folder is seen besides what every function sees. */
export function probe(language: 'python' | 'node', name: string, options: Parameters<typeof testFunction>[1] | object = {}): Promise<TestFunction> {
  const files =
    language === 'python' ? { 'index.py': readFileSync(join(FOLDER, 'probe.py'), 'utf8') } : { 'index.mjs': readFileSync(join(FOLDER, 'probe.mjs'), 'utf8') };
  const runtime = language === 'python' ? 'python3.11' : 'nodejs24.x';
  return testFunction(files, { runtime, functionName: name, memoryMb: 1024, timeoutMs: 30_000, ...options });
}
