import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The house rules that a machine can check: which way imports point, where time comes from, how long a file may be. */
const SRC = resolve(import.meta.dirname, '../src');

/** A layer may import itself and those after it. Rooms are told apart below. */
const LAYERS: readonly (readonly string[])[] = [
  ['cli', 'server'],
  ['gateway'],
  ['services'],
  ['bus', 'compute', 'telemetry'],
  ['store', 'blobs'],
  ['protocol', 'models', 'identity'],
  ['kit'],
];
const FILE_LINES_MAX = 450;

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'generated' ? [] : walk(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

const files = walk(SRC).map((path) => ({ path, name: relative(SRC, path), text: readFileSync(path, 'utf8') }));
const code = files.filter((file) => !/\.test\.ts$|conformance\.ts$|(^|\/)testing\//.test(file.name));
const layerOf = (name: string) => LAYERS.findIndex((layer) => layer.includes(name.split('/')[0] ?? ''));

function* imports(file: { path: string; name: string; text: string }): Generator<string> {
  for (const [, target] of file.text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    if (target) yield relative(SRC, resolve(dirname(file.path), target));
  }
}

describe('the house', () => {
  it('has files to check', () => expect(code.length).toBeGreaterThan(20));

  it('imports point one way', () => {
    const wrong = code.flatMap((file) =>
      [...imports(file)].filter((target) => !target.startsWith('..') && layerOf(target) < layerOf(file.name)).map((target) => `${file.name} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('rooms import no other room', () => {
    const room = (name: string) => /^services\/([^/]+)\//.exec(name)?.[1];
    const wrong = code.flatMap((file) =>
      [...imports(file)].filter((target) => room(file.name) && room(target) && room(target) !== room(file.name)).map((target) => `${file.name} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('takes time and randomness from kit only', () => {
    const wrong = code
      .filter((file) => !file.name.startsWith('kit/') && /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/.test(file.text))
      .map((file) => file.name);
    expect(wrong).toEqual([]);
  });

  it('keeps files short', () => {
    const long = code.filter((file) => file.text.split('\n').length > FILE_LINES_MAX).map((file) => file.name);
    expect(long).toEqual([]);
  });

  it('gives every room a README, limits and one store file', () => {
    const rooms = readdirSync(join(SRC, 'services')).filter((name) => statSync(join(SRC, 'services', name)).isDirectory());
    const missing = rooms
      .flatMap((room) => ['README.md', 'index.ts', 'limits.ts', 'errors.ts', 'store.ts'].map((file) => `services/${room}/${file}`))
      .filter((file) => {
        try {
          return !statSync(join(SRC, file)).isFile();
        } catch {
          return true;
        }
      });
    expect(missing).toEqual([]);
  });
});
