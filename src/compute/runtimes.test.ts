import { expect, it } from 'vitest';
import { choose, discoverRuntimes, resolveRuntime } from './runtimes.ts';

const machine = [
  { family: 'python' as const, executable: '/py38', level: [3, 8], version: '3.8.18' },
  { family: 'python' as const, executable: '/py311', level: [3, 11], version: '3.11.7' },
  { family: 'python' as const, executable: '/py313', level: [3, 13], version: '3.13.0' },
  { family: 'nodejs' as const, executable: '/node20', level: [20], version: '20.20.2' },
];

it.each([
  ['python3.11', '/py311', true],
  ['python3.12', '/py313', false],
  ['python3.9', '/py311', false],
  ['python3.14', '/py313', false],
  ['nodejs20.x', '/node20', true],
  ['nodejs24.x', '/node20', false],
])('%s runs on %s', (name, executable, exact) => {
  expect(choose(name, machine)).toMatchObject({ name, executable, exact });
});

it('knows what it cannot run', () => {
  expect(choose('java21', machine)).toBeUndefined();
  expect(choose('python3.11', machine.slice(3))).toBeUndefined();
});

it('finds the Node.js that runs this test', async () => {
  const major = process.versions.node.split('.')[0];
  expect(await resolveRuntime(`nodejs${major}.x`)).toMatchObject({ family: 'nodejs', exact: true });
  expect((await discoverRuntimes()).map(({ name }) => name)).toContain('python3.12');
});
