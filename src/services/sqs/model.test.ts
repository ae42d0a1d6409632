import type { Message } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fakePlatform } from '../../../test/fake-platform.ts';
import { createSqsRoom } from './index.ts';
import { contentKeys, findQueue, rangeOf } from './store.ts';

/** What a queue is: messages in order, each with the time when it can be received. */
interface Modelled {
  readonly body: string;
  readonly group: string;
  visibleMs: number;
  handle?: string;
}

type Step =
  | { readonly do: 'send'; readonly group: number; readonly delay: number }
  | { readonly do: 'receive'; readonly max: number; readonly visibility: number }
  | { readonly do: 'delete' | 'show'; readonly which: number }
  | { readonly do: 'hide'; readonly which: number; readonly seconds: number }
  | { readonly do: 'wait'; readonly seconds: number };

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), group: fc.nat(2), delay: fc.constantFrom(0, 0, 0, 5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('receive' as const), max: fc.integer({ min: 1, max: 10 }), visibility: fc.constantFrom(0, 3, 10, 30) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'show' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hide' as const), which: fc.nat(20), seconds: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 15 }) }) },
);

async function run(fifo: boolean, steps: readonly Step[]): Promise<void> {
  const fake = await fakePlatform([createSqsRoom()]);
  fake.clock.freeze(1_700_000_000_000);
  const now = () => fake.clock.virtual();
  const call = (operation: string, input: object) => fake.ctx.call('sqs', operation, { ...input });
  const QueueName = fifo ? 'q.fifo' : 'q';
  const { QueueUrl } = await call('CreateQueue', { QueueName, Attributes: fifo ? { FifoQueue: 'true' } : {} });
  const model: Modelled[] = [];
  let sent = 0;

  /** The messages that a receive gives out, by the rules. */
  const receivable = (max: number): Modelled[] => {
    if (!fifo) {
      // The first of those never received, and of those that come back, in the order in which they were sent.
      const due = model.filter((message) => message.visibleMs <= now()).sort((a, b) => a.visibleMs - b.visibleMs || model.indexOf(a) - model.indexOf(b));
      const candidates = [due.filter(({ handle }) => handle === undefined), due.filter(({ handle }) => handle !== undefined)].flatMap((some) =>
        some.slice(0, max),
      );
      return candidates.sort((a, b) => model.indexOf(a) - model.indexOf(b)).slice(0, max);
    }
    const blocked = new Set<string>();
    const out: Modelled[] = [];
    for (const message of model) {
      if (blocked.has(message.group)) continue;
      if (message.visibleMs > now()) blocked.add(message.group);
      else out.push(message);
    }
    return out;
  };

  const receive = async (max: number, seconds: number) => {
    const { Messages = [] } = (await call('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: max, VisibilityTimeout: seconds })) as { Messages?: Message[] };
    const expected = receivable(max);
    expect(Messages).toHaveLength(Math.min(max, expected.length));
    if (!fifo) expect(Messages.map(({ Body }) => Body)).toEqual(expected.map(({ body }) => body));
    const seen = new Map<string, string[]>();
    for (const { Body, ReceiptHandle } of Messages) {
      const message = expected.find(({ body }) => body === Body);
      if (!message || ReceiptHandle === undefined) throw new Error(`${Body} must not be received`);
      seen.set(message.group, [...(seen.get(message.group) ?? []), message.body]);
      message.visibleMs = now() + seconds * 1000;
      message.handle = ReceiptHandle;
    }
    // Within a group nothing is passed over.
    if (fifo) {
      for (const [group, bodies] of seen) {
        const inGroup = expected.filter((message) => message.group === group).map(({ body }) => body);
        expect(bodies).toEqual(inGroup.slice(0, bodies.length));
      }
    }
  };

  const inFlight = () => model.filter(({ handle, visibleMs }) => handle !== undefined && visibleMs > now());
  for (const one of steps) {
    if (one.do === 'wait') fake.clock.advance(one.seconds * 1000);
    else if (one.do === 'receive') await receive(one.max, one.visibility);
    else if (one.do === 'send') {
      const body = `m${sent++}`;
      const group = String(one.group);
      const delay = fifo ? 0 : one.delay;
      await call('SendMessage', { QueueUrl, MessageBody: body, ...(fifo ? { MessageGroupId: group, MessageDeduplicationId: body } : { DelaySeconds: delay }) });
      model.push({ body, group, visibleMs: now() + delay * 1000 });
    } else {
      const candidates = inFlight();
      const message = candidates[one.which % Math.max(1, candidates.length)];
      if (!message) continue;
      const { handle: ReceiptHandle } = message;
      if (one.do === 'delete') {
        await call('DeleteMessage', { QueueUrl, ReceiptHandle });
        model.splice(model.indexOf(message), 1);
      } else {
        const seconds = one.do === 'hide' ? one.seconds : 0;
        await call('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: seconds });
        message.visibleMs = now() + seconds * 1000;
      }
    }
    const { Attributes } = (await call('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })) as { Attributes: Record<string, string> };
    const never = model.filter(({ handle, visibleMs }) => handle === undefined && visibleMs > now()).length;
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: String(model.filter(({ visibleMs }) => visibleMs <= now()).length),
      ApproximateNumberOfMessagesNotVisible: String(inFlight().length),
      ApproximateNumberOfMessagesDelayed: String(never),
    });
  }
  // Nothing is lost: after the longest timeout everything can be received, in order.
  fake.clock.advance(60_000);
  const left: string[] = [];
  for (;;) {
    const { Messages = [] } = (await call('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 })) as { Messages?: Message[] };
    if (Messages.length === 0) break;
    for (const { Body = '', ReceiptHandle } of Messages) {
      left.push(Body);
      await call('DeleteMessage', { QueueUrl, ReceiptHandle });
    }
  }
  const order = (body: string) => Number(body.slice(1));
  expect([...left].sort((a, b) => order(a) - order(b))).toEqual(model.map(({ body }) => body));
  // And nothing is left behind: only counters and what is remembered for five minutes.
  const row = await findQueue(fake.platform.store, { account: fake.ctx.account, region: fake.ctx.region, name: QueueName });
  if (!row) throw new Error('the queue is gone');
  const { messages, fresh, received, groups } = contentKeys(fake.ctx, row.id, row.contents);
  for (const prefix of [messages, fresh, received, groups]) expect((await fake.platform.store.range(rangeOf(prefix))).entries).toEqual([]);
}

it('behaves as a list of messages with times: standard', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => run(false, steps)),
    { numRuns: 40 },
  );
});

it('behaves as lists of messages that are received in order: FIFO', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => run(true, steps)),
    { numRuns: 40 },
  );
});

it('finds what is sent with an earlier time than was received before', async () => {
  const fake = await fakePlatform([createSqsRoom()]);
  const call = (operation: string, input: object) => fake.ctx.call('sqs', operation, { ...input });
  const { QueueUrl } = await call('CreateQueue', { QueueName: 'q' });
  for (const [atMs, MessageBody] of [
    [1_700_000_100_000, 'later'],
    [1_700_000_000_000, 'earlier'],
  ] as const) {
    fake.clock.freeze(atMs);
    await call('SendMessage', { QueueUrl, MessageBody });
    expect(await call('ReceiveMessage', { QueueUrl })).toMatchObject({ Messages: [{ Body: MessageBody }] });
  }
});
