import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, startCompute, type TestCompute, testFunction, zipFiles } from './testing.ts';
import type { CodePackage } from './types.ts';

let test: TestCompute;
beforeAll(async () => {
  test = await startCompute();
});
afterAll(() => test.stop());

async function layer(files: Readonly<Record<string, string>>): Promise<CodePackage> {
  const zip = await zipFiles(files);
  return { sha256: createHash('sha256').update(zip).digest('hex'), read: () => Promise.resolve(zip) };
}

it('gives Python functions what their layers hold, later layers over earlier ones, the function’s own code over all', async () => {
  const layers = [
    await layer({ 'python/first.py': 'value = 1', 'python/both.py': 'value = 1', 'python/mine.py': 'value = 1', 'bin/x': 'a' }),
    await layer({ 'python/both.py': 'value = 2', 'python/lib/python3.11/site-packages/deep.py': 'value = 3', 'data.json': '4' }),
  ];
  const fn = await testFunction(
    {
      'index.py':
        'import os, first, both, deep, mine\nroot = os.environ["PATH"].rsplit(":", 1)[1][:-4]\ndef handler(e, c):\n  return [first.value, both.value, deep.value, mine.value, open(root + "/data.json").read(), os.path.exists(root + "/bin/x")]',
      'mine.py': 'value = 5',
    },
    { runtime: 'python3.11', layers },
  );
  expect((await call(test, fn)).json).toEqual([1, 2, 3, 5, '4', true]);
});

it('gives Node.js functions the packages of their layers, required and imported', async () => {
  const layers = [
    await layer({
      'nodejs/node_modules/common/index.js': 'module.exports = 1',
      'nodejs/node_modules/modern/index.mjs': 'export default 2',
      'nodejs/node_modules/modern/package.json': '{"exports":"./index.mjs"}',
    }),
    await layer({ 'nodejs/node24/node_modules/common/index.js': 'module.exports = 3' }),
  ];
  const required = await testFunction(
    { 'index.js': 'const common = require("common"); exports.handler = async () => common' },
    { runtime: 'nodejs24.x', functionName: 'required', layers },
  );
  expect((await call(test, required)).json).toBe(3);
  const imported = await testFunction(
    { 'index.mjs': 'import common from "common"; import modern from "modern"; export const handler = async () => [common, modern]' },
    { runtime: 'nodejs24.x', functionName: 'imported', layers },
  );
  expect((await call(test, imported)).json).toEqual([3, 2]);
});
