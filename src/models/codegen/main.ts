/**
 * Writes `src/models/generated/` from a botocore wheel: `node src/models/codegen/main.ts <wheel> [--check]`.
 * With `--check` nothing is written; the exit status is 1 where a file differs from what would be written.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ServiceIndexEntry, ServiceModel } from '../model.ts';
import { SERVICES } from './services.ts';
import { mergeOverlay, printModel, trimModel } from './trim.ts';
import { readModels } from './wheel.ts';

const modelsDir = join(import.meta.dirname, '..');
const generatedDir = join(modelsDir, 'generated');

async function readOverlay(service: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(modelsDir, 'overlay', `${service}.json`), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** Every reference must name a shape: a broken overlay fails here and not at the first request. */
function checkReferences(service: string, model: ServiceModel): void {
  const check = (shape: string, where: string) => {
    if (!model.shapes[shape]) throw new Error(`${service}: ${where} names the missing shape ${shape}`);
  };
  for (const [name, operation] of Object.entries(model.operations)) {
    for (const ref of [operation.input, operation.output, ...(operation.errors ?? [])]) if (ref) check(ref.shape, name);
  }
  for (const [name, shape] of Object.entries(model.shapes)) {
    for (const ref of [shape.member, shape.key, shape.value, ...Object.values(shape.members ?? {})]) if (ref) check(ref.shape, name);
  }
}

function indexEntry(service: string, model: ServiceModel): ServiceIndexEntry {
  const { metadata } = model;
  return {
    service,
    serviceId: metadata.serviceId,
    signingName: metadata.signingName ?? metadata.endpointPrefix,
    endpointPrefix: metadata.endpointPrefix,
    ...(metadata.targetPrefix === undefined ? {} : { targetPrefix: metadata.targetPrefix }),
    protocols: metadata.protocols ?? [metadata.protocol],
    apiVersion: metadata.apiVersion,
    operations: Object.keys(model.operations),
  };
}

function printIndex(entries: readonly ServiceIndexEntry[]): string {
  const rows = entries.map((entry) => `  ${JSON.stringify(entry)},`);
  return [
    '// Written by src/models/codegen. Do not edit: run `npm run models`.',
    "import type { ServiceIndexEntry } from '../model.ts';",
    '',
    'export const serviceIndex: readonly ServiceIndexEntry[] = [',
    ...rows,
    '];',
    '',
  ].join('\n');
}

async function generate(wheel: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries: ServiceIndexEntry[] = [];
  for (const raw of await readModels(wheel, SERVICES)) {
    const model = mergeOverlay(trimModel(raw.json), await readOverlay(raw.service)) as ServiceModel;
    checkReferences(raw.service, model);
    files.set(`${raw.service}.json`, printModel(model));
    entries.push(indexEntry(raw.service, model));
  }
  files.set('index.ts', printIndex(entries));
  return files;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean', default: false } } });
  const [wheel] = positionals;
  if (!wheel) throw new Error('usage: node src/models/codegen/main.ts <botocore wheel> [--check]');
  const files = await generate(wheel);
  await mkdir(generatedDir, { recursive: true });
  const present = await readdir(generatedDir);
  const stale = present.filter((name) => !files.has(name));
  for (const [name, text] of files) {
    const before = present.includes(name) ? await readFile(join(generatedDir, name), 'utf8') : undefined;
    if (before === text) continue;
    stale.push(name);
    if (!values.check) await writeFile(join(generatedDir, name), text);
  }
  if (values.check && stale.length > 0) {
    console.error(`src/models/generated is stale (${stale.join(', ')}): run \`npm run models\``);
    process.exitCode = 1;
    return;
  }
  for (const name of stale) if (!files.has(name)) await rm(join(generatedDir, name));
  console.log(`${files.size} files, ${stale.length} ${values.check ? 'stale' : 'written or removed'}`);
}

await main();
