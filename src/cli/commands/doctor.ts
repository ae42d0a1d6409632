import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { discoverRuntimes } from '../../compute/runtimes.ts';
import { chooseDriver } from '../../compute/sandbox/choose.ts';
import { createIds } from '../../kit/ids.ts';
import { projectRoot } from '../../kit/root.ts';
import { health } from '../endpoint.ts';
import { type Output, paint, table } from '../output.ts';

interface DoctorOptions {
  readonly dataDir: string;
  readonly port: string;
}

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'missing';
  readonly detail: string;
}

const FREE_BYTES_MIN = 1024 ** 3;

/** `croft doctor`: what is there, what is missing and what to do; exit code 1 where something is missing. */
export async function doctor(options: DoctorOptions, output: Output): Promise<void> {
  const findings: Finding[] = [
    nodeVersion(),
    ...(await runtimes()),
    boto3(),
    await port(Number(options.port)),
    await disk(options.dataDir),
    await postgres(),
    ...(await isolation()),
  ];
  output.result(findings, () => table(findings.map((f) => [mark(f.state), f.check, f.detail])));
  if (findings.some((f) => f.state === 'missing')) process.exitCode = 1;
}

const mark = (state: Finding['state']) => ({ ok: paint.green('ok     '), note: paint.yellow('note   '), missing: paint.red('missing') })[state];

function nodeVersion(): Finding {
  return { check: 'Node.js', state: 'ok', detail: `${process.versions.node} (${process.execPath})` };
}

async function runtimes(): Promise<Finding[]> {
  const found = await discoverRuntimes();
  return found.map(({ name, status, executable, version, install }) => {
    // Python and Node.js are what Croft cannot do without; others are needed by who uses them.
    if (status === 'absent')
      return { check: name, state: /^(python|nodejs)/.test(name) ? 'missing' : 'note', detail: `not on this machine: install ${install}` };
    if (status === 'exact') return { check: name, state: 'ok', detail: executable ? `${version} (${executable})` : 'the function brings its own program' };
    return { check: name, state: 'note', detail: `runs on ${version} (${executable}), the nearest there is` };
  });
}

function boto3(): Finding {
  const folder = join(projectRoot(), 'runtimes', 'python', 'vendor', 'boto3');
  if (existsSync(folder)) return { check: 'boto3 for functions', state: 'ok', detail: dirname(folder) };
  return { check: 'boto3 for functions', state: 'missing', detail: 'run `bash scripts/runtimes.sh`, or bundle boto3 with each function' };
}

async function port(number: number): Promise<Finding> {
  const check = `port ${number}`;
  const answer = await health(`http://127.0.0.1:${number}`).catch(() => undefined);
  if (answer) return { check, state: 'ok', detail: `Croft ${answer.version} runs here (process ${answer.pid})` };
  const free = await new Promise<boolean>((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(number, '127.0.0.1', () => server.close(() => done(true)));
  });
  return free ? { check, state: 'ok', detail: 'free' } : { check, state: 'missing', detail: 'taken by another program: stop it, or start Croft with --port' };
}

async function disk(dataDir: string): Promise<Finding> {
  let folder = resolve(dataDir);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${resolve(dataDir)}`;
  return { check: 'disk', state: free < FREE_BYTES_MIN ? 'missing' : 'ok', detail: free < FREE_BYTES_MIN ? `${detail}: free some` : detail };
}

async function postgres(): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('postgres', ['--version']);
    return { check: 'PostgreSQL', state: 'ok', detail: `${stdout.trim()}; only needed for --store postgres://…` };
  } catch {
    return { check: 'PostgreSQL', state: 'note', detail: 'not on this PATH; only needed for --store postgres://…, which may be another machine' };
  }
}

/** By trying, as `croft start --isolation auto` does. */
async function isolation(): Promise<Finding[]> {
  const check = 'isolation';
  const directory = await mkdtemp(join(tmpdir(), 'croft-doctor-'));
  const ids = createIds();
  const { driver, notes } = await chooseDriver('auto', { directory, newId: () => ids.bytes(16).toString('hex') });
  await driver.stop();
  await rm(directory, { recursive: true, force: true });
  const found: Finding =
    driver.isolation === 'none'
      ? { check, state: 'note', detail: 'none (driver: process): run only code that you trust' }
      : { check, state: 'ok', detail: `namespaces (driver: ${driver.name}): each execution environment has its own files, processes, network and user` };
  return [found, ...notes.map((detail): Finding => ({ check, state: 'note', detail }))];
}
