import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject } from '../domain/json.ts';
import { parseTemplate } from '../domain/parse.ts';
import { SamError, transformServerless } from './index.ts';

const recorded = join(import.meta.dirname, '../../../../../shared/conformance/sam-translator');
const passingFile = join(import.meta.dirname, 'passing.txt');

/** What IAM knows, as the room asks it: the recorded cases resolve more names than their own five. */
const known = JSON.parse(readFileSync(join(import.meta.dirname, '../../iam/domain/managed-policies.json'), 'utf8')) as Record<string, { path: string }>;
const context = {
  parameters: { param1: 'value1', param2: 'value2' },
  region: 'ap-southeast-1',
  managedPolicies: new Map(Object.entries(known).map(([name, { path }]) => [name, `arn:aws:iam::aws:policy${path}${name}`])),
};

/** Lists are compared without order, objects without the order of their keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join(',')}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

function passes(name: string): boolean {
  const expected = JSON.parse(readFileSync(join(recorded, 'output', `${name}.json`), 'utf8')) as JsonObject;
  const input = parseTemplate(readFileSync(join(recorded, 'input', `${name}.yaml`), 'utf8'));
  let actual: JsonObject;
  try {
    actual = transformServerless(input, context);
  } catch (error) {
    if (!(error instanceof SamError)) throw error;
    return expected['errorMessage'] === error.message;
  }
  return canonical(actual) === canonical(expected);
}

describe.skipIf(!existsSync(recorded))('the serverless transform (skipped where ../shared/conformance is absent)', () => {
  it('still does what it did in every case that it passed, and says how many those are', () => {
    const names = readdirSync(join(recorded, 'output')).map((file) => file.replace(/\.json$/, ''));
    const passing = names.filter((name) => existsSync(join(recorded, 'input', `${name}.yaml`)) && passes(name)).sort();
    const before = readFileSync(passingFile, 'utf8').split('\n').filter(Boolean);
    console.log(`serverless transform: ${passing.length} of ${names.length} recorded cases pass`);
    expect(before.filter((name) => !passing.includes(name))).toEqual([]);
    expect(
      passing.filter((name) => !before.includes(name)),
      'new passes: add them to passing.txt',
    ).toEqual([]);
  });
});
