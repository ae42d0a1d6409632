import * as sdk from '@aws-sdk/client-scheduler';
import * as sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

const START_MS = Date.UTC(2026, 2, 28, 12);
const ROLE = 'arn:aws:iam::000000000000:role/scheduler';
let croft: TestCroft;
let client: sdk.SchedulerClient;
let queues: sqs.SQSClient;
let names = 0;

beforeAll(async () => {
  croft = await startCroft();
  client = new sdk.SchedulerClient(croft.sdk);
  queues = new sqs.SQSClient(croft.sdk);
  croft.server.platform.clock.freeze(START_MS);
});
afterAll(async () => {
  client.destroy();
  queues.destroy();
  await croft.stop();
});

const clock = () => croft.server.platform.clock;
const quiet = () => croft.server.platform.bus.quiet(10_000);
const arn = (resource: string, service = 'scheduler') => `arn:aws:${service}:us-east-1:000000000000:${resource}`;
/** Passes time as it passes: from one due time to the next. */
async function pass(ms: number) {
  const untilMs = clock().virtual() + ms;
  for (;;) {
    await quiet();
    const dueMs = croft.server.platform.bus.nextDueMs();
    if (dueMs === undefined || dueMs > untilMs) break;
    clock().advance(Math.max(0, dueMs - clock().virtual()));
  }
  clock().advance(untilMs - clock().virtual());
  await quiet();
}
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function queue(Attributes: Partial<Record<sqs.QueueAttributeName, string>> = {}) {
  const QueueName = `q${names++}${Attributes.FifoQueue ? '.fifo' : ''}`;
  const { QueueUrl = '' } = await queues.send(new sqs.CreateQueueCommand({ QueueName, Attributes }));
  const receive = async () => {
    await quiet();
    const { Messages = [] } = await queues.send(
      new sqs.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] }),
    );
    for (const { ReceiptHandle } of Messages) await queues.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return Messages;
  };
  return { url: QueueUrl, arn: arn(QueueName, 'sqs'), receive, bodies: async () => (await receive()).map(({ Body = '' }) => Body) };
}

const create = async (ScheduleExpression: string, target: Omit<sdk.Target, 'RoleArn'>, more: Partial<sdk.CreateScheduleCommandInput> = {}) => {
  const Name = more.Name ?? `s${names++}`;
  await client.send(
    new sdk.CreateScheduleCommand({ Name, ScheduleExpression, FlexibleTimeWindow: { Mode: 'OFF' }, Target: { RoleArn: ROLE, ...target }, ...more }),
  );
  return Name;
};
const remove = (Name: string) => client.send(new sdk.DeleteScheduleCommand({ Name }));

const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata: { httpStatusCode: number } };
    return [name, $metadata.httpStatusCode, message];
  }
  throw new Error('expected a rejection');
};

