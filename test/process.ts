import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');
export const SEED_APPS = resolve(ROOT, '../shared/seed-apps');
export const VENV = join(ROOT, '.venv', 'bin');

/** True where the guides' apps lie beside the project; a test that needs them is skipped otherwise. */
export const hasSeedApps = existsSync(join(SEED_APPS, 'README.md'));

/** A Croft of its own process, the way a user runs it. */
export interface CroftProcess {
  readonly endpoint: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  readonly sdk: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** What a client's environment needs: AWS_ENDPOINT_URL, a region, dummy credentials. */
  readonly environment: Record<string, string>;
  readonly log: () => string;
  /** `kill -9`; resolves once it is dead. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** After {@link kill} or {@link stop}: the same data, the same port. */
  restart(): Promise<CroftProcess>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

export interface ProcessOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  readonly port?: number;
}

export async function startProcess(options: ProcessOptions = {}): Promise<CroftProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'croft-e2e-'));
  const args = [
    join(ROOT, 'src/cli/main.ts'),
    'start',
    '--port',
    String(options.port ?? 0),
    '--data-dir',
    dataDir,
    '--log-level',
    'warn',
    ...(options.args ?? []),
  ];
  const child = spawn(process.execPath, args, { cwd: dataDir, env: { ...cleanEnvironment(), ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const { endpoint, log } = await ready(child);
  const port = Number(new URL(endpoint).port);
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const signal = async (name: NodeJS.Signals) => {
    child.kill(name);
    return ended;
  };
  return {
    endpoint,
    port,
    pid: child.pid ?? 0,
    dataDir,
    sdk: { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } },
    environment: {
      ...cleanEnvironment(),
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      PATH: `${VENV}:${process.env['PATH']}`,
    },
    log,
    async kill() {
      await signal('SIGKILL');
    },
    stop: () => signal('SIGTERM'),
    restart: () => startProcess({ ...options, dataDir, port }),
    async dispose() {
      if (child.exitCode === null && child.signalCode === null) await signal('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** No credentials, endpoints or settings of the person who runs the tests leak in. */
export function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name, value]) => value !== undefined && !/^(AWS|CROFT_(?!ISOLATION)|VITEST|NODE_OPTIONS)/.test(name)),
  ) as Record<string, string>;
}

function ready(child: ChildProcess): Promise<{ endpoint: string; log: () => string }> {
  let out = '';
  let err = '';
  return new Promise((done, fail) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const endpoint = /(https?:\/\/\S+) [\s\S]*Ready\./.exec(out)?.[1];
      if (endpoint) done({ endpoint: endpoint.replace('//localhost', '//127.0.0.1'), log: () => err });
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-100_000);
    });
    child.once('exit', (code) => fail(new Error(`croft start ended with ${code} before it was ready\n${out}${err}`)));
  });
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string>; input?: string } = {}): Promise<Ran> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? cleanEnvironment(),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', fail);
    child.on('close', (status) => done({ status, stdout, stderr }));
    child.stdin?.end(options.input);
  });
}

/** The `croft` command line from source, against a running Croft. */
export function croft(process_: { endpoint: string }, args: readonly string[], cwd?: string): Promise<Ran> {
  return run(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], {
    env: { ...cleanEnvironment(), CROFT_ENDPOINT: process_.endpoint },
    ...(cwd ? { cwd } : {}),
  });
}
