import * as sdk from '@aws-sdk/client-eventbridge';
import * as sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

const START_MS = Date.UTC(2026, 4, 1, 12);
let croft: TestCroft;
let client: sdk.EventBridgeClient;
let queues: sqs.SQSClient;
let names = 0;

beforeAll(async () => {
  croft = await startCroft();
  client = new sdk.EventBridgeClient(croft.sdk);
  queues = new sqs.SQSClient(croft.sdk);
  croft.server.platform.clock.freeze(START_MS);
});
afterAll(async () => {
  client.destroy();
  queues.destroy();
  await croft.stop();
});

const quiet = () => croft.server.platform.bus.quiet(10_000);
const arn = (resource: string, service = 'events') => `arn:aws:${service}:us-east-1:000000000000:${resource}`;

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

/** A rule on a bus of its own (or the given one) with one target. */
async function rule(target: Omit<sdk.Target, 'Id'>, pattern: unknown = { source: [{ prefix: '' }] }, bus?: string) {
  const EventBusName = bus ?? `bus${names++}`;
  if (bus === undefined) await client.send(new sdk.CreateEventBusCommand({ Name: EventBusName }));
  const Name = `rule${names++}`;
  await client.send(new sdk.PutRuleCommand({ Name, EventBusName, EventPattern: JSON.stringify(pattern) }));
  await client.send(new sdk.PutTargetsCommand({ Rule: Name, EventBusName, Targets: [{ Id: 't', ...target }] }));
  return { bus: EventBusName, name: Name };
}

const put = (EventBusName: string, Detail: string, more: Partial<sdk.PutEventsRequestEntry> = {}) =>
  client.send(new sdk.PutEventsCommand({ Entries: [{ EventBusName, Source: 'my.app', DetailType: 'Thing', Detail, ...more }] }));

const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata: { httpStatusCode: number } };
    return [name, $metadata.httpStatusCode, message];
  }
  throw new Error('expected a rejection');
};

