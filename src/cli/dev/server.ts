import { type ChildProcess, spawn } from 'node:child_process';
import { health } from '../endpoint.ts';
import { CliError } from '../output.ts';

const READY_MS_MAX = 30_000;
const LOOK_MS = 50;

export interface DevServer {
  /** Ends the server that was started here; nothing where it ran before. */
  stop(): Promise<void>;
  /** Resolves when the server that was started here has ended by itself. */
  readonly ended: Promise<void>;
}

/** The Croft at `endpoint`: the one that runs, or one that is started and ends with this command. */
export async function serverFor(endpoint: string, args: readonly string[]): Promise<DevServer> {
  const never = new Promise<void>(() => undefined);
  if (await health(endpoint)) {
    if (args.length > 0)
      throw new CliError(`Croft runs already at ${endpoint}, and cannot be inspected: stop it first (\`croft stop\`), and this starts another`);
    return { stop: () => Promise.resolve(), ended: never };
  }
  const { hostname, port } = new URL(endpoint);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
    throw new CliError(`Croft does not answer at ${endpoint}: start it there, or leave --endpoint out`);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'start', '--port', port || '4566', '--log-level', 'warn', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await ready(child, endpoint);
  return {
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

async function ready(child: ChildProcess, endpoint: string): Promise<void> {
  const waiting = AbortSignal.timeout(READY_MS_MAX);
  while (!(await health(endpoint))) {
    if (child.exitCode !== null) throw new CliError('Croft could not be started: the lines above say why');
    if (waiting.aborted) throw new CliError(`Croft did not become ready at ${endpoint}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
