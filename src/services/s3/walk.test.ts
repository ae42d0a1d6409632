import { expect, test } from 'vitest';
import { encodeJson } from '../../kit/json.ts';
import { createMemoryStore } from '../../store/memory/memory.ts';
import type { Store } from '../../store/store.ts';
import { keys } from './store.ts';
import { walkObjects } from './walk.ts';

const FOLDERS = 30;
const KEYS = 400;

test('a delimiter skips what is rolled up: reads do not grow with it', async () => {
  const store = createMemoryStore({ real: () => 0 });
  const row = encodeJson({ sequence: 1, versionId: 'null', stamp: 's', modifiedMs: 0, account: '000000000000', etag: 'e', size: 0 });
  const name = (folder: number) => `folder-${String(folder).padStart(3, '0')}/`;
  for (let folder = 0; folder < FOLDERS; folder++) {
    await store.transact({}, (tx) => {
      for (let i = 0; i < KEYS; i++) tx.put(keys.object('b', `${name(folder)}${String(i).padStart(6, '0')}`), row);
    });
  }
  let rows = 0;
  const counting: Store = Object.create(store, {
    range: {
      value: async (options: Parameters<Store['range']>[0]) => {
        const page = await store.range(options);
        rows += page.entries.length;
        return page;
      },
    },
  });
  const all = await walkObjects(counting, 'b', { prefix: '', delimiter: '/', after: undefined, limit: 1000 });
  expect(all.prefixes).toEqual(Array.from({ length: FOLDERS }, (_, folder) => name(folder)));
  expect(rows).toBeLessThan((FOLDERS * KEYS) / 4);
  rows = 0;
  const rest = await walkObjects(counting, 'b', { prefix: '', delimiter: '/', after: name(10), limit: 5 });
  expect([rest.prefixes.length, rest.prefixes[0], rest.truncated]).toEqual([5, name(11), true]);
  await store.close();
});