describe('events', () => {
  it('reach the targets of the rules that match, once each, as they were sent', async () => {
    const target = await queue();
    const { bus } = await rule({ Arn: target.arn }, { detail: { state: ['on'] } });
    const detail = '{ "state": "on", "big": 9223372036854775807, "text": "a  b" }';
    const { Entries, FailedEntryCount } = await put(bus, detail, { Resources: ['arn:x'], Time: new Date('2022-01-01T00:00:00.900Z') });
    await put(bus, '{"state":"off"}');
    expect(FailedEntryCount).toBe(0);
    expect(await target.bodies()).toEqual([
      `{"version":"0","id":"${Entries?.[0]?.EventId}","detail-type":"Thing","source":"my.app","account":"000000000000","time":"2022-01-01T00:00:00Z","region":"us-east-1","resources":["arn:x"],"detail":{"state":"on","big":9223372036854775807,"text":"a  b"}}`,
    ]);
  });

  it('fail one by one', async () => {
    const entry = { Source: 'a', DetailType: 'b', Detail: '{}' };
    const { Entries, FailedEntryCount } = await client.send(
      new sdk.PutEventsCommand({ Entries: [entry, { ...entry, Detail: '[]' }, { ...entry, Source: 'aws.s3' }, { DetailType: 'b', Detail: '{}' }] }),
    );
    expect(FailedEntryCount).toBe(3);
    expect(Entries?.[0]?.EventId).toMatch(/^[0-9a-f-]{36}$/);
    expect(Entries?.slice(1)).toEqual([
      { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
      { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
      { ErrorCode: 'InvalidArgument', ErrorMessage: 'Parameter Source is not valid. Reason: Source is a required argument.' },
    ]);
    expect(await failure(put('default', `{"a":"${'x'.repeat(1_048_576)}"}`))).toEqual([
      'ValidationException',
      400,
      'Total size of the entries in the request is over the limit.',
    ]);
  });

  it('of nearly 1 MiB full of quotes are delivered whole', async () => {
    const target = await queue();
    const { bus } = await rule({ Arn: target.arn, InputPath: '$.detail.n' });
    await put(bus, `{"n":1,"a":[${'"",'.repeat(340_000)}""]}`);
    expect(await target.bodies()).toEqual(['1']);
  });

  it('are fanned out in chunks to more targets than one commit takes', async () => {
    const target = await queue();
    const { bus } = await rule({ Arn: target.arn, Input: '0' });
    for (let n = 0; n < 45; n++) {
      const Name = `many-${n}`;
      await client.send(new sdk.PutRuleCommand({ Name, EventBusName: bus, EventPattern: '{"source":["my.app"]}' }));
      const Targets = Array.from({ length: 5 }, (_, i) => ({ Id: String(i), Arn: target.arn, Input: '1' }));
      await client.send(new sdk.PutTargetsCommand({ Rule: Name, EventBusName: bus, Targets }));
    }
    await put(bus, '{}');
    await quiet();
    const { Attributes } = await queues.send(new sqs.GetQueueAttributesCommand({ QueueUrl: target.url, AttributeNames: ['ApproximateNumberOfMessages'] }));
    expect(Attributes?.ApproximateNumberOfMessages).toBe('226');
  });

  it('pass from bus to bus, and not for ever', async () => {
    const target = await queue();
    const first = await rule({ Arn: arn('event-bus/default') }, { source: ['ring'] });
    const back = await rule({ Arn: arn(`event-bus/${first.bus}`) }, { source: ['ring'] }, 'default');
    await rule({ Arn: target.arn, InputPath: '$.id' }, { source: ['ring'] }, first.bus);
    const { Entries } = await put(first.bus, '{}', { Source: 'ring' });
    const id = JSON.stringify(Entries?.[0]?.EventId);
    expect(await target.bodies()).toEqual([id, id, id]);
    await client.send(new sdk.RemoveTargetsCommand({ Rule: back.name, Ids: ['t'] }));
    await client.send(new sdk.DeleteRuleCommand({ Name: back.name }));
  });

  it('of services come in by the door', async () => {
    const target = await queue();
    const { name } = await rule({ Arn: target.arn }, { source: ['aws.s3'] }, 'default');
    const { store, bus, ids } = croft.server.platform;
    const trace = { root: `1-00000000-${ids.bytes(12).toString('hex')}`, sampled: false };
    const notice = { source: 'aws.s3', detailType: 'Object Created', detail: { bucket: { name: 'b' } }, resources: ['arn:aws:s3:::b'] };
    await store.transact({}, (tx) => bus.enqueue(tx, { target: 'events:publish', account: '000000000000', region: 'us-east-1', trace, payload: { notice } }));
    const [body = ''] = await target.bodies();
    expect(JSON.parse(body)).toMatchObject({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      time: '2026-05-01T12:00:00Z',
      detail: { bucket: { name: 'b' } },
    });
    await client.send(new sdk.DisableRuleCommand({ Name: name }));
  });
});

describe('what targets get', () => {
  const detail = '{"who":"Ada","list":["A","B"],"o":{"k":"v"},"ok":true,"n":9007199254740993}';
  const paths = {
    who: '$.detail.who',
    list: '$.detail.list',
    o: '$.detail.o',
    ok: '$.detail.ok',
    none: '$.detail.none',
    first: '$.detail.list[0]',
    n: '$.detail.n',
  };
  it.each([
    ['"<who> has <list>, <o>, <ok> and <none>"', '"Ada has [A,B], {k:v}, true and "'],
    [
      '{"who": <who>, "list": <list>, "path": "a/<who>/<first>", "none": <none>, "n": <n>}',
      '{"who": "Ada", "list": ["A","B"], "path": "a/Ada/A", "none": "", "n": 9007199254740993}',
    ],
    ['"<who>"\n"<aws.events.rule-name>"', '"Ada"\n"RULE"'],
    ['"\\"<who>\\""', '"\\"Ada\\""'],
  ])('template %s', async (InputTemplate, expected) => {
    const target = await queue();
    const { bus, name } = await rule({ Arn: target.arn, InputTransformer: { InputPathsMap: paths, InputTemplate } });
    await put(bus, detail);
    expect(await target.bodies()).toEqual([expected.replace('RULE', name)]);
  });

  it('a template that makes no JSON goes to the dead-letter queue', async () => {
    const [target, dead] = [await queue(), await queue()];
    const { bus } = await rule({
      Arn: target.arn,
      DeadLetterConfig: { Arn: dead.arn },
      InputTransformer: { InputPathsMap: paths, InputTemplate: '{"o": "<o>"}' },
    });
    await put(bus, detail);
    expect(await target.bodies()).toEqual([]);
    const [letter] = await dead.receive();
    expect(letter?.MessageAttributes?.['ERROR_CODE']?.StringValue).toBe('INVALID_JSON');
  });

  it('is checked when targets are put', async () => {
    const Arn = arn('q', 'sqs');
    const { bus, name } = await rule({ Arn });
    const check = (target: Partial<sdk.Target>) =>
      failure(client.send(new sdk.PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: [{ Id: 'x', Arn, ...target }] })));
    expect(await check({ Arn: 'nonsense' })).toEqual([
      'ValidationException',
      400,
      'Parameter nonsense is not valid. Reason: Provided Arn is not in correct format.',
    ]);
    expect((await check({ Arn: arn('q.fifo', 'sqs') }))[2]).toBe('Parameter(s) SqsParameters must be specified for target: x.');
    expect((await check({ Input: '{}', InputPath: '$.a' }))[2]).toBe('Only one of Input, InputPath, or InputTransformer must be provided for target x.');
    expect((await check({ InputTransformer: { InputTemplate: '"<who>"' } }))[2]).toBe('InputTemplate for target x contains invalid placeholder who.');
    expect((await check({ Input: '{oops' }))[2]).toMatch(/^JSON syntax error in input for target x: /);
    expect((await check({ Arn: arn('stateMachine:x', 'states') })).slice(0, 2)).toEqual(['NotImplemented', 501]);
    expect((await check({ Id: '!' }))[2]).toBe(
      "1 validation error detected: Value '!' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
    );
  });
});

