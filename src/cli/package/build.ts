import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError, type Output } from '../output.ts';

/**
 * What `sam build` does for the two runtimes that need it: a copy of the code with its dependencies beside it. Resolves with the
 * folder to package: the code itself where it needs nothing.
 */
export async function build(
  folder: string,
  runtime: string | undefined,
  logicalId: string,
  output: Output,
  options: { readonly inPlace?: boolean } = {},
): Promise<string> {
  if (runtime?.startsWith('python') && (await hasRequirements(folder))) {
    output.progress(`${logicalId}: installing requirements.txt`);
    const copy = await copyOf(folder);
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt', '--target', '.'], copy, logicalId);
    return copy;
  }
  if (runtime?.startsWith('nodejs') && (await needsInstall(folder))) {
    output.progress(`${logicalId}: installing package.json's dependencies`);
    // Where the code runs from its own folder, they belong beside it.
    const copy = options.inPlace ? folder : await copyOf(folder);
    await run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], copy, logicalId);
    return copy;
  }
  return folder;
}

async function hasRequirements(folder: string): Promise<boolean> {
  const file = join(folder, 'requirements.txt');
  return existsSync(file) && (await readFile(file, 'utf8')).split('\n').some((line) => line.trim() !== '' && !line.trim().startsWith('#'));
}

async function needsInstall(folder: string): Promise<boolean> {
  const file = join(folder, 'package.json');
  if (!existsSync(file) || existsSync(join(folder, 'node_modules'))) return false;
  const { dependencies } = JSON.parse(await readFile(file, 'utf8')) as { dependencies?: Record<string, string> };
  return Object.keys(dependencies ?? {}).length > 0;
}

async function copyOf(folder: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'croft-build-'));
  await cp(folder, copy, { recursive: true });
  return copy;
}

function run(command: string, args: string[], folder: string, logicalId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const keep = (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new CliError(`${logicalId}: ${command} cannot be run (${error.message}); install it, or deploy with --no-build`)));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new CliError(`${logicalId}: ${command} ${args.join(' ')} failed:\n${text.trim()}`))));
  });
}
