import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../output.ts';

/** The wheel that any Python takes. */
const VERSION = '1.8.22';

/** Puts debugpy where the server looks for it: below its data directory. False where that cannot be done, with the reason said. */
export async function ensureDebugpy(dataDir: string, output: Output): Promise<boolean> {
  const folder = join(dataDir, 'debugpy');
  if (existsSync(join(folder, 'debugpy'))) return true;
  await mkdir(folder, { recursive: true });
  output.progress(`installing debugpy ${VERSION} into ${folder}`);
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--platform', 'any'];
  const failed = await run('python3', [...args, '--target', folder, `debugpy==${VERSION}`]);
  if (failed !== undefined) output.progress(`Python functions cannot be debugged: debugpy could not be installed (${failed})`);
  return failed === undefined;
}

/** Undefined where it succeeded, else the last that it said. */
function run(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? undefined : (said.trim().split('\n').at(-1) ?? `exit code ${code}`)));
  });
}
