/**
 * Writes `docs/coverage.md`: every modelled operation of every service, built or not, with the parameters that are kept without effect.
 * `node scripts/coverage.ts` writes it, `--check` fails where it is stale.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serviceIndex } from '../src/models/index.ts';
import type { ServiceIndexEntry } from '../src/models/model.ts';
import { compose } from '../src/server/compose.ts';
import { defaultConfig } from '../src/server/config.ts';
import type { Service } from '../src/services/service.ts';

const page = join(import.meta.dirname, '../docs/coverage.md');

/** The rooms as the server puts them together, without starting any. */
async function rooms(): Promise<ReadonlyMap<string, Service>> {
  const server = await compose({ ...defaultConfig(), port: 0, store: 'memory', ephemeral: true, logLevel: 'error' });
  try {
    return new Map(server.rooms.map((room) => [room.name, room]));
  } finally {
    await server.stop();
  }
}

function built(entry: ServiceIndexEntry, room: Service | undefined): number {
  return entry.operations.filter((name) => room?.operations[name]).length;
}

function summary(entries: readonly ServiceIndexEntry[], byName: ReadonlyMap<string, Service>): string[] {
  const total = entries.reduce((sum, entry) => sum + entry.operations.length, 0);
  const done = entries.reduce((sum, entry) => sum + built(entry, byName.get(entry.service)), 0);
  return [
    '| service | operations | built |',
    '|---|---:|---:|',
    ...entries.map((entry) => `| [${entry.service}](#${entry.service}) | ${entry.operations.length} | ${built(entry, byName.get(entry.service))} |`),
    `| all | ${total} | ${done} |`,
  ];
}

function section(entry: ServiceIndexEntry, room: Service | undefined): string[] {
  const unknown = Object.keys(room?.operations ?? {}).filter((name) => !entry.operations.includes(name));
  if (unknown.length > 0) throw new Error(`room ${entry.service} builds operations that no model has: ${unknown.join(', ')}`);
  const missing = entry.operations.filter((name) => !room?.operations[name]);
  const rows = entry.operations.flatMap((name) => {
    const operation = room?.operations[name];
    if (!operation) return [];
    const recorded = (operation.recorded ?? []).map((parameter) => `\`${parameter}\``).join(', ');
    return [`| ${name} | ${recorded} |`];
  });
  const table = rows.length > 0 ? ['| built | kept, without effect |', '|---|---|', ...rows, ''] : [];
  const rest = missing.length > 0 ? [`Not built (501 \`NotImplemented\`): ${missing.join(', ')}.`, ''] : [];
  return [`## ${entry.service}`, '', `${entry.serviceId}: ${rows.length} of ${entry.operations.length} operations.`, '', ...table, ...rest];
}

function render(byName: ReadonlyMap<string, Service>): string {
  const lines = [
    '# Coverage',
    '',
    'Written by `scripts/coverage.ts` from the service models and the rooms. Do not edit.',
    '',
    'An operation that is not built answers HTTP 501 `NotImplemented`. A parameter that is kept without effect is stored and described, and changes nothing.',
    '',
    ...summary(serviceIndex, byName),
    '',
    ...serviceIndex.flatMap((entry) => section(entry, byName.get(entry.service))),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const text = render(await rooms());
if (values.check) {
  const present = await readFile(page, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (present !== text) {
    console.error('docs/coverage.md is stale: run `node scripts/coverage.ts`');
    process.exitCode = 1;
  }
} else await writeFile(page, text);
