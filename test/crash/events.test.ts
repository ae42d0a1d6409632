import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  DescribeArchiveCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { STORES, startOn } from '../e2e/stores.ts';
import type { CroftProcess } from '../process.ts';

/** Rounds of writing and killing: many in the soak run. */
const ROUNDS = process.env['CROFT_SOAK'] ? 50 : 1;
const PATIENT = { timeout: 60_000, interval: 200 };
const WRITERS = 8;

let croft: CroftProcess | undefined;
afterEach(() => croft?.dispose());

const clientsOf = (c: CroftProcess) => ({
  events: new EventBridgeClient({ ...c.sdk, maxAttempts: 1 }),
  scheduler: new SchedulerClient({ ...c.sdk, maxAttempts: 1 }),
  queues: new SQSClient({ ...c.sdk, maxAttempts: 1 }),
});

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:000000000000:${resource}`;
const QUEUES = ['near', 'far', 'timed'] as const;

/** `front` to the queue `near` and the bus `back`, that to the queue `far`; all of it archived. */
async function setUp({ events, queues }: ReturnType<typeof clientsOf>): Promise<void> {
  for (const QueueName of QUEUES) await queues.send(new CreateQueueCommand({ QueueName }));
  for (const Name of ['front', 'back']) {
    await events.send(new CreateEventBusCommand({ Name }));
    await events.send(new PutRuleCommand({ Name: 'all', EventBusName: Name, EventPattern: '{"source":["s"]}' }));
  }
  const toQueue = (name: string) => ({ Id: 'queue', Arn: arn('sqs', name), InputPath: '$.id' });
  const toBack = { Id: 'bus', Arn: arn('events', 'event-bus/back') };
  await events.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'front', Targets: [toQueue('near'), toBack] }));
  await events.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'back', Targets: [toQueue('far')] }));
  await events.send(new CreateArchiveCommand({ ArchiveName: 'all', EventSourceArn: arn('events', 'event-bus/back') }));
}

describe.each(STORES)('kill -9 on %s', (store) => {
  it('events and schedules go on: each acknowledged one arrives, and is archived once', { timeout: 90_000 + ROUNDS * 20_000 }, async ({ skip }) => {
    croft = await startOn(store);
    if (!croft) return skip('no PostgreSQL on this machine');
    let clients = clientsOf(croft);
    await setUp(clients);
    const acknowledged = new Set<string>();
    const scheduled = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      let alive = true;
      const writer = async () => {
        while (alive) {
          const entry = { EventBusName: 'front', Source: 's', DetailType: 'd', Detail: '{}' };
          const answer = await clients.events.send(new PutEventsCommand({ Entries: [entry, entry] })).catch(() => undefined);
          for (const { EventId } of answer?.Entries ?? []) if (EventId) acknowledged.add(EventId);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      const soon = new Date(Date.now() + 1000).toISOString().slice(0, 19);
      for (let n = 0; n < 5; n++) {
        const Name = `round-${round}-${n}`;
        const Target = { Arn: arn('sqs', 'timed'), RoleArn: arn('iam', 'role/r').replace('us-east-1', ''), Input: Name };
        const times = { ScheduleExpression: `at(${soon})`, FlexibleTimeWindow: { Mode: 'OFF' as const }, ActionAfterCompletion: 'DELETE' as const };
        await clients.scheduler.send(new CreateScheduleCommand({ Name, Target, ...times }));
        scheduled.add(Name);
      }
      const writing = Array.from({ length: WRITERS }, writer);
      await new Promise((resolve) => setTimeout(resolve, 1200));
      await croft.kill();
      alive = false;
      await Promise.all(writing);
      croft = await croft.restart();
      clients = clientsOf(croft);
    }
    const { queues, events, scheduler } = clients;
    const got = { near: new Set<string>(), far: new Set<string>(), timed: new Set<string>() };
    const drain = async (name: (typeof QUEUES)[number]) => {
      const QueueUrl = `${croft?.endpoint}/000000000000/${name}`;
      for (;;) {
        const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return;
        for (const { Body = '' } of Messages) got[name].add(name === 'timed' ? Body : JSON.parse(Body));
        const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
        await queues.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      }
    };
    const missing = async () => {
      for (const name of QUEUES) await drain(name);
      const lost = (wanted: Set<string>, where: Set<string>) => [...wanted].filter((one) => !where.has(one));
      return [...lost(acknowledged, got.near), ...lost(acknowledged, got.far), ...lost(scheduled, got.timed)];
    };
    await expect.poll(missing, PATIENT).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(10);
    // What was written without an answer may be there too: then it is in both queues, and archived once as well.
    const archived = async () => (await events.send(new DescribeArchiveCommand({ ArchiveName: 'all' }))).EventCount;
    await expect.poll(async () => (await missing()).length === 0 && (await archived()) === got.far.size, PATIENT).toBe(true);
    expect((await scheduler.send(new ListSchedulesCommand({}))).Schedules).toEqual([]);
  });
});
