import { expect, it } from 'vitest';
import { RUNTIME_NAMES } from '../../compute/runtime-catalog.ts';
import type { CliError, Output } from '../output.ts';
import { install, list } from './runtimes.ts';

function output(): Output & { readonly results: unknown[] } {
  const results: unknown[] = [];
  return { form: 'json', results, result: (json, table) => void results.push(json, table()), progress: () => {} };
}

it('lists AWS’s names and what runs each', async () => {
  const out = output();
  await list(out);
  const [found, table] = out.results as [{ name: string; status: string }[], string];
  expect(found.map(({ name }) => name)).toEqual(RUNTIME_NAMES);
  const major = process.versions.node.split('.')[0];
  expect(found.find(({ name }) => name === `nodejs${major}.x`)?.status).toBe('exact');
  expect(table).toContain('the function brings its own program');
});

it('refuses what it does not know, and does nothing for what is there', async () => {
  await expect(install('cobol', output())).rejects.toMatchObject({ exitCode: 2 } satisfies Partial<CliError>);
  const out = output();
  await install('provided.al2023', out);
  expect(out.results[0]).toEqual({ name: 'provided.al2023', installed: false });
});
