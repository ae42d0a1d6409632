import { resolve } from 'node:path';
import { request } from 'undici';
import { endpointOf, requireRunning } from '../endpoint.ts';
import { CliError, type Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';

/** `croft backup`: the running Croft writes a consistent copy of its store and bodies to a new folder. */
export async function backup(folder: string, options: CommonOptions, output: Output): Promise<void> {
  const endpoint = endpointOf(options.endpoint);
  await requireRunning(endpoint);
  const target = resolve(folder);
  const response = await request(`${endpoint}/_croft/backup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ folder: target }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new CliError(`the backup failed: ${messageOf(text)}`);
  output.result(JSON.parse(text), () => `Backed up to ${target}.`);
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? text);
  } catch {
    return text;
  }
}

/** `croft restore`: a backup becomes the content of an empty data directory. Croft must not run on it. */
export async function restore(folder: string, options: { dataDir: string }, output: Output): Promise<void> {
  const { restoreData } = await import('../../server/backup.ts');
  const dataDir = resolve(options.dataDir);
  await restoreData(resolve(folder), dataDir);
  output.result({ restored: dataDir }, () => `Restored to ${dataDir}. \`croft start --data-dir ${options.dataDir}\` goes on from there.`);
}
