import { join } from 'node:path';
import { compose } from './compose.ts';
import type { Config } from './config.ts';
import { ROOT_KEY_FILE } from './root-key.ts';
import { SettingError } from './settings.ts';
import { version } from './version.ts';

/** Runs the server in the foreground until SIGTERM or SIGINT, then drains. Prints `Ready.` on stdout once requests are answered. */
export async function serve(config: Config): Promise<void> {
  const server = await compose(config);
  const stopped = new Promise<void>((resolve, reject) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      // A second signal means now.
      if (asked) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
      asked = true;
      server.stop().then(resolve, reject);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
  const { port } = await server.start().catch(async (error: unknown) => {
    await server.stop();
    throw startError(error, config);
  });
  const scheme = config.tls ? 'https' : 'http';
  process.stdout.write(`Croft ${version()} at ${scheme}://${config.host}:${port} (${describe(config)})\nReady.\n`);
  await stopped;
}

function describe(config: Config): string {
  const place = config.ephemeral
    ? 'ephemeral: nothing is kept'
    : config.store === 'sqlite'
      ? `data in ${config.dataDir}`
      : config.store === 'memory'
        ? 'memory store: data is lost at exit'
        : `data in PostgreSQL and ${config.dataDir}`;
  const key = config.auth === 'verify' && config.rootAccessKeyId === undefined ? `, root key in ${join(config.dataDir, ROOT_KEY_FILE)}` : '';
  return `${place}; auth ${config.auth}${key}`;
}

function startError(error: unknown, config: Config): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE')
    return new SettingError(`port ${config.port} is taken: stop what uses it (\`croft status\` says whether that is Croft), or choose another with --port`);
  if (code === 'EACCES') return new SettingError(`port ${config.port} may not be bound by this user: choose one above 1023 with --port`);
  if (code === 'EADDRNOTAVAIL') return new SettingError(`--host ${config.host} is no address of this machine`);
  return error;
}
