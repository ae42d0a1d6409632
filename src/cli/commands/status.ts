import { endpointOf, health } from '../endpoint.ts';
import { type Output, table } from '../output.ts';
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
  output.result({ running: true, endpoint, ...answer }, () =>
    [
      `Croft ${answer.version} runs at ${endpoint} (process ${answer.pid}).`,
      '',
      table(Object.entries(answer.services).map(([name, state]) => [name, state])),
    ].join('\n'),
  );
}