describe('failed deliveries', () => {
  it('to a queue that is not there go to the dead-letter queue, with the reason', async () => {
    const dead = await queue();
    const { bus, name } = await rule({ Arn: arn('gone', 'sqs'), DeadLetterConfig: { Arn: dead.arn } });
    const { Entries } = await put(bus, '{"a":1}', { TraceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793' });
    const [letter] = await dead.receive();
    expect(JSON.parse(letter?.Body ?? '{}')).toMatchObject({ id: Entries?.[0]?.EventId, detail: { a: 1 } });
    expect(letter?.Attributes?.AWSTraceHeader).toBe('Root=1-5759e988-bd862e3fe1be46a994272793');
    expect(Object.fromEntries(Object.entries(letter?.MessageAttributes ?? {}).map(([key, { StringValue }]) => [key, StringValue]))).toEqual({
      RULE_ARN: arn(`rule/${bus}/${name}`),
      TARGET_ARN: arn('gone', 'sqs'),
      ERROR_CODE: 'NO_RESOURCE',
      ERROR_MESSAGE: 'The specified queue does not exist.',
      RETRY_ATTEMPTS: '0',
    });
  });
});

describe('schedules', () => {
  const minutes = (n: number) => croft.server.platform.clock.advance(n * 60_000);

  it('fire at their times on the virtual clock, and no more once disabled', async () => {
    const target = await queue();
    const Name = `s${names++}`;
    await client.send(new sdk.PutRuleCommand({ Name, ScheduleExpression: 'rate(5 minutes)' }));
    await client.send(new sdk.PutTargetsCommand({ Rule: Name, Targets: [{ Id: 't', Arn: target.arn }] }));
    const startMs = croft.server.platform.clock.virtual();
    minutes(4);
    expect(await target.bodies()).toEqual([]);
    minutes(1);
    const [body = ''] = await target.bodies();
    expect(JSON.parse(body)).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '000000000000',
      time: `${new Date(startMs + 300_000).toISOString().slice(0, 19)}Z`,
      region: 'us-east-1',
      resources: [arn(`rule/${Name}`)],
      detail: {},
    });
    // The same again keeps the timer; another description does too.
    await client.send(new sdk.PutRuleCommand({ Name, ScheduleExpression: 'rate(5 minutes)', Description: 'x' }));
    minutes(5);
    expect(await target.bodies()).toHaveLength(1);
    await client.send(new sdk.DisableRuleCommand({ Name }));
    minutes(10);
    expect(await target.bodies()).toEqual([]);
    await client.send(new sdk.EnableRuleCommand({ Name }));
    minutes(5);
    expect(await target.bodies()).toHaveLength(1);
    await client.send(new sdk.RemoveTargetsCommand({ Rule: Name, Ids: ['t'] }));
    await client.send(new sdk.DeleteRuleCommand({ Name }));
  });

  it('are refused where AWS refuses them', async () => {
    const attempt = (ScheduleExpression: string, EventBusName?: string) =>
      failure(client.send(new sdk.PutRuleCommand({ Name: 'bad', ScheduleExpression, ...(EventBusName ? { EventBusName } : {}) })));
    const { bus } = await rule({ Arn: arn('q', 'sqs') });
    for (const text of ['rate(1 minutes)', 'rate(2 minute)', 'rate(0 minutes)', 'cron(0 1 * * * *)', 'at(2027-01-01T00:00:00)', 'x'])
      expect(await attempt(text)).toEqual(['ValidationException', 400, 'Parameter ScheduleExpression is not valid.']);
    expect((await attempt('rate(1 minute)', bus))[2]).toBe('ScheduleExpression is supported only on the default event bus.');
  });
});

