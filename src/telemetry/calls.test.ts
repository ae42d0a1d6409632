import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../test/harness.ts';
import { openStore } from '../store/open.ts';
import { Calls, type Cause, formatNote, parseNote } from './calls.ts';
import type { Span } from './index.ts';
import { createNotes } from './notes.ts';

const cause: Cause = {
  name: 'sqs:SendMessage',
  account: '111122223333',
  region: 'eu-north-1',
  requestId: 'r-1',
  resources: ['arn:aws:sqs:eu-north-1:111122223333:jobs'],
  trace: { root: '1-00000001-0123456789abcdef01234567', parent: 'a'.repeat(16), sampled: false },
  commitTrace: { root: '1-00000001-0123456789abcdef01234567', parent: 'a'.repeat(16), sampled: false },
};

describe('the note of a commit', () => {
  test('is read back as it was written, units summed by dimension', () => {
    const units = [1, 0.5].map((quantity) => ({ key: 'k', dimension: 'WriteRequestUnits', quantity }));
    expect(parseNote(formatNote(cause, units, 7))).toEqual({
      trace: cause.trace.root,
      parent: 'a'.repeat(16),
      name: 'sqs:SendMessage',
      account: '111122223333',
      region: 'eu-north-1',
      atMs: 7,
      requestId: 'r-1',
      resources: cause.resources,
      units: { WriteRequestUnits: 1.5 },
    });
  });
  test('goes without resources where they are too long, and is always one line', () => {
    const note = formatNote({ ...cause, name: 'a\nb', resources: ['x'.repeat(3000)] }, undefined, 7);
    expect(note).not.toContain('\n');
    expect(parseNote(note)).toMatchObject({ name: 'a\nb', requestId: 'r-1' });
    expect(parseNote(note)).not.toHaveProperty('resources');
  });
  test('of somebody else is passed over', () => {
    expect(parseNote('{"a":1}')).toBeUndefined();
  });
});

test('notes beyond their bound go, oldest first', async () => {
  let nowMs = 1000;
  const clock = { real: () => nowMs, mono: () => nowMs };
  const store = await openStore({ store: 'memory', clock });
  const write = (requestId: string) =>
    store.transact({ keys: ['k'], note: () => formatNote({ ...cause, requestId }, undefined, 7) }, (tx) => tx.put('k', Buffer.from(requestId)));
  const note = formatNote(cause, undefined, 7).length;
  const bySize = createNotes(store, clock, { ageMs: 1e9, bytes: 8 * note });
  const left = async () => (await bySize.read(cause.trace.root, 100)).map(({ requestId }) => requestId);
  for (let i = 0; i < 9; i++) {
    nowMs += 1000;
    await write(`r-${i}`);
  }
  await bySize.trim();
  expect(await left()).toEqual(['r-2', 'r-3', 'r-4', 'r-5', 'r-6', 'r-7', 'r-8']);
  await bySize.trim();
  expect(await left()).toHaveLength(7);
  await createNotes(store, clock, { ageMs: 2500, bytes: 1e9 }).trim();
  expect(await left()).toEqual(['r-6', 'r-7', 'r-8']);
  await store.close();
});

test('who is called is known across awaits, and inside a transaction that another one runs', async () => {
  const calls = new Calls();
  const other = { ...cause, name: 'other' };
  await calls.run(cause, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls.current()).toBe(cause);
    expect(calls.within(other, () => calls.current())).toBe(other);
    expect(calls.current()).toBe(cause);
  });
  expect(calls.current()).toBeUndefined();
});

describe.each(['memory', 'sqlite'] as const)('on %s, every write commit carries its trace', (driver) => {
  let croft: TestCroft;
  let client: DynamoDBClient;
  beforeAll(async () => {
    croft = await startCroft({ store: driver });
    client = new DynamoDBClient(croft.sdk);
    await client.send(
      new CreateTableCommand({
        TableName: 'books',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.01, maxDelay: 0.05 }, { TableName: 'books' });
  });
  afterAll(async () => {
    client.destroy();
    await croft.stop();
  });
  const spans = async (query: string): Promise<Span[]> =>
    ((await (await fetch(`${croft.endpoint}/_croft/lineage?${query}`)).json()) as { spans: Span[] }).spans;
  const put = (id: string, bytes: number) => ({ TableName: 'books', Item: { id: { S: id }, text: { S: 'x'.repeat(bytes) } } });

  test('a write that nobody traced: by its request, with the units of the commit', async () => {
    const { $metadata } = await client.send(new PutItemCommand(put('a', 1500)));
    const [commit, ...more] = await spans(`request=${$metadata.requestId}`);
    expect(more).toEqual([]);
    expect(commit).toMatchObject({
      kind: 'commit',
      name: 'dynamodb:PutItem',
      account: '000000000000',
      resources: ['arn:aws:dynamodb:us-east-1:000000000000:table/books'],
      units: { WriteRequestUnits: 2 },
    });
    expect(await spans(`trace=${commit?.trace}`)).toEqual([commit]);
  });

  test('a failed condition commits nothing, and a transaction commits once', async () => {
    const { $metadata } = await client
      .send(new PutItemCommand({ ...put('a', 1), ConditionExpression: 'attribute_not_exists(id)' }))
      .catch((error: { $metadata: { requestId: string } }) => error);
    expect(await spans(`request=${$metadata.requestId}`)).toEqual([]);
    const TransactItems = ['b', 'c'].map((id) => ({ Put: put(id, 1) }));
    const done = await client.send(new TransactWriteItemsCommand({ TransactItems }));
    expect((await spans(`request=${done.$metadata.requestId}`)).map(({ units }) => units)).toEqual([{ WriteRequestUnits: 4 }]);
  });

  test('a delivery and what it commits belong to the trace of the request that caused it', async () => {
    const trace = `1-0000000${driver.length}-0123456789abcdef01234567`;
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-amzn-trace-id'] = `Root=${trace}`;
        return next(args);
      },
      { step: 'build', name: 'trace' },
    );
    await client.send(new DeleteTableCommand({ TableName: 'books' }));
    expect(await croft.server.platform.bus.quiet(10_000)).toBe(true);
    const all = await spans(`trace=${trace}`);
    const request = all.find(({ kind }) => kind === 'request');
    const delivery = all.find(({ kind }) => kind === 'delivery');
    expect(request).toMatchObject({ name: 'dynamodb:DeleteTable' });
    expect(delivery).toMatchObject({ parent: request?.id });
    expect(all.filter(({ kind, parent }) => kind === 'commit' && parent === request?.id).length).toBeGreaterThan(0);
    expect(all.filter(({ kind, parent }) => kind === 'commit' && parent === delivery?.id).length).toBeGreaterThan(0);
  });
});
