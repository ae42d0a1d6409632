import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../output.ts';

/** `croft tls ca`: the CA certificate that `--tls` made, in PEM. */
export async function printCa(options: { dataDir: string }): Promise<void> {
  const file = join(options.dataDir, 'tls', 'ca.pem');
  try {
    process.stdout.write(await readFile(file, 'utf8'));
  } catch {
    throw new CliError(`there is no ${file} yet: \`croft start --tls\` makes it`);
  }
}
