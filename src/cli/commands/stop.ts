import { endpointOf, requireRunning } from '../endpoint.ts';
import { CliError, type Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';

/** A little more than the server's own longest drain. */
const STOP_MS_MAX = 60_000;

/** `croft stop`: SIGTERM to the process that answers, and waits until it is gone. */
export async function stop(options: CommonOptions, output: Output): Promise<void> {
  const endpoint = endpointOf(options.endpoint);
  const { pid } = await requireRunning(endpoint);
  if (!/^https?:\/\/(localhost|127\.|\[::1\])/.test(endpoint)) throw new CliError(`${endpoint} is another machine: stop it there`);
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + STOP_MS_MAX;
  while (isAlive(pid)) {
    if (performance.now() > deadline)
      throw new CliError(`process ${pid} has not ended after ${STOP_MS_MAX / 1000} s; \`kill -9 ${pid}\` loses nothing that was acknowledged`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  output.result({ stopped: pid }, () => `Croft has stopped (process ${pid}).`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
