import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateEventSourceMappingCommand, CreateFunctionCommand, GetEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { startCroft } from '../../../../test/harness.ts';
import { createPrinted, ROLE, zipFiles } from '../testing.ts';

const PATIENT = { timeout: 15_000, interval: 50 };

/** What it is given calls the very process that calls it. */
const SOURCE = `
import json, os, urllib.request
def handler(event, context):
    urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/_localstack/health').read()
    print(json.dumps({'body': event['Records'][0]['body'], 'count': event['Records'][0]['attributes']['ApproximateReceiveCount']}))
`;

it('a mapping goes on after a restart, once functions can call back', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'croft-esm-'));
  const options = { store: 'sqlite', ephemeral: false, dataDir } as const;
  let croft = await startCroft(options);
  try {
    const lambda = new LambdaClient(croft.sdk);
    const { QueueUrl } = await new SQSClient(croft.sdk).send(new CreateQueueCommand({ QueueName: 'kept' }));
    const ZipFile = await zipFiles({ 'index.py': SOURCE });
    await lambda.send(new CreateFunctionCommand({ FunctionName: 'fn', Runtime: 'python3.12', Handler: 'index.handler', Role: ROLE, Code: { ZipFile } }));
    const { UUID } = await lambda.send(new CreateEventSourceMappingCommand({ EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:kept', FunctionName: 'fn' }));
    await expect.poll(async () => (await lambda.send(new GetEventSourceMappingCommand({ UUID }))).State, PATIENT).toBe('Enabled');
    await new SQSClient(croft.sdk).send(new SendMessageCommand({ QueueUrl, MessageBody: 'delayed', DelaySeconds: 1 }));
    await croft.stop();
    croft = await startCroft(options);
    const printed = createPrinted<{ body: string; count: string }>(croft);
    await expect.poll(() => printed('fn'), PATIENT).toEqual([{ body: 'delayed', count: '1' }]);
  } finally {
    await croft.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);
