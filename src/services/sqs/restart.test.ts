import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { startCroft } from '../../../test/harness.ts';

it('messages, receipts, locks and duplicates are there after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'croft-sqs-'));
  const options = { store: 'sqlite' as const, ephemeral: false, dataDir };
  try {
    const first = await startCroft(options);
    let client = new sdk.SQSClient({ ...first.sdk, useQueueUrlAsEndpoint: false });
    const Attributes = { FifoQueue: 'true', VisibilityTimeout: '600' };
    const { QueueUrl: standard } = await client.send(new sdk.CreateQueueCommand({ QueueName: 'kept' }));
    const { QueueUrl: fifo } = await client.send(new sdk.CreateQueueCommand({ QueueName: 'kept.fifo', Attributes }));
    await Promise.all(Array.from({ length: 100 }, (_, n) => client.send(new sdk.SendMessageCommand({ QueueUrl: standard, MessageBody: `${n}` }))));
    const fifoMessage = (n: number) => ({ QueueUrl: fifo, MessageBody: `${n}`, MessageGroupId: 'g', MessageDeduplicationId: `${n}` });
    const ids: (string | undefined)[] = [];
    for (let n = 0; n < 3; n++) ids.push((await client.send(new sdk.SendMessageCommand(fifoMessage(n)))).MessageId);
    const { Messages = [] } = await client.send(new sdk.ReceiveMessageCommand({ QueueUrl: fifo }));
    client.destroy();
    await first.stop();

    const second = await startCroft(options);
    client = new sdk.SQSClient({ ...second.sdk, useQueueUrlAsEndpoint: false });
    // Many receivers at once: each message goes to one of them.
    const received: (string | undefined)[] = [];
    const drain = async () => {
      for (;;) {
        const page = await client.send(new sdk.ReceiveMessageCommand({ QueueUrl: standard, MaxNumberOfMessages: 3 }));
        if (!page.Messages) return;
        received.push(...page.Messages.map(({ Body }) => Body));
      }
    };
    await Promise.all(Array.from({ length: 8 }, drain));
    expect(received.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    // The group is still locked, the receipt still good, and what was sent still a duplicate.
    expect((await client.send(new sdk.ReceiveMessageCommand({ QueueUrl: fifo }))).Messages).toBeUndefined();
    expect((await client.send(new sdk.SendMessageCommand(fifoMessage(1)))).MessageId).toBe(ids[1]);
    await client.send(new sdk.DeleteMessageCommand({ QueueUrl: fifo, ReceiptHandle: Messages[0]?.ReceiptHandle }));
    const rest = await client.send(new sdk.ReceiveMessageCommand({ QueueUrl: fifo, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }));
    expect(rest.Messages?.map(({ Body }) => Body)).toEqual(['1', '2']);
    client.destroy();
    await second.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
