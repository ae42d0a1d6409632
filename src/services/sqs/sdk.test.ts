import * as sdk from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let client: sdk.SQSClient;
let names = 0;

beforeAll(async () => {
  croft = await startCroft();
  // The SDK checks every MD5 that it gets, and sends to the queue's own URL.
  client = new sdk.SQSClient(croft.sdk);
  croft.server.platform.clock.freeze();
});
afterAll(async () => {
  client.destroy();
  await croft.stop();
});

const pass = (seconds: number) => croft.server.platform.clock.advance(seconds * 1000);
const quiet = () => croft.server.platform.bus.quiet(10_000);
const arnOf = (url: string) => `arn:aws:sqs:us-east-1:000000000000:${url.split('/').at(-1)}`;

async function create(Attributes: Partial<Record<sdk.QueueAttributeName, string>> = {}): Promise<string> {
  const QueueName = `q${names++}${Attributes.FifoQueue ? '.fifo' : ''}`;
  const { QueueUrl } = await client.send(new sdk.CreateQueueCommand({ QueueName, Attributes }));
  expect(QueueUrl).toBe(`${croft.endpoint}/000000000000/${QueueName}`);
  return QueueUrl ?? '';
}
const send = (QueueUrl: string, MessageBody: string, more: Partial<sdk.SendMessageCommandInput> = {}) =>
  client.send(new sdk.SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more: Partial<sdk.ReceiveMessageCommandInput> = {}) =>
  (await client.send(new sdk.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], ...more }))).Messages ?? [];
const bodies = (messages: sdk.Message[]) => messages.map(({ Body }) => Body);
const attributesOf = async (QueueUrl: string) => (await client.send(new sdk.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};

const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata: { httpStatusCode: number } };
    return [name, $metadata.httpStatusCode, message];
  }
  throw new Error('expected a rejection');
};