describe('schedules', () => {
  it('run once at their local time, with context attributes, and go when told to', async () => {
    const target = await queue();
    const Input = '{"at":"<aws.scheduler.scheduled-time>","by":"<aws.scheduler.schedule-arn>","n":<aws.scheduler.attempt-number>}';
    const Name = await create(
      'at(2026-03-28T15:00:00)',
      { Arn: target.arn, Input },
      { ScheduleExpressionTimezone: 'Europe/Berlin', ActionAfterCompletion: 'DELETE' },
    );
    await pass(2 * HOUR - 1000);
    expect(await target.bodies()).toEqual([]);
    await pass(1000);
    expect(await target.bodies()).toEqual([`{"at":"2026-03-28T14:00:00Z","by":"${arn(`schedule/default/${Name}`)}","n":1}`]);
    expect(await failure(client.send(new sdk.GetScheduleCommand({ Name })))).toEqual(['ResourceNotFoundException', 404, `Schedule ${Name} does not exist.`]);
  });

  it('of local times keep to them over a change of clocks', async () => {
    const target = await queue();
    const Name = await create(
      'cron(0 9 * * ? *)',
      { Arn: target.arn, Input: '"<aws.scheduler.scheduled-time>"' },
      { ScheduleExpressionTimezone: 'Europe/Berlin' },
    );
    await pass(43 * HOUR);
    // Clocks were put forward on 29 March 2026.
    expect(await target.bodies()).toEqual(['"2026-03-29T07:00:00Z"', '"2026-03-30T07:00:00Z"']);
    await remove(Name);
  });

  it('at a rate begin at once or at their start, and end', async () => {
    const target = await queue();
    const nowMs = clock().virtual();
    const Name = await create('rate(10 minutes)', { Arn: target.arn }, { EndDate: new Date(nowMs + 25 * MINUTE) });
    const [body = ''] = await target.bodies();
    expect(JSON.parse(body)).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: '000000000000',
      time: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
      region: 'us-east-1',
      resources: [arn(`schedule/default/${Name}`)],
      detail: '{}',
    });
    await pass(HOUR);
    expect(await target.bodies()).toHaveLength(2);
    await create('rate(1 hour)', { Arn: target.arn }, { Name: `later${names}`, StartDate: new Date(clock().virtual() + 5 * MINUTE) });
    await pass(4 * MINUTE);
    expect(await target.bodies()).toHaveLength(0);
    await pass(62 * MINUTE);
    expect(await target.bodies()).toHaveLength(2);
    await remove(`later${names}`);
  });

  it('run somewhere in their flexible window, once each time', async () => {
    const target = await queue();
    const Name = await create('rate(1 hour)', { Arn: target.arn }, { FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 90 } });
    await pass(10 * HOUR);
    const runs = await target.bodies();
    expect(runs.length).toBeGreaterThanOrEqual(7);
    expect(new Set(runs.map((body) => (JSON.parse(body) as { time: string }).time)).size).toBe(runs.length);
    await remove(Name);
  });

  it('stop while disabled, and are updated whole', async () => {
    const target = await queue();
    const Name = await create('rate(1 hour)', { Arn: target.arn }, { Description: 'x' });
    await target.bodies();
    const update = (more: Partial<sdk.UpdateScheduleCommandInput>) =>
      client.send(
        new sdk.UpdateScheduleCommand({
          Name,
          ScheduleExpression: 'rate(1 hour)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: target.arn, RoleArn: ROLE },
          ...more,
        }),
      );
    await pass(30 * MINUTE);
    await update({});
    await pass(30 * MINUTE);
    expect(await target.bodies()).toHaveLength(1);
    await update({ State: 'DISABLED' });
    await pass(3 * HOUR);
    expect(await target.bodies()).toEqual([]);
    const { $metadata, CreationDate, LastModificationDate, ...rest } = await client.send(new sdk.GetScheduleCommand({ Name }));
    expect(rest).toEqual({
      Arn: arn(`schedule/default/${Name}`),
      GroupName: 'default',
      Name,
      ScheduleExpression: 'rate(1 hour)',
      ScheduleExpressionTimezone: 'UTC',
      State: 'DISABLED',
      Target: { Arn: target.arn, RoleArn: ROLE, RetryPolicy: { MaximumEventAgeInSeconds: 86400, MaximumRetryAttempts: 185 } },
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'NONE',
    });
    expect(LastModificationDate?.getTime()).toBeGreaterThan(CreationDate?.getTime() ?? 0);
  });
});