describe('archives', () => {
  it('keep what matches, replay it to chosen rules, and forget it after the retention', async () => {
    const [target, other] = [await queue(), await queue()];
    const { bus, name } = await rule({ Arn: target.arn }, { source: ['my.app'] });
    await rule({ Arn: other.arn }, { source: ['my.app'] }, bus);
    const ArchiveName = `a${names++}`;
    const EventSourceArn = arn(`event-bus/${bus}`);
    const { ArchiveArn } = await client.send(
      new sdk.CreateArchiveCommand({ ArchiveName, EventSourceArn, RetentionDays: 2, EventPattern: '{"detail":{"keep":[true]}}' }),
    );
    const from = new Date(croft.server.platform.clock.virtual());
    await put(bus, '{"keep":true,"n":1}');
    await put(bus, '{"keep":false}');
    croft.server.platform.clock.advance(1000);
    await put(bus, '{"keep":true,"n":2}');
    await put(bus, '{"keep":true,"n":3}', { Time: new Date('2020-01-01T00:00:00Z') });
    expect(await target.bodies()).toHaveLength(4);
    await other.bodies();
    expect(await client.send(new sdk.DescribeArchiveCommand({ ArchiveName }))).toMatchObject({ EventCount: 3, SizeBytes: 3 * (6 + 5 + 19 + 20) });
    const managed = `Events-Archive-${ArchiveName}`;
    expect((await failure(client.send(new sdk.DisableRuleCommand({ Name: managed, EventBusName: bus }))))[0]).toBe('ManagedRuleException');
    const replay = {
      ReplayName: `r${names++}`,
      EventSourceArn: ArchiveArn,
      EventStartTime: from,
      EventEndTime: new Date(from.getTime() + 1000),
      Destination: { Arn: EventSourceArn, FilterArns: [arn(`rule/${bus}/${name}`)] },
    };
    expect((await client.send(new sdk.StartReplayCommand(replay))).State).toBe('STARTING');
    const [body = '', ...rest] = await target.bodies();
    expect(JSON.parse(body)).toMatchObject({ 'replay-name': replay.ReplayName, detail: { keep: true, n: 1 } });
    expect([...rest, ...(await other.bodies())]).toEqual([]);
    croft.server.platform.clock.advance(2000);
    await quiet();
    expect((await client.send(new sdk.DescribeReplayCommand({ ReplayName: replay.ReplayName }))).State).toBe('COMPLETED');
    expect((await failure(client.send(new sdk.StartReplayCommand(replay))))[0]).toBe('ResourceAlreadyExistsException');
    for (let day = 0; day < 3; day++) {
      croft.server.platform.clock.advance(86_400_000);
      await quiet();
    }
    expect(await client.send(new sdk.DescribeArchiveCommand({ ArchiveName }))).toMatchObject({ EventCount: 0, SizeBytes: 0 });
    await client.send(new sdk.DeleteArchiveCommand({ ArchiveName }));
    await quiet();
    const { Rules } = await client.send(new sdk.ListRulesCommand({ EventBusName: bus, NamePrefix: 'Events-Archive' }));
    expect(Rules).toEqual([]);
  });
});