describe('standard queues', () => {
  it('carry a message with its attributes, until it is deleted', async () => {
    const url = await create();
    const MessageAttributes = {
      Number: { DataType: 'Number', StringValue: '1.5' },
      'a.Text': { DataType: 'String.custom', StringValue: 'ünï' },
      'a.Bytes': { DataType: 'Binary', BinaryValue: new Uint8Array([0, 1, 255]) },
    };
    const AWSTraceHeader = { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793' };
    const sent = await send(url, 'hello ✓', { MessageAttributes, MessageSystemAttributes: { AWSTraceHeader } });
    expect(sent.MD5OfMessageSystemAttributes).toMatch(/^[0-9a-f]{32}$/);
    const [message] = await receive(url, { MessageAttributeNames: ['All'], VisibilityTimeout: 10 });
    expect(message).toMatchObject({ MessageId: sent.MessageId, Body: 'hello ✓', MessageAttributes, MD5OfMessageAttributes: sent.MD5OfMessageAttributes });
    const nowMs = String(croft.server.platform.clock.virtual());
    expect(message?.Attributes).toEqual({
      SenderId: '000000000000',
      SentTimestamp: nowMs,
      ApproximateFirstReceiveTimestamp: nowMs,
      ApproximateReceiveCount: '1',
      AWSTraceHeader: AWSTraceHeader.StringValue,
    });
    expect(await receive(url)).toEqual([]);
    pass(10);
    const [again] = await receive(url, { MessageAttributeNames: ['a.*'], VisibilityTimeout: 0 });
    expect(Object.keys(again?.MessageAttributes ?? {}).sort()).toEqual(['a.Bytes', 'a.Text']);
    expect(again?.Attributes?.ApproximateReceiveCount).toBe('2');
    // The receipt of the first time still deletes.
    await client.send(new sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
    await client.send(new sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again?.ReceiptHandle }));
    pass(60);
    expect(await receive(url)).toEqual([]);
  });

  it('delay, hide, count, expire and purge on the virtual clock', async () => {
    const url = await create({ DelaySeconds: '5', MessageRetentionPeriod: '600' });
    await send(url, 'queue delay');
    await send(url, 'own delay', { DelaySeconds: 20 });
    expect(await receive(url)).toEqual([]);
    pass(5);
    const [first] = await receive(url);
    expect(first?.Body).toBe('queue delay');
    expect(await attributesOf(url)).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesDelayed: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
    });
    await client.send(new sdk.ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 }));
    expect(bodies(await receive(url))).toEqual(['queue delay']);
    pass(600);
    expect(await receive(url)).toEqual([]);
    await quiet();
    await send(url, 'a');
    await send(url, 'b', { DelaySeconds: 0 });
    await receive(url);
    await client.send(new sdk.PurgeQueueCommand({ QueueUrl: url }));
    expect(await failure(client.send(new sdk.PurgeQueueCommand({ QueueUrl: url })))).toEqual([
      'PurgeQueueInProgress',
      403,
      `Only one PurgeQueue operation on ${url.split('/').at(-1)} is allowed every 60 seconds.`,
    ]);
    expect(await attributesOf(url)).toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
    await send(url, 'after', { DelaySeconds: 0 });
    expect(bodies(await receive(url))).toEqual(['after']);
  });

  it('wake a long poll at a send, at the end of a delay and of a visibility timeout', async () => {
    const url = await create({ ReceiveMessageWaitTimeSeconds: '20' });
    const waiting = receive(url);
    await send(url, 'woken', { DelaySeconds: 0 });
    expect(bodies(await waiting)).toEqual(['woken']);
    const again = receive(url, { WaitTimeSeconds: 20 });
    await send(url, 'delayed', { DelaySeconds: 10 });
    pass(10);
    expect(bodies(await again)).toEqual(['delayed']);
    const hidden = receive(url, { WaitTimeSeconds: 20 });
    pass(30);
    expect(bodies(await hidden)).not.toEqual([]);
  });

  it('give each message to one of many that wait', async () => {
    const url = await create();
    const polls = Array.from({ length: 12 }, () => receive(url, { WaitTimeSeconds: 20, MaxNumberOfMessages: 1 }));
    await Promise.all(Array.from({ length: 12 }, (_, n) => send(url, String(n))));
    const got = (await Promise.all(polls)).flatMap(bodies);
    expect(got.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
  });

  it('send what is left over to the dead-letter queue, and move it back', async () => {
    const dead = await create();
    const url = await create({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 2 }) });
    expect((await client.send(new sdk.ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }))).queueUrls).toEqual([url]);
    const { MessageId } = await send(url, 'poison');
    for (const count of ['1', '2']) expect((await receive(url, { VisibilityTimeout: 0 }))[0]?.Attributes?.ApproximateReceiveCount).toBe(count);
    expect(await receive(url)).toEqual([]);
    const [letter] = await receive(dead, { VisibilityTimeout: 0 });
    expect(letter).toMatchObject({ MessageId, Attributes: { ApproximateReceiveCount: '3', DeadLetterQueueSourceArn: arnOf(url) } });
    const { TaskHandle } = await client.send(new sdk.StartMessageMoveTaskCommand({ SourceArn: arnOf(dead) }));
    expect(TaskHandle).toBeDefined();
    await quiet();
    const { Results } = await client.send(new sdk.ListMessageMoveTasksCommand({ SourceArn: arnOf(dead) }));
    expect(Results).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1, ApproximateNumberOfMessagesToMove: 1, SourceArn: arnOf(dead) }]);
    const [back] = await receive(url);
    expect([back?.Body, back?.Attributes?.ApproximateReceiveCount]).toEqual(['poison', '1']);
    expect(await receive(dead)).toEqual([]);
  });

  it('move at the rate that was asked, until the task is cancelled', async () => {
    const dead = await create();
    const url = await create({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 1 }) });
    const target = await create();
    for (let n = 0; n < 4; n++) await send(dead, String(n));
    const SourceArn = arnOf(dead);
    const start = () => client.send(new sdk.StartMessageMoveTaskCommand({ SourceArn, DestinationArn: arnOf(target), MaxNumberOfMessagesPerSecond: 1 }));
    const { TaskHandle } = await start();
    await quiet();
    expect((await failure(start()))[2]).toMatch(/already a task running/);
    pass(1);
    await quiet();
    expect(await client.send(new sdk.CancelMessageMoveTaskCommand({ TaskHandle }))).toMatchObject({ ApproximateNumberOfMessagesMoved: 2 });
    pass(10);
    await quiet();
    expect(bodies(await receive(target))).toEqual(['0', '1']);
    expect((await failure(client.send(new sdk.CancelMessageMoveTaskCommand({ TaskHandle: 'foobar' }))))[2]).toBe('Value for parameter TaskHandle is invalid.');
    expect((await failure(client.send(new sdk.StartMessageMoveTaskCommand({ SourceArn: arnOf(url) }))))[2]).toBe(
      'Source queue must be configured as a Dead Letter Queue.',
    );
  });
});