describe('targets', () => {
  const soon = () => `at(${new Date(clock().virtual() + MINUTE).toISOString().slice(0, 19)})`;

  it('are a FIFO queue, a bus, and any API', async () => {
    const [fifo, plain] = [await queue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' }), await queue()];
    await create(soon(), { Arn: fifo.arn, Input: '1', SqsParameters: { MessageGroupId: 'g' } });
    await create(soon(), {
      Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage',
      Input: JSON.stringify({ QueueUrl: plain.url, MessageBody: 'universal', MessageAttributes: { a: { DataType: 'Binary', BinaryValue: 'b' } } }),
    });
    await pass(MINUTE);
    const [message] = await fifo.receive();
    expect([message?.Body, message?.Attributes?.MessageGroupId]).toEqual(['1', 'g']);
    const [other] = await plain.receive();
    expect([other?.Body, Buffer.from(other?.MessageAttributes?.['a']?.BinaryValue ?? []).toString()]).toEqual(['universal', 'b']);
  });

  it('that are not there leave a dead letter that says so', async () => {
    const dead = await queue();
    const Name = await create(soon(), { Arn: arn('gone', 'sqs'), Input: 'hello', DeadLetterConfig: { Arn: dead.arn } });
    await pass(MINUTE);
    const [letter] = await dead.receive();
    expect(JSON.parse(letter?.Body ?? '')).toEqual({ MessageBody: 'hello', QueueUrl: 'https://sqs.us-east-1.amazonaws.com/000000000000/gone' });
    expect(Object.fromEntries(Object.entries(letter?.MessageAttributes ?? {}).map(([key, { StringValue }]) => [key, StringValue]))).toEqual({
      ERROR_CODE: 'AWS.SimpleQueueService.NonExistentQueue',
      ERROR_MESSAGE: 'The specified queue does not exist.',
      EXECUTION_ID: expect.any(String),
      IS_PAYLOAD_TRUNCATED: 'false',
      RETRY_ATTEMPTS: '0',
      SCHEDULED_TIME: `${new Date(clock().virtual()).toISOString().slice(0, 19)}Z`,
      SCHEDULE_ARN: arn(`schedule/default/${Name}`),
      TARGET_ARN: arn('gone', 'sqs'),
    });
  });

  it('and times are checked when schedules are made', async () => {
    const Arn = arn('q', 'sqs');
    const attempt = (expression: string, target: Partial<sdk.Target> = {}, more: Partial<sdk.CreateScheduleCommandInput> = {}) =>
      failure(create(expression, { Arn, ...target }, more));
    for (const text of ['rate(10 seconds)', ' rate(10 minutes)', 'cron()', 'at(2021-12-31)', 'at(2021-12-31T23:59:59Z)'])
      expect(await attempt(text)).toEqual(['ValidationException', 400, `Invalid Schedule Expression ${text}.`]);
    expect((await attempt('rate(1 hour)', { Arn: 'x' }))[0]).toBe('ValidationException');
    expect((await attempt('rate(1 hour)', { Arn: 'arn:aws:scheduler:::aws-sdk:backup:startReportJob' }))[2]).toBe(
      'backup is not a supported service for a target.',
    );
    expect((await attempt('rate(1 hour)', { Arn: arn('stateMachine:x', 'states') })).slice(0, 2)).toEqual(['NotImplemented', 501]);
    expect((await attempt('rate(1 hour)', {}, { ScheduleExpressionTimezone: 'Mars/Olympus' }))[0]).toBe('ValidationException');
    expect((await attempt('rate(1 hour)', {}, { StartDate: new Date(START_MS - HOUR) }))[2]).toBe(
      'The StartDate you specify cannot be earlier than 5 minutes ago.',
    );
    expect((await attempt('rate(1 hour)', {}, { GroupName: 'none' }))[2]).toBe('Schedule group none does not exist.');
    const Name = await create('cron(0 0 1 1 ? 2030)', { Arn });
    expect(await attempt('rate(1 hour)', {}, { Name })).toEqual(['ConflictException', 409, `Schedule ${Name} already exists.`]);
    await remove(Name);
  });
});

describe('groups', () => {
  it('list their schedules by pages, and take them along', async () => {
    const GroupName = `g${names++}`;
    const { ScheduleGroupArn: ResourceArn } = await client.send(new sdk.CreateScheduleGroupCommand({ Name: GroupName, Tags: [{ Key: 'a', Value: '1' }] }));
    await client.send(new sdk.TagResourceCommand({ ResourceArn, Tags: [{ Key: 'b', Value: '2' }] }));
    await client.send(new sdk.UntagResourceCommand({ ResourceArn, TagKeys: ['a'] }));
    expect((await client.send(new sdk.ListTagsForResourceCommand({ ResourceArn }))).Tags).toEqual([{ Key: 'b', Value: '2' }]);
    for (const Name of ['x1', 'x2', 'y1']) await create('cron(0 0 1 1 ? 2030)', { Arn: arn('q', 'sqs') }, { Name, GroupName });
    const shown: (string | undefined)[] = [];
    for await (const page of sdk.paginateListSchedules({ client, pageSize: 2 }, { GroupName })) shown.push(...(page.Schedules ?? []).map(({ Name }) => Name));
    expect(shown).toEqual(['x1', 'x2', 'y1']);
    const { Schedules } = await client.send(new sdk.ListSchedulesCommand({ GroupName, NamePrefix: 'x' }));
    expect(Schedules?.map(({ Name, Target }) => [Name, Target])).toEqual([
      ['x1', { Arn: arn('q', 'sqs') }],
      ['x2', { Arn: arn('q', 'sqs') }],
    ]);
    await client.send(new sdk.DeleteScheduleGroupCommand({ Name: GroupName }));
    await quiet();
    expect((await failure(client.send(new sdk.GetScheduleGroupCommand({ Name: GroupName }))))[2]).toBe(`Schedule group ${GroupName} does not exist.`);
    expect((await client.send(new sdk.ListScheduleGroupsCommand({}))).ScheduleGroups?.map(({ Name }) => Name)).toContain('default');
  });
});

describe('a restart', () => {
  it('loses no timer', async () => {
    const { mkdtemp, rm } = await import('node:fs/promises');
    const dataDir = await mkdtemp('/tmp/croft-scheduler-');
    const dueMs = Date.UTC(2030, 0, 1, 2);
    const options = { store: 'sqlite', ephemeral: false, dataDir } as const;
    const first = await startCroft(options);
    first.server.platform.clock.freeze(START_MS);
    const [one, other] = [new sdk.SchedulerClient(first.sdk), new sqs.SQSClient(first.sdk)];
    await other.send(new sqs.CreateQueueCommand({ QueueName: 'q' }));
    await one.send(
      new sdk.CreateScheduleCommand({
        Name: 's',
        ScheduleExpression: 'at(2030-01-01T02:00:00)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: arn('q', 'sqs'), RoleArn: ROLE, Input: '1' },
      }),
    );
    await first.stop();
    const second = await startCroft(options);
    try {
      second.server.platform.clock.freeze(dueMs - HOUR);
      expect(second.server.platform.bus.nextDueMs()).toBe(dueMs);
      second.server.platform.clock.advance(2 * HOUR);
      const { Messages } = await new sqs.SQSClient(second.sdk).send(
        new sqs.ReceiveMessageCommand({ QueueUrl: `${second.endpoint}/000000000000/q`, WaitTimeSeconds: 10 }),
      );
      expect(Messages?.map(({ Body }) => Body)).toEqual(['1']);
    } finally {
      await second.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
