import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakePlatform } from '../../../test/fake-platform.ts';
import { prefixEnd } from '../../kit/key.ts';
import { compareValues, type Item } from './domain/value.ts';
import { createDynamoDbRoom } from './index.ts';

/** Random writes against a map; then every way to read must agree with it: table, indexes, order, pages, segments, counts. */
const TABLE = 'Model';
const hashes = ['a', 'b', 'c\u0000', 'd'];
const sorts = ['', '\u0000', '\u0000\u0000', '\u0000a', 'a', 'a\u0000', 'b', '\u{1f600}', '\ufb01'].map((s) => `s${s}`);
const numbers = ['-12.5', '-1', '0', '0.001', '3', '3.5', '20', '1e30'];

const key = fc.record({ pk: fc.constantFrom(...hashes).map((S) => ({ S })), sk: fc.constantFrom(...sorts).map((S) => ({ S })) });
const attributes = fc.record(
  {
    g: fc.constantFrom('x', 'y').map((S) => ({ S })),
    n: fc.constantFrom(...numbers).map((N) => ({ N })),
    l: fc.constantFrom(...sorts).map((S) => ({ S })),
    kept: fc.string({ maxLength: 3 }).map((S) => ({ S })),
    dropped: fc.nat(9).map((N) => ({ N: String(N) })),
    blob: fc.uint8Array({ maxLength: 3 }).map((B) => ({ B })),
  },
  { requiredKeys: [] },
);
type Command =
  | { type: 'put'; key: Item; attributes: Item }
  | { type: 'update'; key: Item; attributes: Item }
  | { type: 'delete'; key: Item }
  | { type: 'remove'; key: Item }
  | { type: 'transact'; key: Item; other: Item; attributes: Item; fails: boolean };
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.oneof(
      fc.record({ type: fc.constant('put' as const), key, attributes }),
      fc.record({ type: fc.constant('update' as const), key, attributes }),
    ),
  },
  { weight: 2, arbitrary: fc.oneof(fc.record({ type: fc.constant('delete' as const), key }), fc.record({ type: fc.constant('remove' as const), key })) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('transact' as const), key, other: key, attributes, fails: fc.boolean() }) },
);

const idOf = (item: Item): string => JSON.stringify([item['pk']?.S, item['sk']?.S]);
const comparable = (items: readonly Item[]): string[] =>
  items
    .map((item) =>
      JSON.stringify(
        Object.entries(item)
          .map(([name, value]) => [name, value.B ? [...value.B] : value])
          .sort(),
      ),
    )
    .sort();

async function openRoom() {
  const room = createDynamoDbRoom();
  const { ctx, bus, platform } = await fakePlatform([room]);
  const call = (operation: string, input: object) => ctx.call('dynamodb', operation, { TableName: TABLE, ...input });
  const names = ['pk', 'sk', 'g', 'l'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' }));
  const schema = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
  await call('CreateTable', {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...names, { AttributeName: 'n', AttributeType: 'N' }],
    KeySchema: schema('pk', 'sk'),
    GlobalSecondaryIndexes: [{ IndexName: 'by-g-n', KeySchema: schema('g', 'n'), Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['kept'] } }],
    LocalSecondaryIndexes: [{ IndexName: 'by-l', KeySchema: schema('pk', 'l'), Projection: { ProjectionType: 'KEYS_ONLY' } }],
  });
  return { call, bus, platform };
}

type Call = Awaited<ReturnType<typeof openRoom>>['call'];

async function allPages(call: Call, operation: string, input: object): Promise<Item[]> {
  const items: Item[] = [];
  let start: unknown;
  do {
    const page = await call(operation, { ...input, ...(start ? { ExclusiveStartKey: start } : {}) });
    items.push(...(page['Items'] as Item[]));
    start = page['LastEvaluatedKey'];
  } while (start);
  return items;
}

