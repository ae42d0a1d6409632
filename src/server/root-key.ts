import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ALPHABET_UPPER, type Ids } from '../kit/ids.ts';
import type { Config } from './config.ts';

export interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where a key that Croft made is kept, in the data directory. */
export const ROOT_KEY_FILE = 'root-key.json';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * The key pair of account 000000000000's root for `--auth verify`: as configured, else made once and kept in the data directory,
 * readable by this user only. Undefined with `--auth off`.
 */
export async function rootKey(config: Config, ids: Ids): Promise<RootKey | undefined> {
  if (config.auth !== 'verify') return undefined;
  if (config.rootAccessKeyId !== undefined && config.rootSecretAccessKey !== undefined) {
    return { accessKeyId: config.rootAccessKeyId, secretAccessKey: config.rootSecretAccessKey };
  }
  const file = join(config.dataDir, ROOT_KEY_FILE);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RootKey;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made: RootKey = { accessKeyId: `AKIA${ids.text(16, ALPHABET_UPPER)}`, secretAccessKey: ids.text(40, BASE64) };
  await mkdir(config.dataDir, { recursive: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(made)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return made;
}
