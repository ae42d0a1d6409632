import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { projectRoot } from '../../kit/root.ts';
import { CliError, type Output } from '../output.ts';

/** `croft init`: the example application, to start from. Never writes over anything. */
export async function init(folder: string, output: Output): Promise<void> {
  const target = resolve(folder);
  if (existsSync(target)) throw new CliError(`${target} exists already: name another folder`);
  await cp(join(projectRoot(), 'examples', 'notes'), target, { recursive: true });
  output.result({ folder: target }, () =>
    [`Wrote ${target}: an HTTP API with a Python and a Node.js function, and a table.`, '', 'Next:', '  croft start -d', `  croft deploy ${folder}`].join('\n'),
  );
}