async function run(call: Call, model: Map<string, Item>, step: Command): Promise<void> {
  const id = idOf(step.key);
  const before = model.get(id);
  if (step.type === 'put') {
    await call('PutItem', { Item: { ...step.key, ...step.attributes } });
    model.set(id, { ...step.key, ...step.attributes });
  } else if (step.type === 'update') {
    const names = Object.keys(step.attributes);
    await call('UpdateItem', {
      Key: step.key,
      ...(names.length > 0
        ? {
            UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
            ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
            ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, step.attributes[name]])),
          }
        : {}),
    });
    model.set(id, { ...before, ...step.key, ...step.attributes });
  } else if (step.type === 'delete') {
    await call('DeleteItem', { Key: step.key });
    model.delete(id);
  } else if (step.type === 'remove') {
    await call('UpdateItem', { Key: step.key, UpdateExpression: 'REMOVE #g, #l', ExpressionAttributeNames: { '#g': 'g', '#l': 'l' } });
    const { g: _g, l: _l, ...rest } = before ?? step.key;
    model.set(id, rest);
  } else if (id !== idOf(step.other)) {
    const exists = model.has(idOf(step.other)) !== step.fails;
    const check = { TableName: TABLE, Key: step.other, ConditionExpression: exists ? 'attribute_exists(pk)' : 'attribute_not_exists(pk)' };
    const put = { TableName: TABLE, Item: { ...step.key, ...step.attributes } };
    const outcome = call('TransactWriteItems', { TransactItems: [{ Put: put }, { ConditionCheck: check }] });
    if (step.fails) await expect(outcome).rejects.toMatchObject({ code: 'TransactionCanceledException' });
    else {
      await outcome;
      model.set(id, put.Item);
    }
  }
}

async function checkReads(call: Call, model: Map<string, Item>): Promise<void> {
  const everything = [...model.values()];
  const pick = (names: readonly string[]) => (item: Item) => Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
  const inGlobal = everything.filter((item) => item['g'] && item['n']);
  const inLocal = everything.filter((item) => item['l']);
  expect(comparable(await allPages(call, 'Scan', {}))).toEqual(comparable(everything));
  expect(comparable(await allPages(call, 'Scan', { Limit: 3 }))).toEqual(comparable(everything));
  expect(comparable(await allPages(call, 'Scan', { IndexName: 'by-g-n', Limit: 2 }))).toEqual(comparable(inGlobal.map(pick(['pk', 'sk', 'g', 'n', 'kept']))));
  expect(comparable(await allPages(call, 'Scan', { IndexName: 'by-l' }))).toEqual(comparable(inLocal.map(pick(['pk', 'sk', 'l']))));
  const segments = await Promise.all([0, 1, 2].map((Segment) => allPages(call, 'Scan', { Segment, TotalSegments: 3, Limit: 2 })));
  expect(comparable(segments.flat())).toEqual(comparable(everything));
  await checkQueries(call, everything, { hash: 'pk', range: 'sk' });
  await checkQueries(call, inGlobal, { index: 'by-g-n', hash: 'g', range: 'n' });
  await checkQueries(call, inLocal, { index: 'by-l', hash: 'pk', range: 'l' });
  const { Table } = (await call('DescribeTable', {})) as { Table: { ItemCount: number; GlobalSecondaryIndexes: { IndexName: string; ItemCount: number }[] } };
  expect(Table.ItemCount).toBe(everything.length);
  expect(Table.GlobalSecondaryIndexes.find((index) => index.IndexName === 'by-g-n')?.ItemCount).toBe(inGlobal.length);
}

interface Keys {
  readonly index?: string;
  readonly hash: string;
  readonly range: string;
}