describe('FIFO queues', () => {
  it('keep order, one batch of a group at a time, and drop duplicates for five minutes', async () => {
    const url = await create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    const first = await send(url, 'a1', { MessageGroupId: 'a' });
    const second = await send(url, 'a1', { MessageGroupId: 'b' });
    expect(second).toMatchObject({ MessageId: first.MessageId, SequenceNumber: first.SequenceNumber });
    const third = await send(url, 'a2', { MessageGroupId: 'a' });
    expect(BigInt(third.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(first.SequenceNumber ?? 0));
    await send(url, 'b1', { MessageGroupId: 'b' });
    const [a1] = await receive(url, { MaxNumberOfMessages: 1 });
    expect(a1).toMatchObject({ Body: 'a1', Attributes: { MessageGroupId: 'a', SequenceNumber: first.SequenceNumber } });
    expect(bodies(await receive(url))).toEqual(['b1']);
    expect(await receive(url)).toEqual([]);
    await client.send(new sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: a1?.ReceiptHandle }));
    const [a2] = await receive(url);
    expect(a2?.Body).toBe('a2');
    pass(30);
    expect(await failure(client.send(new sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: a2?.ReceiptHandle })))).toEqual([
      'InvalidParameterValue',
      400,
      `Value ${a2?.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
    ]);
    pass(300);
    expect((await send(url, 'a1', { MessageGroupId: 'a' })).MessageId).not.toBe(first.MessageId);
  });

  it('give the same messages again to the same attempt', async () => {
    const url = await create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    await send(url, 'one', { MessageGroupId: 'g' });
    const [first] = await receive(url, { ReceiveRequestAttemptId: 'x' });
    const [again] = await receive(url, { ReceiveRequestAttemptId: 'x' });
    expect(again?.ReceiptHandle).toBe(first?.ReceiptHandle);
    expect(await receive(url, { ReceiveRequestAttemptId: 'y' })).toEqual([]);
    await client.send(new sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again?.ReceiptHandle }));
    expect(await receive(url, { ReceiveRequestAttemptId: 'x' })).toEqual([]);
  });

  it('wake a long poll when a group is free again', async () => {
    const url = await create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    await send(url, 'one', { MessageGroupId: 'g' });
    await send(url, 'two', { MessageGroupId: 'g' });
    const [one] = await receive(url, { MaxNumberOfMessages: 1 });
    const waiting = receive(url, { WaitTimeSeconds: 20 });
    await client.send(new sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: one?.ReceiptHandle }));
    expect(bodies(await waiting)).toEqual(['two']);
  });
});

describe('queues', () => {
  it('are made once, with the same attributes, and not again within a minute of their end', async () => {
    const url = await create({ VisibilityTimeout: '40' });
    const QueueName = url.split('/').at(-1) ?? '';
    expect((await client.send(new sdk.CreateQueueCommand({ QueueName }))).QueueUrl).toBe(url);
    expect(await failure(client.send(new sdk.CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: '41' } })))).toEqual([
      'QueueNameExists',
      400,
      'A queue already exists with the same name and a different value for attribute VisibilityTimeout',
    ]);
    await client.send(new sdk.TagQueueCommand({ QueueUrl: url, Tags: { a: '1', b: '2' } }));
    await client.send(new sdk.UntagQueueCommand({ QueueUrl: url, TagKeys: ['a'] }));
    expect((await client.send(new sdk.ListQueueTagsCommand({ QueueUrl: url }))).Tags).toEqual({ b: '2' });
    await client.send(new sdk.DeleteQueueCommand({ QueueUrl: url }));
    expect((await failure(client.send(new sdk.GetQueueUrlCommand({ QueueName }))))[0]).toBe('QueueDoesNotExist');
    expect((await failure(client.send(new sdk.CreateQueueCommand({ QueueName }))))[0]).toBe('QueueDeletedRecently');
    pass(60);
    await client.send(new sdk.CreateQueueCommand({ QueueName }));
  });

  it('are listed by name, a page at a time', async () => {
    for (const n of [0, 1, 2, 3, 4]) await client.send(new sdk.CreateQueueCommand({ QueueName: `listed-${n}` }));
    const seen: string[] = [];
    for await (const page of sdk.paginateListQueues({ client, pageSize: 2 }, { QueueNamePrefix: 'listed-' })) seen.push(...(page.QueueUrls ?? []));
    expect(seen.map((url) => url.split('/').at(-1))).toEqual([0, 1, 2, 3, 4].map((n) => `listed-${n}`));
  });

  it('fail batches as a whole or entry by entry', async () => {
    const url = await create();
    const batch = (Entries: sdk.SendMessageBatchRequestEntry[]) => client.send(new sdk.SendMessageBatchCommand({ QueueUrl: url, Entries }));
    const entry = (Id: string, MessageBody = 'm') => ({ Id, MessageBody });
    expect((await failure(batch([])))[0]).toBe('EmptyBatchRequest');
    expect((await failure(batch([entry('a'), entry('a')])))[0]).toBe('BatchEntryIdsNotDistinct');
    expect((await failure(batch([entry('a b')])))[0]).toBe('InvalidBatchEntryId');
    expect((await failure(batch(Array.from({ length: 11 }, (_, n) => entry(String(n))))))[0]).toBe('TooManyEntriesInBatchRequest');
    expect((await failure(batch([entry('a', 'x'.repeat(1_048_576)), entry('b')])))[0]).toBe('BatchRequestTooLong');
    const mixed = await batch([entry('ok'), { ...entry('late'), DelaySeconds: 901 }, entry('bad', '\u0001')]);
    expect(mixed.Successful?.map(({ Id }) => Id)).toEqual(['ok']);
    expect(mixed.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).toEqual([
      ['late', 'InvalidParameterValue', true],
      ['bad', 'InvalidMessageContents', true],
    ]);
    const [message] = await receive(url);
    const change = {
      QueueUrl: url,
      Entries: [
        { Id: '1', ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 },
        { Id: '2', ReceiptHandle: 'x', VisibilityTimeout: 0 },
      ],
    };
    const changed = await client.send(new sdk.ChangeMessageVisibilityBatchCommand(change));
    expect([changed.Successful?.map(({ Id }) => Id), changed.Failed?.map(({ Code }) => Code)]).toEqual([['1'], ['ReceiptHandleIsInvalid']]);
    const deleted = await client.send(new sdk.DeleteMessageBatchCommand({ QueueUrl: url, Entries: [{ Id: '1', ReceiptHandle: message?.ReceiptHandle }] }));
    expect(deleted.Successful).toEqual([{ Id: '1' }]);
    expect(await receive(url)).toEqual([]);
  });

  it('can be looked into without receiving', async () => {
    const url = await create();
    for (const body of ['<one>', 'two']) await send(url, body, { MessageAttributes: { k: { DataType: 'String', StringValue: 'v' } } });
    await receive(url, { MaxNumberOfMessages: 1 });
    const peek = (more: string, accept = 'application/json') =>
      fetch(`${croft.endpoint}/_aws/sqs/messages?QueueUrl=${encodeURIComponent(url)}${more}`, { headers: { accept } });
    const one = (await (await peek('')).json()) as { ReceiveMessageResponse: { ReceiveMessageResult: { Message: { Body: string } } } };
    expect(one.ReceiveMessageResponse.ReceiveMessageResult.Message.Body).toBe('two');
    const xml = await (await peek('&ShowInvisible=true', 'text/xml')).text();
    expect(xml.match(/<Body>.*?<\/Body>/g)).toEqual(['<Body>&lt;one&gt;</Body>', '<Body>two</Body>']);
    expect(xml).toContain('<Name>IsVisible</Name><Value>false</Value>');
    const peeking = new sdk.SQSClient({ ...croft.sdk, endpoint: `${croft.endpoint}/_aws/sqs/messages`, useQueueUrlAsEndpoint: false });
    const { Messages } = await peeking.send(new sdk.ReceiveMessageCommand({ QueueUrl: url }));
    expect(Messages).toMatchObject([{ Body: 'two', MessageAttributes: { k: { StringValue: 'v' } }, Attributes: { ApproximateReceiveCount: '0' } }]);
    expect((await failure(peeking.send(new sdk.SendMessageCommand({ QueueUrl: url, MessageBody: 'x' }))))[2]).toBe(
      'This endpoint only accepts ReceiveMessage calls',
    );
    const missing = await fetch(`${croft.endpoint}/_aws/sqs/messages/us-east-1/000000000000/missing`, { headers: { accept: 'application/json' } });
    expect([missing.status, await missing.json()]).toMatchObject([400, { ErrorResponse: { Error: { Code: 'AWS.SimpleQueueService.NonExistentQueue' } } }]);
  });

  it('speak the query protocol at their own URL', async () => {
    const url = await create();
    const query = (text: string) => fetch(`${url}?${text}`);
    expect(await (await query('Action=SendMessage&MessageBody=hi')).text()).toContain('<MD5OfMessageBody>49f68a5c8493ec2c0bf489821c21fc3b</MD5OfMessageBody>');
    expect(await (await query('Action=ReceiveMessage&VisibilityTimeout=5')).text()).toContain('<Body>hi</Body>');
    expect(await (await query('Action=ReceiveMessage')).text()).toContain('<ReceiveMessageResult/>');
    const json = await fetch(`${croft.endpoint}/?Action=ListQueues&Version=2012-11-05&QueueNamePrefix=${url.split('/').at(-1)}`, {
      headers: { accept: 'application/json' },
    });
    expect(await json.json()).toMatchObject({ ListQueuesResponse: { ListQueuesResult: { QueueUrl: expect.anything() } } });
    expect(await (await query('Action=CreateQueue&QueueName=no')).text()).toContain('The action CreateQueue is not valid for this endpoint.');
    const gone = await fetch(`${croft.endpoint}/000000000000/gone?Action=ReceiveMessage`);
    expect([gone.status, await gone.text()]).toEqual([400, expect.stringContaining('The specified queue does not exist for this wsdl version.')]);
  });

  it('keep policies, redrive ones checked', async () => {
    const url = await create();
    const QueueUrl = url;
    const permit = (Label: string) => client.send(new sdk.AddPermissionCommand({ QueueUrl, Label, AWSAccountIds: ['111111111111'], Actions: ['SendMessage'] }));
    await permit('one');
    expect((await failure(permit('one')))[2]).toBe('Value one for parameter Label is invalid. Reason: Already exists.');
    expect(JSON.parse((await attributesOf(url))['Policy'] ?? '')).toMatchObject({ Statement: [{ Sid: 'one', Action: 'SQS:SendMessage' }] });
    await client.send(new sdk.RemovePermissionCommand({ QueueUrl, Label: 'one' }));
    expect(await attributesOf(url)).not.toHaveProperty('Policy');
    const set = (Attributes: Partial<Record<sdk.QueueAttributeName, string>>) => client.send(new sdk.SetQueueAttributesCommand({ QueueUrl, Attributes }));
    await set({ Policy: '{"Statement":[null,1]}' });
    await permit('two');
    const denied = await create({ RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' });
    const to = (deadLetterTargetArn: string, maxReceiveCount: unknown = 3) => ({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) });
    expect((await failure(set(to(arnOf(denied)))))[0]).toBe('InvalidParameterValue');
    expect((await failure(set(to(arnOf('nothing')))))[2]).toMatch(/Reason: Dead letter target does not exist\.$/);
    expect((await failure(set(to(arnOf(denied), 0))))[2]).toMatch(/valid values are from 1 to 1000 both inclusive\.$/);
    expect((await failure(set({ VisibilityTimeout: '43201' })))[0]).toBe('InvalidAttributeValue');
    expect((await failure(set({ ['Nope' as 'Policy']: '1' })))[2]).toBe('Unknown Attribute Nope.');
  });
});
