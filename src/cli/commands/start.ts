import { spawn } from 'node:child_process';
import { fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../server/config.ts';
import { SETTINGS, variableOf } from '../../server/settings.ts';
import { type Health, health } from '../endpoint.ts';
import { CliError } from '../output.ts';

/** How long `-d` waits for the server to be ready. */
const READY_MS_MAX = 30_000;

export interface StartOptions {
  readonly detach?: boolean;
  readonly config?: string;
  readonly [setting: string]: unknown;
}

/** `croft start`: the foreground server, or with `-d` one that goes on when this returns. */
export async function start(options: StartOptions): Promise<void> {
  const config = configOf(options);
  if (options.detach) return detach(config);
  const { serve } = await import('../../server/serve.ts');
  await serve(config);
}

function configOf(options: StartOptions): Config {
  const file = options.config ?? process.env['CROFT_CONFIG'];
  return loadConfig({ flags: options, environment: process.env, file: file ?? 'croft.config.json', fileRequired: file !== undefined });
}

async function detach(config: Config): Promise<void> {
  if (config.port === 0) throw new CliError('--detach needs a --port: with 0 nobody would know which one was taken', 2);
  const endpoint = `http://127.0.0.1:${config.port}`;
  const running = await health(endpoint).catch(() => undefined);
  if (running) throw new CliError(`Croft runs already at ${endpoint} (process ${running.pid})`);
  mkdirSync(config.dataDir, { recursive: true });
  const log = join(config.dataDir, 'croft.log');
  const output = openSync(log, 'a');
  const before = fstatSync(output).size;
  // The child gets the settled configuration as variables, so that there is one way to pass it on.
  const environment: Record<string, string | undefined> = { ...process.env };
  for (const setting of SETTINGS) {
    const value = config[setting.name];
    environment[variableOf(setting)] = value === undefined ? undefined : String(value);
  }
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'start'], {
    detached: true,
    stdio: ['ignore', output, output],
    env: environment,
  });
  const outcome = await waitUntilReady(child, endpoint);
  if (!outcome) throw new CliError(lastLine(log, before) ?? `Croft did not become ready; its log is ${log}`);
  child.unref();
  process.stdout.write(`Croft ${outcome.version} runs at ${endpoint} (process ${outcome.pid}); log: ${log}\n`);
}

/** What the server said last, where it said anything: it names the reason better than this process could. */
function lastLine(log: string, from: number): string | undefined {
  const said = readFileSync(log).subarray(from).toString('utf8').trim().split('\n').at(-1);
  return said?.replace(/^croft: /, '') || undefined;
}

async function waitUntilReady(child: ReturnType<typeof spawn>, endpoint: string): Promise<Health | undefined> {
  let exited = false;
  child.once('exit', () => {
    exited = true;
  });
  const deadline = performance.now() + READY_MS_MAX;
  while (!exited && performance.now() < deadline) {
    const answer = await health(endpoint).catch(() => undefined);
    if (answer?.pid === child.pid) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}
