import { endpointOf, health } from '../endpoint.ts';
import type { Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';

/** `croft status`: exit code 0 where Croft runs, 1 where it does not. */
export async function status(options: CommonOptions, output: Output): Promise<void> {
  const endpoint = endpointOf(options.endpoint);
  const answer = await health(endpoint);
  if (!answer) {
    output.result({ running: false, endpoint }, () => `Croft does not run at ${endpoint}.`);
    process.exitCode = 1;
    return;
  }
  const names = Object.entries(answer.services);
  const running = names.filter(([, state]) => state === 'running').map(([name]) => name);
  output.result({ running: true, endpoint, ...answer }, () =>
    [
      `Croft ${answer.version} runs at ${endpoint} (process ${answer.pid}).`,
      `  services     ${running.join(', ')}`,
      `  refused      ${names.length - running.length} more are modelled and answer 501; docs/coverage.md lists every operation`,
      ...['store', 'auth', 'isolation'].map((fact) => `  ${fact.padEnd(11)}  ${String(answer[fact])}`),
    ].join('\n'),
  );
}
