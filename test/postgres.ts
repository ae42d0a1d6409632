import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const START_TIMEOUT_MS = 30_000;
const run = promisify(execFile);

/** A real, throw-away PostgreSQL server of its own, on an ephemeral port of 127.0.0.1. */
export interface TestPostgres {
  /** `postgres://…` of an empty database. */
  readonly url: string;
  /** Makes another empty database and returns its URL. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts one, or returns undefined with the reason printed where there are no binaries (on PATH or under /usr/lib/postgresql).
 * PostgreSQL refuses to run as root: then the server runs as `postgres` or `nobody`.
 *
 * @param settings more of the server's settings, e.g. `{ synchronous_commit: 'off' }`
 */
export async function startPostgres(settings: Record<string, string> = {}): Promise<TestPostgres | undefined> {
  const binaries = findBinaries();
  if (!binaries) {
    console.log('PostgreSQL tests are skipped: no initdb and postgres on PATH or in /usr/lib/postgresql/*/bin');
    return undefined;
  }
  const identity = process.getuid?.() === 0 ? unprivilegedUser() : {};
  if (!identity) {
    console.log('PostgreSQL tests are skipped: running as root, and there is no user postgres or nobody to run the server as');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'croft-postgres-'));
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const options = { ...identity, cwd: folder, env: { ...process.env, LC_ALL: 'C', HOME: folder } };
  const data = join(folder, 'data');
  await run(join(binaries, 'initdb'), ['-D', data, '-U', 'croft', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], options);
  const port = await freePort();
  const args = Object.entries({ listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: folder, ...settings });
  const server = spawn(join(binaries, 'postgres'), ['-D', data, ...args.flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-10_000);
  });
  const urlOf = (database: string) => `postgres://croft@127.0.0.1:${port}/${database}`;
  const createDatabase = async (name: string) => {
    await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
    return urlOf(name);
  };
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGINT');
      await once(server, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(server, urlOf('postgres'), () => output);
    return { url: await createDatabase('croft'), createDatabase, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function ready(server: ChildProcess, url: string, output: () => string): Promise<void> {
  const untilMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await query(url, 'SELECT 1');
      return;
    } catch (error) {
      if (server.exitCode !== null) throw new Error(`PostgreSQL did not start: ${output()}`);
      if (performance.now() > untilMs) throw new Error(`PostgreSQL was not ready after ${START_TIMEOUT_MS} ms: ${String(error)}\n${output()}`);
      // The server tells nobody when it is ready: asking is the way (pg_isready does the same).
      await sleep(50);
    }
  }
}

function findBinaries(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...versions.map((version) => join(root, version, 'bin'))];
  return folders.find((folder) => folder !== '' && executable(join(folder, 'initdb')) && executable(join(folder, 'postgres')));
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function unprivilegedUser(): { uid?: number; gid?: number } | undefined {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return user && { uid: Number(user[2]), gid: Number(user[3]) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