async function checkQueries(call: Call, items: readonly Item[], { index, hash, range }: Keys): Promise<void> {
  const base = { ...(index ? { IndexName: index } : {}), ExpressionAttributeNames: { '#h': hash }, Select: undefined };
  const partitions = new Map<string, Item[]>();
  for (const item of items) partitions.set(item[hash]?.S ?? '', [...(partitions.get(item[hash]?.S ?? '') ?? []), item]);
  for (const [value, members] of partitions) {
    const query = { ...base, KeyConditionExpression: '#h = :h', ExpressionAttributeValues: { ':h': { S: value } } };
    const forward = await allPages(call, 'Query', { ...query, Limit: 2 });
    expect(forward.map(idOf).sort()).toEqual(members.map(idOf).sort());
    const order = (a: Item | undefined, b: Item | undefined) => compareValues(a?.[range] ?? {}, b?.[range] ?? {}) ?? Number.NaN;
    for (let at = 1; at < forward.length; at++) expect(order(forward[at - 1], forward[at])).toBeLessThanOrEqual(0);
    const backward = await allPages(call, 'Query', { ...query, ScanIndexForward: false, Limit: 1 });
    expect(backward.map(idOf)).toEqual(forward.map(idOf).reverse());
    const bound = members[0]?.[range] ?? {};
    for (const [operator, holds] of [
      ['=', (n: number) => n === 0],
      ['<', (n: number) => n < 0],
      ['<=', (n: number) => n <= 0],
      ['>', (n: number) => n > 0],
      ['>=', (n: number) => n >= 0],
    ] as const) {
      const found = await allPages(call, 'Query', {
        ...query,
        KeyConditionExpression: `#h = :h AND #r ${operator} :r`,
        ExpressionAttributeNames: { '#h': hash, '#r': range },
        ExpressionAttributeValues: { ':h': { S: value }, ':r': bound },
      });
      expect(found.map(idOf).sort()).toEqual(
        members
          .filter((item) => holds(compareValues(item[range] ?? {}, bound) ?? Number.NaN))
          .map(idOf)
          .sort(),
      );
    }
    if (bound.S === undefined) continue;
    const start = [...bound.S].slice(0, 2).join('');
    const found = await allPages(call, 'Query', {
      ...query,
      KeyConditionExpression: '#h = :h AND begins_with(#r, :r)',
      ExpressionAttributeNames: { '#h': hash, '#r': range },
      ExpressionAttributeValues: { ':h': { S: value }, ':r': { S: start } },
    });
    expect(found.map(idOf).sort()).toEqual(
      members
        .filter((item) => item[range]?.S?.startsWith(start))
        .map(idOf)
        .sort(),
    );
  }
}

describe('any sequence of writes', () => {
  const runs = process.env['CROFT_SOAK'] ? 2000 : 40;
  it('is read back the same in every way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), fc.array(command, { maxLength: 10 }), async (first, second) => {
        const { call, bus } = await openRoom();
        const model = new Map<string, Item>();
        for (const step of first) await run(call, model, step);
        await checkReads(call, model);
        // An index made later holds what was there before it and what came while it was filled.
        const definitions = [{ AttributeName: 'n', AttributeType: 'N' }];
        const late = { IndexName: 'late', KeySchema: [{ AttributeName: 'n', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } };
        await call('UpdateTable', { AttributeDefinitions: definitions, GlobalSecondaryIndexUpdates: [{ Create: late }] });
        for (const step of second) await run(call, model, step);
        await expect(call('Scan', { IndexName: 'late' })).rejects.toMatchObject({ code: 'ValidationException' });
        await bus.drain();
        expect(comparable(await allPages(call, 'Scan', { IndexName: 'late', Limit: 3 }))).toEqual(comparable([...model.values()].filter((item) => item['n'])));
        await checkReads(call, model);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  }, 600_000);
});

it('a deleted table leaves no row behind, and its name is free at once', async () => {
  const { call, bus, platform } = await openRoom();
  const rows = async () => (await platform.store.range({ from: 'ddb\x00\x01i', to: prefixEnd('ddb\x00\x01i'), limit: 10_000 })).entries.length;
  for (let n = 0; n < 700; n++) await call('PutItem', { Item: { pk: { S: 'a' }, sk: { S: `s${n}` }, g: { S: 'x' }, n: { N: String(n) }, l: { S: 'l' } } });
  expect(await rows()).toBeGreaterThan(2100);
  await call('DeleteTable', {});
  await expect(call('GetItem', { Key: { pk: { S: 'a' }, sk: { S: 's1' } } })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  await call('CreateTable', {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  expect(await allPages(call, 'Scan', {})).toEqual([]);
  await call('PutItem', { Item: { pk: { S: 'new' } } });
  await bus.drain();
  expect(await allPages(call, 'Scan', {})).toEqual([{ pk: { S: 'new' } }]);
  // The new item and its two counters.
  expect(await rows()).toBe(3);
});
